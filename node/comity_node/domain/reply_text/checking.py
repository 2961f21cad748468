"""The rules by which a reply text is refused, one function a kind of problem."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from comity_node.domain.reply_text import words
from comity_schemas.reply import MARKS, SCRIPTS

_READABLE: Final = re.compile(rf"[{SCRIPTS}{MARKS}]")


class ProblemKind(StrEnum):
    """What a text tells that must not leave."""

    SCRIPT = "script"
    PERSON = "person"
    NUMBER = "number"
    DOCUMENT = "document"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Problem:
    """Where a text tells something that must not leave; positions count characters."""

    kind: ProblemKind
    start: int
    end: int


def check_text(text: str, known: Iterable[str] = ()) -> list[Problem]:
    """Return what must not leave, in the order of the text; empty where nothing was found.

    Args:
        text: The supplier's words.
        known: Names that the finding itself tells, such as the supplier's: they are no secret and often a person's.
    """
    plain, places = _plain(text)
    shown = _without(plain, [_plain(name)[0] for name in known])
    found = {Problem(p.kind, places[p.start], places[p.end]) for rule in _RULES for p in rule(shown)}
    # No node reads another script, whoever's name is written in it.
    return sorted({*found, *_scripts(text)}, key=lambda p: (p.start, p.end, p.kind))


_ONE_FORM: Final = {0xFF01 + n: 0x21 + n for n in range(94)} | dict(zip(map(ord, "¹²³"), "123", strict=True))
"""Letters, digits and punctuation of full width, as Chinese is written with, and raised digits: as they are read."""

_ADDED: Final = re.compile(
    r"[\u00ad\u0300-\u036f\u0610-\u061c\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"
)
"""What stands in, over or under a word without making it another: vowel signs, strokes, a hyphen that nobody sees."""


def _plain(text: str) -> tuple[str, list[int]]:
    """Return a text as it is read, each letter in one form; and the place in the text of each of its characters, and of
    its end."""
    plain: list[str] = []
    places: list[int] = []
    for at, char in enumerate(text):
        composed = unicodedata.normalize("NFC", plain[-1] + char) if plain else ""
        if len(composed) == 1:
            plain[-1] = composed
        elif not _ADDED.match(char):
            plain.append(char.translate(_ONE_FORM))
            places.append(at)
    return "".join(plain), [*places, len(text)]


def _without(text: str, known: Iterable[str]) -> str:
    """Return the text with every known name made a blank of the same length; digits stay.

    Only where it stands as a word: the short name of a firm is often how a person's begins.
    """
    for name in sorted({n for n in known if len(n) > 1}, key=len, reverse=True):
        begins = r"(?<![^\W\d_])" if _is_latin(name[0]) else ""
        ends = r"(?![^\W\d_])" if _is_latin(name[-1]) else ""
        whole = re.compile(begins + re.escape(name) + ends, re.I)
        text = whole.sub(lambda m: "".join(c if c.isdigit() else " " for c in m[0]), text)
    return text


def _scripts(text: str) -> Iterator[Problem]:
    for at, char in enumerate(text):
        if not _READABLE.match(char):
            yield Problem(ProblemKind.SCRIPT, at, at + 1)


_DIGITS: Final = re.compile(r"[0-9\d][\d.,/:\- ]*\d|\d")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_CODE: Final = re.compile(
    r"(?=[^\W_]*\d)(?=[^\W_]*[^\W\d_])[^\W_]{2,}(?:[-/][^\W_]+)*|[^\W\d_]{1,4}(?:[-/]|\s?№\s?)\d{2,}"
)
_FEW_PEOPLE: Final = re.compile(rf"\b(?:{words.FEW})\s+(?:\w+\s+){{0,3}}(?:{words.PEOPLE})\b", re.I)
_FEW_ARABIC: Final = re.compile(
    rf"(?<!\w)(?:(?:{words.ARABIC_FEW})\s+(?:من\s+)?(?:ال)?(?:{words.ARABIC_PEOPLE})|عاملان|عاملتان|عاملين اثنين)(?!\w)"
)
_FEW_CHINESE: Final = re.compile(
    rf"{words.CHINESE_FEW}(?:[\u4e00-\u9fff]{{0,3}})(?:工|员工|女工|工人|人|女性|证人|審|员)"
)


def _numbers(text: str) -> Iterator[Problem]:
    for found in _DIGITS.finditer(text):
        ascii_digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in found[0])
        before = text[found.start() - 1 : found.start()]
        after = text[found.end() : found.end() + 1]
        if not (_YEAR.fullmatch(ascii_digits.strip()) and not _is_latin(before) and not _is_latin(after)):
            yield Problem(ProblemKind.NUMBER, found.start(), found.end())
    for pattern in (_FEW_PEOPLE, _FEW_ARABIC, _FEW_CHINESE):
        yield from (Problem(ProblemKind.NUMBER, m.start(), m.end()) for m in pattern.finditer(text))


def _is_latin(char: str) -> bool:
    return bool(char) and char.isalpha() and unicodedata.name(char, "").startswith(("LATIN", "CYRILLIC"))


def _documents(text: str) -> Iterator[Problem]:
    for found in _CODE.finditer(text):
        if any(_is_latin(c) for c in found[0]):
            yield Problem(ProblemKind.DOCUMENT, found.start(), found.end())


_CONTACTS: Final = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"[^\s@]+\s?(?:@|\(at\)|\[at\])\s?[^\s@]+",
        r"(?<!\w)@\w{2,}",
        r"\b(?:https?|ftp)://\S+|\bwww\.\S+",
        r"\b[\w-]+\.(?:com|org|net|info|cn|ru|br|my|jo|de|fr|es|uk|io|biz|kz|in)\b",
        r"\b(?:whats\s?app|we\s?chat|telegram|viber|signal|line id|skype|zalo|qq)\b",
        r"\b(?:ватсап|вотсап|телеграм|вайбер|скайп)\b",
        r"微信|微博|钉钉|支付宝|واتساب|واتس اب|تلغرام|تليجرام|فيسبوك",
        r"\b(?:phone|telephone|mobile|cell|fax|tel|e-?mail)\b\.?\s*(?::|no\b|number\b|is\b|#)",
        r"\b(?:teléfono|correo electrónico|téléphone|courriel)\b\.?\s*:",
        r"(?<!\w)(?:тел|моб|факс|телефон|почта)\.?\s*:",
        r"(?:电话|手机|邮箱|电邮|電話|手機|传真)(?:号码|号)?[::]",
        r"(?:هاتف|جوال|بريد إلكتروني|رقم الهاتف|الهاتف)\s*:",
        r"\b(?:call|contact|write to|reach|ask for)\s+(?:me|him|her|them)\s+(?:at|on|under)\b",
        r"\b(?:street|road|avenue|lane|boulevard|jalan|rua|calle|avenida|rue)\s+(?-i:[A-ZÀ-Þ])\w+",
        r"\b(?-i:[A-ZÀ-Þ])\w+\s+(?:street|road|avenue|lane|boulevard)\b",
        r"(?<!\w)(?:ул|улица|пр-т|проспект|пер|переулок|шоссе)\.?\s+[А-ЯЁ]\w+",
        r"(?<!\w)شارع\s+\w+|(?<!\w)حي\s+ال\w+",
        r"[\u4e00-\u9fff]{2,6}(?:路|街|巷|大道)(?:[一二三四五六七八九十百\d]+号|\d)",
        r"[\u4e00-\u9fff]+(?:宿舍楼|栋)[一二三四五六七八九十\d]+(?:室|层|楼)",
        r"\bdormitory\s+(?-i:[A-Z])\b|\broom\s+\d",
    )
)


def _contacts(text: str) -> Iterator[Problem]:
    for pattern in _CONTACTS:
        yield from (Problem(ProblemKind.CONTACT, m.start(), m.end()) for m in pattern.finditer(text))


_WORD: Final = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*\.?")
_ENDS: Final = frozenset('.!?;:…\n"«“(')
_INITIALS: Final = re.compile(
    r"(?<!\w)(?:[A-ZÀ-ÞА-ЯЁ]\.\s?){1,3}[A-ZÀ-ÞА-ЯЁ]\w+"
    r"|(?<!\w)[A-ZÀ-ÞА-ЯЁ]\w+\s(?:[A-ZÀ-ÞА-ЯЁ]\.\s?){1,3}"
    r"|(?<!\w)(?:[A-ZА-ЯЁ]\.){2,3}"
)
_PATRONYMIC: Final = re.compile(r"[а-яё]{3,}(?:[ое]вич[ау]?|[ое]вн[аые]|ична)$")


def _persons_by_case(text: str) -> Iterator[Problem]:
    """Latin and Cyrillic: titles, given names, patronymics, initials, and what is written as a name."""
    tokens = [m for m in _WORD.finditer(text) if any(_is_latin(c) for c in m[0])]
    for number, token in enumerate(tokens):
        word, plain = token[0], token[0].rstrip(".").casefold()
        follows = tokens[number + 1] if number + 1 < len(tokens) else None
        if word.casefold() in words.HONORIFICS or plain in words.HONORIFICS:
            if follows is not None and not text[token.end() : follows.start()].strip() and _may_be_name(follows[0]):
                yield Problem(ProblemKind.PERSON, token.start(), follows.end())
        elif (plain in words.GIVEN_NAMES and (word[0].isupper() or len(plain) > 4)) or _PATRONYMIC.search(plain):
            yield Problem(ProblemKind.PERSON, token.start(), token.end())
        elif _is_capitalised(word) and plain not in words.NO_NAMES and not plain.startswith(words.NO_NAMES_BEGIN):
            if not _begins_sentence(text, token.start()):
                yield Problem(ProblemKind.PERSON, token.start(), token.end())
            elif follows is not None and _names_somebody(plain, follows[0]):
                yield Problem(ProblemKind.PERSON, token.start(), follows.end())
    for found in _INITIALS.finditer(text):
        if found[0].strip() not in words.NO_INITIALS:
            yield Problem(ProblemKind.PERSON, found.start(), found.end())


def _may_be_name(word: str) -> bool:
    return word.rstrip(".").casefold() not in words.BEGINNERS


def _is_capitalised(word: str) -> bool:
    letters = word.rstrip(".")
    # All capitals is an abbreviation or a shout, and a shouted name is caught by the list of names.
    return letters[0].isupper() and (len(letters) > 1 and not letters.isupper())


def _begins_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \t'’-–—")
    return not before or before[-1] in _ENDS


def _names_somebody(plain: str, follows: str) -> bool:
    """Tell whether the first word of a sentence is a name, by what follows: another one, or that somebody said so."""
    if plain in words.BEGINNERS:
        return False
    return follows.casefold() in words.SAYING


_ARABIC_WORD: Final = re.compile(r"[\u0621-\u064a\u0671-\u06d3]+\.?")


def _persons_arabic(text: str) -> Iterator[Problem]:
    """Arabic has no capitals: titles, roles and kin before a word, and names that are no other word."""
    tokens = list(_ARABIC_WORD.finditer(text))
    for number, token in enumerate(tokens):
        follows = tokens[number + 1] if number + 1 < len(tokens) else None
        adjacent = follows is not None and not text[token.end() : follows.start()].strip()
        bare = _bare(token[0])
        if bare in words.ARABIC_NAMES:
            yield Problem(ProblemKind.PERSON, token.start(), token.end())
        elif (
            follows is not None
            and adjacent
            and (
                token[0] in words.ARABIC_TITLES
                or token[0] in words.ARABIC_KIN
                or (bare == "عبد" and follows[0].startswith("ال"))
                or (token[0] in words.ARABIC_ROLES and _bare(follows[0]) in words.ARABIC_NAMES)
            )
        ) or (token[0] in {"اسمه", "اسمها", "يدعى", "تدعى", "المدعو"} and follows is not None and adjacent):
            yield Problem(ProblemKind.PERSON, token.start(), follows.end())


def _bare(word: str) -> str:
    """Return a word without what Arabic writes together with it."""
    for prefix in ("", "و", "ل", "ب", "ف", "ك", "ول", "وب"):
        rest = word[len(prefix) :]
        if word.startswith(prefix) and rest in words.ARABIC_NAMES:
            return rest
    return word


_SURNAME: Final = f"(?:欧阳|司马|上官|诸葛|[{''.join(sorted(words.SURNAMES))}])"
_AFTER: Final = r"(?=[说說称稱表反投告向在是和与與及的已被把对對也就因,。、;:!?,.;:!?()()\s]|$)"
_HAN_PERSONS: Final = (
    re.compile(rf"{_SURNAME}[\u4e00-\u9fff]{{0,2}}?(?:{'|'.join(words.CHINESE_TITLES)})"),
    re.compile(rf"(?:{'|'.join(words.CHINESE_ROLES)})[::为是]?{_SURNAME}[\u4e00-\u9fff]{{1,2}}?{_AFTER}"),
    re.compile(rf"(?:翻译|翻譯|组长|組長|班长|厂长|廠長|证人|證人){_SURNAME}[\u4e00-\u9fff]{{1,2}}"),
    re.compile(rf"(?:叫|姓){_SURNAME}[\u4e00-\u9fff]{{0,2}}?{_AFTER}"),
    re.compile(rf"{_SURNAME}某[某\u4e00-\u9fff]?"),
    re.compile(rf"(?<![\u4e00-\u9fff])(?:小|老|阿){_SURNAME}{_AFTER}"),
    re.compile(rf"(?<![\u4e00-\u9fff]){_SURNAME}[\u4e00-\u9fff]{{1,2}}(?=[说說称稱反投告][\u4e00-\u9fff]|、|,|。|$)"),
    re.compile(rf"(?:是|和|与|及|对|向|由|让|被){_SURNAME}[\u4e00-\u9fff]{{1,2}}(?=[说称反投告、,。])"),
)


def _persons_han(text: str) -> Iterator[Problem]:
    """Han: a surname beside a title or a role, or where a name is written."""
    for pattern in _HAN_PERSONS:
        yield from (Problem(ProblemKind.PERSON, m.start(), m.end()) for m in pattern.finditer(text))


_RULES: Final[tuple[Callable[[str], Iterator[Problem]], ...]] = (
    _numbers,
    _documents,
    _contacts,
    _persons_by_case,
    _persons_arabic,
    _persons_han,
)
