import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity_schemas.bands import SMALL, Band, ShareBand, band_of, share_of


@pytest.mark.parametrize(
    ("count", "band"),
    [(0, "0"), (1, "1-10"), (10, "1-10"), (11, "11-24"), (24, "11-24"), (25, "25-49"), (49, "25-49"), (50, "50-99"),
     (99, "50-99"), (100, "100-249"), (249, "100-249"), (250, "250-499"), (499, "250-499"), (500, "500+")],
)  # fmt: skip
def test_a_count_falls_into_its_band(count: int, band: str) -> None:
    assert band_of(count) == band


@given(st.integers(1, 10), st.integers(1, 10))
def test_counts_from_1_to_10_cannot_be_told_apart(one: int, other: int) -> None:
    assert band_of(one) is band_of(other) is Band.UP_TO_10


@given(st.integers(0, 10), st.data())
def test_no_share_is_told_of_few(count: int, data: st.DataObject) -> None:
    assert share_of(data.draw(st.integers(0, count)), count) is None
    assert band_of(count) in SMALL


@pytest.mark.parametrize(
    ("women", "count", "share"),
    [
        (0, 11, "0-25%"),
        (24, 100, "0-25%"),
        (25, 100, "25-50%"),
        (50, 100, "50-75%"),
        (75, 100, "75-100%"),
        (100, 100, "75-100%"),
    ],
)
def test_a_share_falls_into_its_quarter(women: int, count: int, share: str) -> None:
    assert share_of(women, count) is ShareBand(share)


@pytest.mark.parametrize(("women", "count"), [(12, 11), (-1, 11), (0, -1)])
def test_impossible_counts_are_refused(women: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"number of women|negative"):
        share_of(women, count)


def test_a_negative_count_has_no_band() -> None:
    with pytest.raises(ValueError, match="negative"):
        band_of(-1)
