"""Suppliers as this node knows them: following the view, judging, showing, lists of factories."""
