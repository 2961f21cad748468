"""The page behind a supplier's link: all that the network sees, and an answer, in six languages without a script."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from comity_node.domain.vocabulary import Language, Page
from comity_node.vocabulary import indicator_in_words, page_words
from comity_node.web.page import STYLE, STYLE_ADDRESS
from comity_node.web.stated import SAYS
from comity_node.web.wording import wanted_language
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.indicators import Indicator
from heard import NOBODY_BLAMED
from html_page import Element, faults, read_page
from link_world import DENIED, Desk, opened, published, tell
from page_browser import Browser, inside

pytestmark = pytest.mark.asyncio(loop_scope="session")
OWN_WORDS = "Workers keep their documents themselves."
REFUSED = "Mr Tan keeps 14 passports."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("page"), 30 * 86_400) as made:
        await tell(made)
        yield made


# --- the way through


async def test_a_supplier_reads_saves_looks_once_more_and_answers_without_a_script(desk: Desk) -> None:
    browser = await inside(desk)
    filled = {"act": "dispute", "code": ["facts-disputed", "wrong-site"], "text": f"{OWN_WORDS}\r\nOn two\x07 lines."}
    page = await browser.post("/supplier/answer", **filled, do="save")
    assert browser.at == "/supplier" and "Your draft is saved" in page.said
    shown = (await browser.known())["draft"]
    assert shown == {
        "act": "dispute",
        "codes": ["wrong-site", "facts-disputed"],
        "text": f"{OWN_WORDS} On two lines.",
    }
    page = await browser.get("/supplier/answer")
    checked = [each.attributes["id"] for each in page.all("input") if "checked" in each.attributes]
    assert checked == ["act-dispute", "code-wrong-site", "code-facts-disputed"]
    assert page.one("textarea").said == f"{OWN_WORDS} On two lines."
    page = await browser.post("/supplier/answer", act="reply", code="facts-disputed", text=OWN_WORDS, do="check")
    assert browser.at == "/supplier/check"
    sending = page.one("div", class_="sending")
    assert sending.one("blockquote").said == OWN_WORDS and sending.one("li").said == "We dispute the facts"
    assert (await browser.known())["words"] == [], "nothing is sent before it is looked at"
    seen = page.one("input", name="seen").attributes["value"]
    page = await browser.post("/supplier/check", seen=seen)
    assert browser.at == "/supplier/sent" and "Your answer is received" in page.said
    (word,) = (await browser.known())["words"]
    assert (word["act"], word["codes"], word["text"], word["late"]) == ("reply", ["facts-disputed"], OWN_WORDS, False)
    assert word["id"] in page.said
    await browser.post("/supplier/check", seen=seen)
    assert browser.at == "/supplier/sent", "sent twice, it is said once"
    assert len((await browser.known())["words"]) == 1


async def test_only_what_was_looked_at_is_sent(desk: Desk) -> None:
    browser = await inside(desk)
    other = await inside(desk, secret=browser.secret)
    page = await browser.post("/supplier/answer", act="dispute", code="remedied", text="", do="check")
    seen = page.one("input", name="seen").attributes["value"]
    await other.post("/supplier/answer", act="dispute", code="wrong-company", text="", do="save")
    before = len((await browser.known())["words"])
    page = await browser.post("/supplier/check", seen=seen)
    assert browser.at == "/supplier/check" and "This is not our company" in page.said
    assert len((await browser.known())["words"]) == before
    await other.post("/supplier/answer", code="wrong-company", text="", do="save")
    page = await browser.post("/supplier/check", seen=seen)
    assert (browser.at, browser.status) == ("/supplier/answer", 200)


async def test_the_page_shows_exactly_what_the_network_would_see_field_by_field(desk: Desk) -> None:
    browser = await inside(desk)
    page = await browser.get("/supplier")
    seen = await browser.known()
    exact = json.loads(page.one("pre").text)
    assert exact.pop("handling") == seen["handling"] and exact == seen["says"]
    labels = [each.said for each in page.all("dt")]
    english = page_words()[Language.ENGLISH].words
    said = [field for field in SAYS if seen["says"].get(field) not in (None, False, [])]
    assert labels == [english[f"field.{field}"] for field in said] + [english["field.handling"]]
    for value in ("Fazenda Exemplo Ltda", "Brazil", "FL07", "Retention of identity documents", "SMETA", "S2: major"):
        assert value in page.said
    unstated = page.one("section", **{"aria-labelledby": "unstated"}).said
    for field in ("site_address", "auditor", "clause", "affected", "sample", "women_share", "commitment"):
        assert english[f"field.{field}"] in unstated
    assert "Canary" not in page.said and desk.house.people["ana"].person.id not in page.said


async def test_no_field_of_a_finding_or_decision_lacks_its_row() -> None:
    assert set(SAYS) == set(Finding.model_fields) | set(Decision.model_fields)


# --- what is wrong is said, and what was typed is kept


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (REFUSED, ["it may name a person", "a number that is no year"]),
        ("我们的员工张伟先生保管护照。", ["it may name a person"]),
        ("শ্রমিকরা তাদের পাসপোর্ট রাখে", ["a script that nobody here could check"]),
        ("Write to desk@supplier.example", ["it looks like an address or contact data"]),
    ],
)
async def test_a_text_that_must_not_leave_is_refused_with_its_places_and_kept(
    desk: Desk, text: str, why: list[str]
) -> None:
    browser = await inside(desk)
    before = (await browser.known())["words"]
    page = await browser.post("/supplier/answer", act="reply", code="remedied", text=text, do="check")
    assert browser.status == 422
    assert "Nothing was sent" in page.one("div", role="alert").said
    area = page.one("textarea")
    assert area.said == text and area.attributes["aria-invalid"] == "true"
    places = page.one("ul", id="text-places").said
    assert all(each in places for each in why)
    assert (await browser.known())["words"] == before
    assert (await browser.get("/supplier/answer")).one("textarea").said == text


async def test_a_text_that_is_too_long_an_answer_without_an_act_or_a_sentence_say_so(desk: Desk) -> None:
    browser = await inside(desk)
    page = await browser.post("/supplier/answer", act="reply", code="remedied", text="w" * 2001, do="check")
    assert browser.status == 422 and "more than 2,000 characters" in page.said
    assert page.one("textarea").said == "w" * 2001
    page = await browser.post("/supplier/answer", text=OWN_WORDS, do="check")
    alert = page.one("div", role="alert")
    assert [each.attributes["href"] for each in alert.all("a")] == ["#act-reply", "#code-wrong-company"]
    assert page.one("textarea").said == OWN_WORDS


async def test_a_wrong_code_opens_nothing_and_says_what_to_do(desk: Desk) -> None:
    browser = Browser(desk)
    for code in ("", "comity_supplier_wrong", "comity_supplier_ünicode", desk.house.people["ana"].token):
        page = await browser.post("/supplier/open", code=code)
        assert browser.status == 422 and "This code is wrong" in page.one("div", role="alert").said
    for path in ("/supplier", "/supplier/answer", "/supplier/check", "/supplier/sent", "/supplier/extend"):
        page = await browser.get(path)
        assert browser.at == "/supplier" and page.one("h1").said == "Open your message"
        assert "Fazenda" not in page.said and "labour" not in page.said.lower()
    nowhere = await browser.get("/supplier/nowhere")
    assert browser.status == 404 and "There is no such page" in nowhere.said


async def test_what_was_typed_while_the_page_was_closed_is_shown_to_be_copied(desk: Desk) -> None:
    made = await desk.link()
    browser = await inside(desk, secret=made["secret"])
    await desk.ask("ben", "DELETE", f"links/{made['id']}")
    page = await browser.post("/supplier/answer", act="reply", code="remedied", text=OWN_WORDS, do="check")
    assert browser.status == 401 and page.one("textarea").said == OWN_WORDS and "Nothing was sent" in page.said
    page = await browser.get("/supplier")
    assert "/supplier" in browser.at and page.one("h1").said == "Open your message"


async def test_a_page_that_was_closed_forgets_the_code(desk: Desk) -> None:
    browser = await inside(desk)
    page = await browser.post("/supplier/close")
    assert "The page is closed on this computer" in page.said
    assert (await browser.get("/supplier")).one("h1").said == "Open your message"


async def test_who_asks_too_often_is_told_to_wait(desk: Desk) -> None:
    browser = await inside(desk)
    answers = [await browser.raw("GET", "/supplier") for _ in range(70)]
    assert (answers[0].status_code, answers[-1].status_code) == (200, 429)
    assert "Wait a minute" in answers[-1].text and int(answers[-1].headers["Retry-After"]) >= 1


# --- by when


async def test_the_time_to_reply_is_extended_once_after_a_look(desk: Desk) -> None:
    browser = await inside(desk)
    page = await browser.get("/supplier/extend")
    assert "You would have until 2026-11-14 12:00 UTC instead" in page.said
    assert (await browser.known())["may_extend"] is True, "asking extends nothing"
    page = await browser.post("/supplier/extend")
    assert "The time to reply is extended. You have until 2026-11-14 12:00 UTC" in page.said
    assert not page.all("a", id="extend")
    await browser.post("/supplier/extend")
    assert browser.status == 409
    page = await browser.get("/supplier/extend")
    assert browser.status == 409 and "You can still reply" in page.said


async def test_a_late_reply_says_so_before_it_is_sent_and_a_dispute_shows_how_it_was_decided(desk: Desk) -> None:
    browser = await inside(desk)
    ends = datetime.fromisoformat((await browser.known())["window_ends"])
    desk.clock.pass_time(days=46)
    try:
        page = await browser.get("/supplier")
        assert f"The time to reply ended on {ends:%Y-%m-%d} 12:00 UTC" in page.said
        page = await browser.post("/supplier/answer", act="reply", code="remedied", text="", do="check")
        assert "it will say that it came late" in page.said
        page = await browser.post("/supplier/answer", act="dispute", code="wrong-site", text="", do="check")
        assert "came late" not in page.said
        page = await browser.post("/supplier/check", seen=page.one("input", name="seen").attributes["value"])
        assert "has to decide by 2026-12-16 12:00 UTC" in page.said
        word = (await browser.known())["words"][-1]["id"]
        assert "To be decided by 2026-12-16 12:00 UTC" in (await browser.get("/supplier")).said
        desk.clock.pass_time(days=31)
        assert "Unanswered since 2026-12-16 12:00 UTC" in (await browser.get("/supplier")).said
        await desk.house.hire("cleo", "reviewer")
        answer = await desk.ask("cleo", "POST", f"replies/{word}/decide", json={"outcome": "partly-upheld"})
        assert answer.status_code == 200, answer.text
        said = (await browser.get("/supplier")).one("section", **{"aria-labelledby": "said"}).said
        assert "The dispute is partly upheld Decided on 2026-12-17 12:00 UTC" in said
    finally:
        desk.clock.pass_time(days=-77)


# --- it ends by itself


async def test_when_the_finding_is_taken_back_the_page_says_so_and_still_shows_what_was_said_and_decided(
    tmp_path: Any,
) -> None:
    async with opened(tmp_path, 1) as desk:
        secret = await tell(desk)
        statement = await published(desk)
        browser = await inside(desk, Language.FRENCH, secret)
        page = await browser.get("/supplier")
        assert "This is published" in page.said and "Cela est publié" in page.said
        said = await desk.through(secret, "POST", "supplier/words", json={**DENIED, "act": "dispute"})
        await desk.house.hire("cleo", "reviewer")
        word = said.json()["words"][0]["id"]
        await desk.ask("cleo", "POST", f"replies/{word}/decide", json={"outcome": "upheld"})
        body = {"statement": statement, "reason": "wrong-subject"}
        review = (await desk.ask("ana", "POST", "withdrawals", json=body)).json()["id"]
        await desk.ask("ben", "POST", f"reviews/{review}/approve")
        for path in ("/supplier", "/supplier/answer", "/supplier/check", "/supplier/extend"):
            page = await browser.get(path)
            assert browser.status == 410 and faults(page) == []
            assert "It was taken back. It is not said of you any more" in page.said and "Cela a été retiré" in page.said
            assert "The dispute is upheld" in page.said, "how it was decided stays to be seen"
        assert "Fazenda" not in page.said


async def test_every_end_of_a_link_has_its_sentence(tmp_path: Any) -> None:
    async with opened(tmp_path, 1) as desk:
        secret = await tell(desk)
        statement = await published(desk)
        browser = await inside(desk, secret=secret)
        made = await desk.ask("ana", "POST", "revisions", json={"statement": statement, "status": "overturned"})
        desk.clock.pass_time(days=1_000)
        assert "Its time is over" in (await browser.get("/supplier")).said
        desk.clock.pass_time(days=-1_000)
        review = made.json()["id"]
        await desk.ask("ana", "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
        await desk.ask("ana", "POST", f"reviews/{review}/notify")
        await published(desk, review)
        assert "It was overturned" in (await browser.get("/supplier")).said and browser.status == 410


# --- nobody else can send a form in its name


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 400),
        ({"Sec-Fetch-Site": "same-site"}, 400),
        ({"Origin": "https://evil.example"}, 400),
        ({"Origin": "null"}, 400),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://node"}, 303),
        ({}, 303),
    ],
)
async def test_a_form_from_another_page_changes_nothing(desk: Desk, headers: dict[str, str], status: int) -> None:
    browser = await inside(desk)
    await browser.post("/supplier/answer", act="reply", code="remedied", text="", do="save")
    forged = {"act": "dispute", "code": "wrong-company", "do": "save"}
    answer = await browser.raw("POST", "/supplier/answer", data=forged, headers=headers)
    assert answer.status_code == status
    draft = (await browser.known())["draft"]
    assert draft["act"] == ("reply" if status == 400 else "dispute")


async def test_a_form_that_is_none_or_too_large_changes_nothing(desk: Desk) -> None:
    browser = await inside(desk)
    for more in (
        {"data": {"text": "w" * 70_000}},
        {"json": {"act": "reply"}},
        {"data": {f"f{number}": "" for number in range(40)}},
    ):
        answer = await browser.raw("POST", "/supplier/answer", **more)
        assert answer.status_code == 400 and "Nothing was changed" in answer.text


async def test_the_code_is_kept_by_the_browser_alone_and_over_tls_only_where_the_node_has_it(desk: Desk) -> None:
    browser, secret = Browser(desk), str((await desk.link())["secret"])
    answer = await browser.raw("POST", "/supplier/open", data={"code": secret})
    (kept,) = answer.headers.get_list("set-cookie")
    assert kept.startswith("comity-code=") and {"HttpOnly", "SameSite=lax", "Path=/"} <= set(kept.split("; "))
    node, before = desk.house.node, desk.house.node.settings
    node.settings = before.model_copy(update={"public_url": "https://comity.agency.example"})
    try:
        answer = await browser.raw("POST", "/supplier/open", data={"code": secret})
        (kept,) = answer.headers.get_list("set-cookie")
        assert kept.startswith("__Host-comity-code=") and "Secure" in kept.split("; ")
        headers = {"Origin": "https://comity.agency.example"}
        answer = await browser.raw("POST", "/supplier/close", data={"any": ""}, headers=headers)
        assert answer.status_code == 303, "a proxy stands before the node under its public name"
    finally:
        node.settings = before
    assert secret not in (await browser.raw("GET", "/supplier")).text
    # The cookie opens the page only: the API asks for the code itself.
    assert (await browser.raw("GET", "/api/v1/supplier")).status_code == 401


# --- every page in every language


async def _pages(browser: Browser) -> list[tuple[str, Element]]:
    """Every page that a supplier comes by, those about mistakes too."""
    found = [("shown", await browser.get("/supplier"))]
    found.append(("answer", await browser.post("/supplier/answer", do="check")))
    found.append(("refused", await browser.post("/supplier/answer", act="reply", code="remedied", text=REFUSED)))
    found.append(("check", await browser.post("/supplier/answer", act="reply", code="remedied", text=OWN_WORDS)))
    found.append(("sent", await browser.get("/supplier/sent")))
    found.append(("extend", await browser.get("/supplier/extend")))
    found.append(("missing", await browser.get("/supplier/nowhere")))
    found.append(("code", await browser.post("/supplier/close")))
    found.append(("wrong code", await browser.post("/supplier/open", code="wrong")))
    return found


@pytest.mark.parametrize("language", Language)
async def test_every_page_is_whole_in_every_language_with_the_english_leading(desk: Desk, language: Language) -> None:
    browser = await inside(desk, language)
    for name, page in await _pages(browser):
        assert faults(page) == [], name
        html = page.one("html")
        tag = "zh-Hans" if language is Language.CHINESE else language.value
        assert (html.attributes["lang"], html.attributes["dir"]) == (tag, "rtl" if tag == "ar" else "ltr"), name
        originals, others = page.all("span", class_="original"), page.all("span", class_="beside")
        if language is Language.ENGLISH:
            assert not originals and not others and not page.all("p", class_="mark")
            continue
        assert len(originals) == len(others) > 3 and page.one("p", class_="mark").said, name
        for original, other in zip(originals, others, strict=True):
            assert (original.attributes["lang"], original.attributes["dir"]) == ("en", "ltr")
            assert (other.attributes["lang"], other.attributes["dir"]) == (tag, html.attributes["dir"])
            assert original.parent is other.parent and other.parent is not None
            beside = [part for part in other.parent.parts if isinstance(part, Element)]
            assert beside.index(original) < beside.index(other), "the English original leads"
            assert original.said and other.said
        said, means = indicator_in_words(Indicator("FL07"), language, Page.REPLY)
        if name == "shown":
            assert said.original in page.said and str(said.beside) in page.said and str(means.beside) in page.said


async def test_a_reader_changes_the_language_and_keeps_it(desk: Desk) -> None:
    browser = await inside(desk)
    page = await browser.get("/supplier")
    links = page.one("nav").all("a")
    assert [link.said for link in links] == ["العربية", "中文", "English", "Français", "Русский", "Español"]
    page = await browser.get(links[0].attributes["href"])
    assert page.one("html").attributes["dir"] == "rtl"
    assert (await browser.get("/supplier/answer")).one("html").attributes["lang"] == "ar"


@pytest.mark.parametrize(
    ("chosen", "kept", "accepted", "wanted"),
    [
        ("fr", "ru", "es", "fr"),
        ("xx", "ru", "es", "ru"),
        (None, None, "de, zh-CN;q=0.5, ar;q=0.9", "ar"),
        (None, None, "en;q=0, fr;q=x, es-419", "es"),
        (None, "", None, "en"),
    ],
)
async def test_the_language_is_what_was_chosen_kept_or_accepted(
    chosen: str | None, kept: str | None, accepted: str | None, wanted: str
) -> None:
    assert wanted_language(chosen, kept, accepted) == wanted


async def test_a_page_loads_its_own_style_and_nothing_else(desk: Desk) -> None:
    browser = await inside(desk)
    answer = await browser.raw("GET", "/supplier")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'") and "unsafe" not in policy
    assert len(answer.headers.get_list("content-security-policy")) == 1
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    page = read_page(answer.text)
    assert [each.attributes["href"] for each in page.all("link")] == [STYLE_ADDRESS]
    style = await browser.raw("GET", STYLE_ADDRESS)
    assert style.content == STYLE and "immutable" in style.headers["cache-control"]
    assert style.headers["content-type"].startswith("text/css")
    whole = len(answer.content) + len(style.content)
    assert whole < 40_000, "a phone on a slow line waits for it"
