"""Finding suppliers that may be the one asked about: the name index, how it follows, and the search in it."""
