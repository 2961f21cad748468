"""Screenings on file: put there, answered again, and what of them may be said to the supplier."""
