"""All numbers of comparing, in one place. Chosen on one half of the labelled pairs, reported on the other.

`./comity bench screening` measures them; docs/adr/0031 says how they were chosen.
"""

from typing import Final

# --- verdicts, in points

REVIEW: Final = 74
"""Fewest points with which somebody is shown for review."""

SAME_COMPANY: Final = 82
"""Fewest points of a name with which another site is one of the same company."""

SAME_SITE: Final = 95
"""Fewest points of a name with which, at the same address, it is the same."""

# --- words, as shares of their weight

ABBREVIATED: Final = 0.95
SAME_MEANING: Final = 0.95
JOINED: Final = 0.97
CUT_OFF: Final = 0.88
"""The beginning of a longer word, four letters or more."""
SOUNDS_ALIKE: Final = 0.86
CONTRACTED: Final = 0.78
NEARLY_SOUNDS_ALIKE: Final = 0.72
ONE_SLIP_COSTS: Final = 0.9
TWO_SLIPS_COST: Final = 2.4
"""Divided by the letters of the word."""

# --- names

OF_THE_LESS_COVERED: Final = 0.65
"""How much the name counts of which less is found in the other; the rest counts the other."""
OTHER_WORDS_COST: Final = 0.45
"""Of the weight that differs on both sides."""
WHOLE_NAME: Final = 0.97
"""Of the points of a name whose letters, written together, are nearly the same."""
LEAST_WHOLE: Final = 0.86
OTHER_CHARACTERS: Final = -12
"""Romanised alike, but written with other Chinese characters."""

LEAST_WEIGHT: Final = 1.0
MOST_WEIGHT: Final = 12.0

# --- what speaks for or against it beside the name, in points

EQUAL_NUMBER: Final = 100
SAME_PARENT: Final = 90
ANOTHER_NUMBER: Final = -8
"""A number of the same register that differs speaks against the two being one."""
WRONG_COUNTRY: Final = -8
SAME_ADDRESS: Final = 12
OTHER_ADDRESS: Final = -12
OTHER_UNIT: Final = -4
GENERIC: Final = REVIEW + 6
"""Most points of two names of nothing but words that many firms have; with a word over on a side they are none."""
