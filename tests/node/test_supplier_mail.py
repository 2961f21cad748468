"""A supplier's code by mail: to a real SMTP server, with TLS, without an accusation, an address in no log."""

import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api_world import Office, furnish
from broker_world import free_ports
from comity_node.domain.vocabulary import Language
from comity_node.services.review.mail import MailNotSent, MailServer, compose, send
from comity_node.wiring.settings import SettingsRefused, read_settings
from mail_server import Taking
from node_world import Town

TO = "vendor.desk@supplier.example"
URL = "https://comity.agency.example"
MAIL = {"mail_from": "suppliers@agency.example", "public_url": URL}


@pytest.fixture(scope="module")
def plain() -> Iterator[Controller]:
    controller = Controller(Taking(), hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    yield controller
    controller.stop()


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory, plain: Controller) -> AsyncIterator[Office]:
    town = Town(tmp_path_factory.mktemp("mail"))
    made = await furnish(town)
    given = {**MAIL, "mail_host": "127.0.0.1", "mail_port": plain.port, "mail_tls": "none"}
    made.house.node.settings = made.house.node.settings.model_copy(update=given)
    yield made
    await town.close()


async def test_a_code_is_mailed_opens_the_link_and_stands_in_no_log_answer_or_database(
    office: Office, plain: Controller, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    review = await office.heard("reviewer 2")
    body = {"mail_to": TO, "language": "fr"}
    made = await office.made("reviewer", "POST", f"reviews/{review}/link", json=body)
    assert (made["secret"], made["mailed"], made["not_mailed"]) == (None, True, None)
    (mail,) = plain.handler.mails
    assert (mail["To"], mail["From"], mail["Auto-Submitted"]) == (TO, MAIL["mail_from"], "auto-generated")
    text = mail.get_content()
    code = next(word for word in text.split() if word.startswith("comity_supplier_"))
    shown = await office.ask(None, "GET", "supplier", headers={"Authorization": f"Bearer {code}"})
    assert shown.status_code == 200
    english, french = text.split("* * *")
    assert english.startswith("Something awaits your attention at") and code in french and URL in english
    assert "Traduit par une machine, pas encore relu" in french
    said = (str(mail["Subject"]) + text).lower()
    assert not [word for word in ("labour", "finding", "audit", "forced", "report", "fazenda") if word in said]
    dump = (office.house.home / "node.db").read_bytes() + (office.house.home / "node.db-wal").read_bytes()
    told = caplog.text + "".join(capfd.readouterr())
    trail = (await office.ask("admin", "GET", "trail?limit=20")).text
    assert '"link.mailed"' in trail
    for secret in (code, TO, "vendor.desk"):
        assert secret not in told + trail and secret.encode() not in dump


@pytest.mark.parametrize(
    ("changes", "to", "why"),
    [
        ({}, "gone@supplier.example", "does not take this address"),
        ({"mail_tls": "starttls"}, TO, "offers no TLS"),
        ({"mail_port": 1}, TO, "does not answer"),
        ({"mail_host": None}, TO, "sends no mail"),
    ],
)
async def test_what_goes_wrong_is_said_and_the_reviewer_hands_the_code_on(
    office: Office, changes: dict[str, Any], to: str, why: str
) -> None:
    node, before = office.house.node, office.house.node.settings
    review = await office.heard("reviewer 2")
    node.settings = before.model_copy(update=changes)
    try:
        made = await office.made("reviewer", "POST", f"reviews/{review}/link", json={"mail_to": to})
    finally:
        node.settings = before
    assert why in made["not_mailed"] and "hand the code on yourself" in made["not_mailed"]
    assert to not in made["not_mailed"]
    shown = await office.ask(None, "GET", "supplier", headers={"Authorization": f"Bearer {made['secret']}"})
    assert shown.status_code == 200


async def test_three_mails_of_one_proposal_are_enough_and_an_address_smuggles_nothing(office: Office) -> None:
    review = await office.heard("reviewer 2")
    for wrong in ("a@b.example\nBcc: c@d.example", "a@b.example,c@d.example", "no address", "a@b.example>"):
        answer = await office.ask("reviewer", "POST", f"reviews/{review}/link", json={"mail_to": wrong})
        assert answer.status_code == 422 and wrong not in answer.text
    answers = [await office.ask("reviewer", "POST", f"reviews/{review}/link", json={"mail_to": TO}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert int(answers[-1].headers["Retry-After"]) > 60


@pytest.mark.parametrize("language", Language)
def test_every_language_says_that_something_awaits_beside_the_english(language: Language) -> None:
    mail = compose("a@agency.example", TO, "Agency", URL, "comity_supplier_X", language)
    text = mail.get_content()
    assert text.startswith("Something awaits your attention at Agency.")
    assert text.count("comity_supplier_X") == text.count(URL) == (1 if language is Language.ENGLISH else 2)
    assert "{" not in text + str(mail["Subject"])


def test_mail_without_tls_leaves_no_machine_and_settings_that_lack_something_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    base = 'member = "agency"\ndatabase = "sqlite+aiosqlite:///x"\nbus = "local:x"\nregistry = "x"\n'
    whole = f'mail_host = "mail.example"\nmail_from = "a@b.example"\npublic_url = "{URL}"\n'
    wrong = {
        'mail_host = "mail.example"': "needs mail_from and public_url",
        f'{whole}mail_tls = "none"': "on this machine",
        'mail_from = "a b"': "mail_from",
    }
    for text, why in wrong.items():
        file.write_text(f"{base}{text}\n")
        with pytest.raises(SettingsRefused, match=why):
            read_settings(file)
    file.write_text(base + whole)
    assert read_settings(file).mail_server is not None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that only who has its file trusts, and its key."""
    place = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (place / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "key.pem").write_bytes(key.private_bytes(*encoding))
    return place / "cert.pem", place / "key.pem"


async def test_a_mail_that_was_taken_is_sent_however_the_server_says_goodbye() -> None:
    class Rude(Taking):
        async def handle_QUIT(self, *_: Any) -> str:  # noqa: N802 aiosmtpd names it
            return "451 not now"

    controller = Controller(Rude(), hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    mail = compose("a@agency.example", TO, "Agency", URL, "comity_supplier_X", Language.ARABIC)
    try:
        await send(MailServer("127.0.0.1", controller.port, "none", "a@agency.example", URL), mail)
    finally:
        controller.stop()
    assert len(controller.handler.mails) == 1


async def test_with_starttls_the_node_signs_in_only_over_a_certificate_that_it_trusts(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, certificate))

    def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword) -> AuthResult:
        is_right = given.password == b"a password"
        return AuthResult(success=is_right, handled=is_right)

    taking = Taking()
    controller = Controller(
        taking,
        hostname="127.0.0.1",
        port=free_ports(1)[0],
        tls_context=context,
        require_starttls=True,
        authenticator=known,
    )
    controller.start()
    password = tmp_path / "password"
    mail = compose("a@agency.example", TO, "Agency", URL, "comity_supplier_X", Language.ARABIC)
    try:
        place = ("127.0.0.1", controller.port, "starttls", "a@agency.example", URL, "node", password)
        password.write_text("a password\n")
        await send(MailServer(*place, certificate[0]), mail)  # type: ignore[arg-type]
        assert taking.signed_in and len(taking.mails) == 1
        with pytest.raises(MailNotSent, match="no TLS that this node trusts"):
            await send(MailServer(*place), mail)  # type: ignore[arg-type]
        password.write_text("another")
        with pytest.raises(MailNotSent, match="refuses mail_username"):
            await send(MailServer(*place, certificate[0]), mail)  # type: ignore[arg-type]
    finally:
        controller.stop()
    assert len(taking.mails) == 1
