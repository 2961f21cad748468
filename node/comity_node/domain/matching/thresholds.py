"""All numbers of comparing, in one place."""

REVIEW = 88
"""Fewest points with which a name is shown for review."""

ANOTHER_NUMBER = -12
"""A number of the same register that differs speaks against the two being one."""

WRONG_COUNTRY = -20
