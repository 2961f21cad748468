"""Others' conventions: how yente's and OpenRefine's clients ask, and how they are answered. Pure."""
