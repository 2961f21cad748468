"""What a node knows and decides, without I/O: minimization, supplier view, screening, review rules."""
