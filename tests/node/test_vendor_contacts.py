"""A list of vendors' contacts: used for one code at a time, told to nobody, gone when it is replaced or too old."""

import io
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from openpyxl import Workbook

from api_world import MEDIA_TYPE, Office, furnish, vendors
from broker_world import free_ports
from comity_node.db.keys import KeyGone
from comity_node.domain.tables.table import TableRefused
from comity_node.domain.vendor_contacts import (
    ContactsRefused,
    FoundBy,
    NoContact,
    VendorContact,
    find_contact,
    of_parsed,
    read_contacts,
    require_certain,
    to_parsed,
)
from comity_node.domain.vocabulary import Language
from comity_node.services.operating.retention import expire
from comity_schemas.identifiers import Identifier
from heard import NOBODY_BLAMED
from mail_server import Taking
from node_world import Clock, Town, audit_report

CNPJ = Identifier.of("BR-CNPJ", "11222333000181")
LEI = Identifier.of("XI-LEI", "ZZZZ00EXEMPLARGL0170")
MILL = VendorContact("Mill Ltd", "desk@mill.example", LEI, Language.FRENCH)


def book(*rows: list[Any]) -> bytes:
    made = Workbook()
    for row in rows:
        made.worksheets[0].append(row)
    written = io.BytesIO()
    made.save(written)
    return written.getvalue()


# --- the file


def test_a_csv_and_a_workbook_give_the_same_and_what_is_not_needed_is_named_and_not_kept() -> None:
    rows = [
        ["Vendor", "Mail", "Contact person", "identifier_scheme", "Identifier", "Language"],
        ["Mill Ltd", "desk@mill.example", "Canary Person", "XI-LEI", LEI.id, "FR"],
        ["示例织造", "a@b.example", "", "", "", ""],
    ]
    text = "\n".join(";".join(row) for row in rows).encode("utf-8-sig")
    found = [read_contacts(raw) for raw in (text, book(*rows))]
    assert found[0] == found[1] == ([MILL, VendorContact("示例织造", "a@b.example")], ["Contact person"])
    assert [of_parsed(to_parsed(contact)) for contact in found[0][0]] == found[0][0]
    assert "Canary" not in str([to_parsed(contact) for contact in found[0][0]])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"vendor,phone\nMill,1\n", "missing: mail"),
        (b"vendor,mail\n", "no vendor stands below"),
        (b"vendor,mail\nMill,not an address\n,a@b.example\n", "2 cells do not fit"),
        (b'vendor,mail\nMill,"a@b.example\nBcc: c@d.example"\n', "row 2, mail"),
        (b"vendor,mail,language\nMill,a@b.example,de\n", "row 2, language: write one of: ar, zh"),
        (b"vendor,mail,identifier\nMill,a@b.example,123\n", "row 2, identifier"),
        (b"vendor,mail\n" + b"Mill,a@b.example\n" * 5001, "at most 5000 vendors"),
        (b"x" * (2 * 1024 * 1024 + 1), "at most 2097152"),
        (book(["vendor", "mail"], ["=1+1", "a@b.example"]), "row 2, vendor: a formula"),
        (b"PK\x03\x04 damaged", "not an XLSX workbook"),
    ],
)
def test_a_file_is_taken_whole_or_refused_by_row_and_column_without_its_content(raw: bytes, said: str) -> None:
    with pytest.raises((ContactsRefused, TableRefused), match=said) as refused:
        read_contacts(raw)
    assert "not an address" not in str(refused.value) and "b.example" not in str(refused.value)


def test_a_name_with_the_blanks_of_its_script_is_taken() -> None:
    found, _ = read_contacts("vendor,mail\n株式会社\u3000例示,a@b.example\n".encode())
    assert [contact.vendor for contact in found] == ["株式会社\u3000例示"]


# --- who it is


def test_only_a_number_that_both_name_finds_a_vendor_for_certain() -> None:
    others = [VendorContact("Other", "o@o.example"), VendorContact("MILL LTD", "x@x.example", CNPJ)]
    assert find_contact([*others, MILL], ["Another Name"], [LEI]) == [(MILL, FoundBy.IDENTIFIER)]
    assert require_certain([(MILL, FoundBy.IDENTIFIER)] * 2) == MILL
    by_name = find_contact([*others, MILL], ["Mill Ltd."], [])
    assert [contact for contact, _ in by_name] == [others[1], MILL]
    assert {by for _, by in by_name} == {FoundBy.NAME}
    with pytest.raises(NoContact, match="no number that both name"):
        require_certain(by_name)
    with pytest.raises(NoContact, match="has none of this supplier"):
        require_certain([])
    twice = [(MILL, FoundBy.IDENTIFIER), (VendorContact("Mill", "other@mill.example", LEI), FoundBy.IDENTIFIER)]
    with pytest.raises(NoContact, match="several addresses"):
        require_certain(twice)


def test_an_equal_name_with_another_number_of_the_same_register_is_somebody_else() -> None:
    other = Identifier.of("BR-CNPJ", "00000000000191")
    assert find_contact([VendorContact("Mill Ltd", "x@x.example", CNPJ)], ["Mill Ltd"], [other]) == []
    assert find_contact([VendorContact("Mill Ltd", "x@x.example", CNPJ)], ["Mill Ltd"], [LEI])[0][1] is FoundBy.NAME


# --- at a node


