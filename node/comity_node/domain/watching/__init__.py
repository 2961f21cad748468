"""Whom an officer has business with, what is judged of them, what is watched and who is told. Pure."""
