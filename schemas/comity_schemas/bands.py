"""Bands that stand for counts of people. An exact count from 1 to 10 could single somebody out, so none leaves.

Source: k = 11 as in the Counter-Trafficking Data Collaborative; totals are banded too, because exact totals beside
hidden cells give most of them away.
"""

from enum import StrEnum


class Band(StrEnum):
    """How many people, as far as it may be told."""

    NONE = "0"
    UP_TO_10 = "1-10"
    UP_TO_24 = "11-24"
    UP_TO_49 = "25-49"
    UP_TO_99 = "50-99"
    UP_TO_249 = "100-249"
    UP_TO_499 = "250-499"
    FROM_500 = "500+"


class ShareBand(StrEnum):
    """A share of women; never stated where fewer than 11 people are meant, since all or none reveals each one."""

    UP_TO_QUARTER = "0-25%"
    UP_TO_HALF = "25-50%"
    UP_TO_THREE_QUARTERS = "50-75%"
    UP_TO_ALL = "75-100%"


_UPPER = [(0, Band.NONE), (10, Band.UP_TO_10), (24, Band.UP_TO_24), (49, Band.UP_TO_49), (99, Band.UP_TO_99),
          (249, Band.UP_TO_249), (499, Band.UP_TO_499)]  # fmt: skip
SMALL = frozenset({Band.NONE, Band.UP_TO_10})
"""Bands too small to carry a share."""


def band_of(count: int) -> Band:
    """Return the band of a count of people.

    Raises:
        ValueError: the count is negative.
    """
    if count < 0:
        raise ValueError("a count of people cannot be negative")
    return next((band for most, band in _UPPER if count <= most), Band.FROM_500)


def share_of(women: int, count: int) -> ShareBand | None:
    """Return the band of the women's share, or None where the count is too small to tell.

    Raises:
        ValueError: there are more women than people.
    """
    if women > count or women < 0:
        raise ValueError("the number of women lies outside the number of people")
    if band_of(count) in SMALL:
        return None
    quarters = [
        ShareBand.UP_TO_QUARTER,
        ShareBand.UP_TO_HALF,
        ShareBand.UP_TO_THREE_QUARTERS,
        ShareBand.UP_TO_ALL,
    ]
    return quarters[min(3, 4 * women // count)]
