"""Taking in what others publish: read, opened, accepted or settled, folded."""
