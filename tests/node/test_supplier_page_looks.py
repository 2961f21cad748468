"""The supplier's page as it looks: contrast, direction, fonts, and no sentence that nobody says."""

import re

import pytest

from builders import CHECKOUT
from comity_node.domain.vocabulary import Language
from comity_node.vocabulary import page_words
from comity_node.web.page import STYLE

# --- how it looks


def _luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [
        ("ink", "paper", 7.0),
        ("ink", "wash", 7.0),
        ("quiet", "paper", 4.5),
        ("quiet", "wash", 4.5),
        ("quiet", "warn-wash", 4.5),
        ("act", "paper", 4.5),
        ("act-ink", "act", 4.5),
        ("warn", "paper", 4.5),
        ("warn", "warn-wash", 4.5),
        ("ink", "done-wash", 4.5),
        ("quiet", "done-wash", 4.5),
        ("line", "paper", 3.0),
        ("ink", "focus", 3.0),
    ],
)
async def test_colours_stand_out_as_wcag_asks(text: str, ground: str, least: float) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", STYLE.decode()))
    assert _contrast(colours[text], colours[ground]) >= least


async def test_the_style_reads_in_both_directions_with_system_fonts_and_loads_nothing() -> None:
    style = re.sub(r"/\*.*?\*/", "", STYLE.decode(), flags=re.S)
    assert not re.findall(r"\b(left|right|url|@import|@font-face)\b", style)
    assert not re.findall(r"(?<!-)\b(width|height|top|bottom)\s*:", style), "logical properties only"
    assert "forced-colors" in style and "prefers-reduced-motion" in style and "@media print" in style


async def test_every_sentence_is_used_and_every_sentence_used_is_there() -> None:
    web = CHECKOUT / "node" / "comity_node" / "web"
    code = "".join(path.read_text("utf-8") for path in [*web.rglob("*.html"), *web.rglob("*.py")])
    made = [
        r"shown\.(proposed|published)",
        r"ended\.\w+",
        r"answer\.(reply|dispute)-hint",
        r"field\.\w+",
        r"error\.\w+",
    ]
    known = page_words()[Language.ENGLISH].words
    assert [k for k in known if f'"{k}"' not in code and not any(re.fullmatch(m, k) for m in made)] == []
    assert {key for key in re.findall(r'say\("([a-z.-]+)"', code) if not key.endswith(".")} <= set(known)