@pytest.fixture(scope="module")
def server() -> Iterator[Controller]:
    controller = Controller(Taking(), hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    yield controller
    controller.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory, server: Controller) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("vendors"))
    made = await furnish(town)
    given = {"mail_host": "127.0.0.1", "mail_port": server.port, "mail_tls": "none"}
    given |= {"mail_from": "suppliers@agency.example", "public_url": "https://comity.agency.example/"}
    made.house.node.settings = made.house.node.settings.model_copy(update=given)
    yield made
    await town.close()


async def told_of(office: Office) -> str:
    """A proposal about the mill, whose supplier was told."""
    mill = {"type": "supplier", "names": [{"text": "Mill Ltd"}], "identifiers": [LEI.to_parsed()], "country": "BR"}
    signed = office.town.signed(audit_report({}, ref=uuid.uuid4().hex, party=mill))
    report = (await office.made("auditor", "POST", "reports", content=signed, headers=MEDIA_TYPE))["id"]
    body = {"report": report, "observation": "O1"}
    review = str((await office.made("reviewer 2", "POST", "reviews", json=body))["id"])
    await office.made("reviewer", "POST", f"reviews/{review}/check", json=NOBODY_BLAMED)
    await office.made("reviewer", "POST", f"reviews/{review}/notify")
    return review


async def test_the_code_goes_to_the_contact_on_file_in_its_language_and_its_address_stands_nowhere_else(
    office: Office, server: Controller, caplog: pytest.LogCaptureFixture
) -> None:
    review = await told_of(office)
    headings = "vendor,mail,identifier_scheme,identifier,language"
    table = f"{headings}\nX,canary@vendor.example,{LEI.scheme},{LEI.id},es"
    made = await office.made("reviewer", "POST", "vendor-contacts", json=vendors(table))
    assert (made["vendors"], made["unread"]) == (1, []) and "canary" not in str(made)
    sent = await office.made("reviewer", "POST", f"reviews/{review}/link", json={"contact_on_file": True})
    assert (sent["mailed"], sent["secret"]) == (True, None)
    mail = server.handler.mails[-1]
    assert mail["To"] == "canary@vendor.example" and "Algo requiere su atención" in mail.get_content()
    assert "https://comity.agency.example/supplier with" in mail.get_content()
    found = await office.made("reviewer", "GET", f"vendor-contacts/{review}")
    assert [(each["mail"], each["found_by"]) for each in found["contacts"]] == [("canary@vendor.example", "identifier")]
    dump = (office.house.home / "node.db").read_bytes() + (office.house.home / "node.db-wal").read_bytes()
    trail = (await office.ask("admin", "GET", "trail?limit=50")).text
    assert "vendor-contacts.taken-in" in trail and "vendor-contact.read" in trail
    assert b"canary@vendor" not in dump and "canary@vendor" not in trail + caplog.text


async def test_an_equal_name_mails_nothing_and_makes_no_link_until_a_person_has_looked(office: Office) -> None:
    review = await told_of(office)
    await office.made("reviewer", "POST", "vendor-contacts", json=vendors("vendor,mail\nMILL LTD.,a@b.example"))
    refused = await office.ask("reviewer", "POST", f"reviews/{review}/link", json={"contact_on_file": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "vendor-contacts.none")
    trail = (await office.ask("admin", "GET", "trail?limit=3")).json()["items"]
    assert not [e for e in trail if e["event"] == "link.made" and review in e["detail"]]
    found = await office.made("reviewer", "GET", f"vendor-contacts/{review}")
    assert [each["found_by"] for each in found["contacts"]] == ["name"]
    for wrong in ({}, {"contact_on_file": True, "mail_to": "a@b.example"}):
        answer = await office.ask("reviewer", "POST", f"reviews/{review}/link", json=wrong)
        assert answer.status_code == 422


async def test_what_is_replaced_deleted_or_too_old_can_be_read_by_nobody(office: Office) -> None:
    node = office.house.node
    await office.made("reviewer", "POST", "vendor-contacts", json=vendors("vendor,mail\nMill,a@b.example"))
    async with node.database.read() as store:
        row = await store.vendor_contacts._row()
        assert row is not None
        first = (row.key, row.content, row.id)
        assert b"b.example" in store.vendor_contacts._seals.open(*first)
    await office.made("reviewer", "POST", "vendor-contacts", json=vendors("vendor,mail\nMill,c@d.example"))
    async with node.database.read() as store:
        assert b"d.example" in (await store.vendor_contacts.content() or b"")
        with pytest.raises(KeyGone):
            store.vendor_contacts._seals.open(*first)
    clock = Clock(node.clock())
    clock.pass_time(days=360)
    await expire(node.database, node.vault, 84, clock())
    assert (await office.ask("reviewer", "GET", "vendor-contacts")).status_code == 200
    clock.pass_time(days=10)
    await expire(node.database, node.vault, 84, clock())
    assert (await office.ask("reviewer", "GET", "vendor-contacts")).status_code == 404
    assert (await office.ask("reviewer", "DELETE", "vendor-contacts")).status_code == 404
    review = await told_of(office)
    none = await office.ask("reviewer", "POST", f"reviews/{review}/link", json={"contact_on_file": True})
    assert none.json()["code"] == "vendor-contacts.none"
    await office.made("reviewer", "POST", "vendor-contacts", json=vendors("vendor,mail\nMill,a@b.example"))
    assert (await office.ask("reviewer", "DELETE", "vendor-contacts")).status_code == 204
    async with node.database.read() as store:
        assert await store.vendor_contacts.find() is None
