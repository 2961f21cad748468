"""All numbers of comparing, in one place. Chosen on one half of the labelled pairs, reported on the other.

`./comity bench screening` measures them; docs/adr/0031 says how they were chosen.
"""

from typing import Final

COMPARING: Final = 3
"""Raised when verdicts change otherwise than by these numbers: what is on file then says that it was compared so."""

# --- verdicts, in points

REVIEW: Final = 70
"""Fewest points with which somebody is shown for review."""

SAME_COMPANY: Final = 82
"""Fewest points of a name with which another site is one of the same company."""

SAME_SITE: Final = 95
"""Fewest points of a name with which, at the same address, it is the same."""

# --- words, as shares of their weight

ABBREVIATED: Final = 0.95
SAME_MEANING: Final = 0.95
INITIALS: Final = 0.9
"""The first letters of two words or more."""
JOINED: Final = 0.97
CUT_OFF: Final = 0.88
"""The beginning of a longer word, four letters or more."""
SOUNDS_ALIKE: Final = 0.86
CONTRACTED: Final = 0.78
NEARLY_SOUNDS_ALIKE: Final = 0.72
ONE_SLIP_COSTS: Final = 0.9
A_SLIP_IN_FOUR_COSTS: Final = 1.6
"""In words of four letters, where one letter makes another word."""
TWO_SLIPS_COST: Final = 2.0
"""Divided by the letters of the word."""

# --- names

OF_THE_LESS_COVERED: Final = 0.6
"""How much the name counts of which less is found in the other; the rest counts the other."""
OTHER_WORDS_COST: Final = 0.45
"""Of the weight that differs on both sides."""
OWN_WORD: Final = 8.0
"""Least weight of a word that is somebody's own."""
OWN_WORDS_DIFFER: Final = -8
"""When both names have a word of their own that the other has not, however long the rest is."""
ONE_WORD: Final = -9
"""When one name is a single word and the other says more than a place."""
BRAND: Final = 0.8
"""Of the rarity of a word that nobody has: how rare a word alone must be to bring whom it leads to review."""
LEAST_LETTERS_OF_BRAND: Final = 4
NOBODYS_WORD: Final = ""
LEAST_LETTERS_OF_WHOLE: Final = 6
"""Of a name in a script without blanks, with its legal form, of which one letter may be missing."""
TOGETHER: Final = 0.95
"""Of the weight of words whose letters, written together, come close."""
LEAST_TOGETHER: Final = 0.84
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
"""Most points where one of the names has nothing but words that many firms have."""
GENERIC_WITH_MORE: Final = REVIEW - 1
"""The same where the other name says more: "ABC" is not "ABC International"."""
