"""A mail to a supplier's contact: that something awaits it, with its personal code, and nothing of what.

The address comes from the list of vendors' contacts or from the reviewer with each sending; it is logged nowhere, and
neither is the code. What goes wrong is said so that the reviewer hands the code on instead.
"""

import asyncio
import contextlib
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import ClassVar, Literal

from comity_node.domain.vocabulary import Language, Page, Translated, worded
from comity_node.vocabulary import mail_texts
from comity_schemas.errors import ComityError

_WITHIN_S = 20.0
"""For the whole of one exchange with the server there are two of these at most: connecting, and each answer."""


class MailNotSent(ComityError):
    """The mail did not leave; the text says why and what to do, and names no address."""

    code: ClassVar[str] = "mail.not-sent"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes the node's mail; under `public_url` the node is reached from outside."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    sender: str
    public_url: str
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None


def compose(sender: str, to: str, member: str, address: str, code: str, language: Language) -> EmailMessage:
    """Return the mail: the English original first, beside it the translation, marked until a person has reviewed it."""
    original, other = mail_texts(Language.ENGLISH), mail_texts(language)
    given = {"member": member, "address": address, "code": code}
    parts = []
    if language is Language.ENGLISH:
        parts = [original.body, original.care]
    else:
        reviewed = None if other.reviewed == "no" else other.reviewed
        beside = [Translated(text, language, reviewed) for text in (other.body, other.care)]
        pairs = zip((original.body, original.care), beside, strict=True)
        shown = [worded(english, translated, Page.REPLY) for english, translated in pairs]
        marks = [] if reviewed else [other.machine_written]
        parts = [*(each.leads for each in shown), "* * *", *(each.beside or "" for each in shown), *marks]
    message = EmailMessage(policy=SMTP)
    message["Subject"] = original.subject.format(**given)
    message["From"], message["To"], message["Date"] = sender, to, formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n\n".join(part.format(**given) for part in parts) + "\n")
    return message


def supplier_page(public_url: str) -> str:
    """Return where a supplier opens its code, under the node's public address."""
    return f"{public_url.rstrip('/')}/supplier"


async def send_code(server: MailServer | None, to: str, member: str, code: str, language: Language) -> None:
    """Mail a supplier's code.

    Raises:
        MailNotSent: nothing left, or nobody knows; with what to do.
    """
    if server is None:
        raise MailNotSent(f"this node sends no mail: mail_host, mail_from and public_url are not set; {_INSTEAD}")
    await send(server, compose(server.sender, to, member, supplier_page(server.public_url), code, language))


async def send(server: MailServer, message: EmailMessage, instead: str | None = None) -> None:
    """Give a mail to the server.

    Args:
        server: Who takes it.
        message: What is sent.
        instead: What to do when it does not leave; for a supplier's code unless it is given.

    Raises:
        MailNotSent: nothing left, or nobody knows; with what to do.
    """
    await asyncio.to_thread(_send, server, message, instead or _INSTEAD)


def _send(server: MailServer, message: EmailMessage, instead: str) -> None:
    try:
        trusted = ssl.create_default_context(cafile=None if server.ca_file is None else str(server.ca_file))
        with contextlib.closing(_connected(server, trusted)) as smtp:
            if server.tls == "starttls":
                smtp.starttls(context=trusted)
            if server.username is not None and server.password_file is not None:
                smtp.login(server.username, server.password_file.read_text("utf-8").strip())
            smtp.send_message(message)
            # It has been taken: how the server says goodbye changes nothing, and must not have it sent again.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
    except smtplib.SMTPRecipientsRefused as error:
        raise MailNotSent(f"the mail server does not take this address; {instead}") from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailNotSent(f"the mail server refuses mail_username and mail_password_file; {instead}") from error
    except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise MailNotSent(f"the mail server offers no TLS that this node trusts; {instead}") from error
    except smtplib.SMTPResponseException as error:
        raise MailNotSent(f"the mail server answers {error.smtp_code}; {instead}") from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise MailNotSent(f"the mail server does not answer as one; {instead}") from error


def _connected(server: MailServer, trusted: ssl.SSLContext) -> smtplib.SMTP:
    if server.tls == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=_WITHIN_S, context=trusted)
    return smtplib.SMTP(server.host, server.port, timeout=_WITHIN_S)


_INSTEAD = "hand the code on yourself, as you would a letter"
