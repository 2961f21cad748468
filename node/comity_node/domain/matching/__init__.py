"""Comparing suppliers: who may be whom, and why. Pure."""
