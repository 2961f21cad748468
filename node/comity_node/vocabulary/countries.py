"""The list of countries that comes with Comity."""

from functools import cache
from importlib.resources import files

from comity_node.domain.vocabulary import Countries, parse_countries


@cache
def countries() -> Countries:
    """Return the list; read once."""
    return parse_countries((files("comity_node.vocabulary") / "countries.tsv").read_text("utf-8"))
