"""Suppliers as this node knows them: whom statements mention, what people here judged, what lists name. Pure."""
