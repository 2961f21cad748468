"""Signed reports: taken in, stored, followed up."""
