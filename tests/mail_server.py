"""A real SMTP server's behaviour: it keeps what comes."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


class Taking:
    """A server's behaviour: it keeps what comes, and refuses one address."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.signed_in = False

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: N802 aiosmtpd names it
        _, _, envelope, address, _ = given
        if address.startswith("gone@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *given: Any) -> str:  # noqa: N802 aiosmtpd names it
        _, session, envelope = given
        self.signed_in = bool(session.authenticated)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"
