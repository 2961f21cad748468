"""Screening in others' shapes: the same question, the same answer, other words."""
