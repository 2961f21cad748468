"""What an administrator asks: how a node is, whether it has room, and whether all it holds is so."""
