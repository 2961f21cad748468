"""Published registers: rows become reports, rulings and proposals."""
