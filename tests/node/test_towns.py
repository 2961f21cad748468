"""A finding names a town, which is no address: it makes no equal name the same, and no street another site."""

import pytest

from comity_node.domain.matching.comparing import compare
from comity_node.domain.matching.likeness import Verdict
from comity_node.domain.matching.party import Party


@pytest.mark.parametrize(
    ("asked", "named_town", "said"),
    [
        ("Lot 12, Jalan Perusahaan 3, 42000 Port Klang, Selangor", "Port Klang, Selangor", "the same town"),
        ("Plot 5, Ring Road 12, Dhaka 1200", "Dhaka, Dhaka Division", "the same town"),
        ("深圳市南山区科技路18号", "Shenzhen", "the same town"),
        ("District 7, Ho Chi Minh City", "District 7, Ho Chi Minh City", "the same town"),
        ("Dhaka 1212", "Dhaka 1212", "the same town"),
        ("Sector 3, Bucharest", "Sector 5, Bucharest", ""),
        ("Plot 7, Savar, Dhaka", "Gazipur, Dhaka", ""),
        ("12 Example Street, Klang", "Selangor", "another town or region is named"),
    ],
)
def test_a_town_makes_no_equal_name_the_same_and_no_street_another_site(asked: str, named_town: str, said: str) -> None:
    name = "Fazenda Exemplo"
    town = Party((name,), addresses=(named_town,), has_places_only=True)
    for found in (compare(Party((name,), addresses=(asked,)), town), compare(town, Party((name,), addresses=(asked,)))):
        assert found.verdict is Verdict.REVIEW
        assert found.reason.partition("; ")[2].startswith(said) and bool(said) == (";" in found.reason)
