"""What a supplier sees and says through its personal link, and who makes and revokes it."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, model_validator

from comity_node.api.bodies import Body, Id, Unfit
from comity_node.api.contract import refuses
from comity_node.api.once import Onced
from comity_node.api.replies import Codes, Text, WordOut, describe_word
from comity_node.api.vocabulary import AnswerOut, AnswersOut
from comity_node.auth import Releaser, ThisNode, link_holder
from comity_node.db import Store
from comity_node.domain.errors import NotSignedIn
from comity_node.domain.trail import Event
from comity_node.domain.vendor_contacts import MAIL_ADDRESS, require_certain
from comity_node.domain.vocabulary import Language
from comity_node.services.peers.limits import Limits
from comity_node.services.review import mail, supplier_links, vendor_contacts
from comity_node.vocabulary import describe_answers
from comity_node.wiring import Node
from comity_schemas.reply import ReplyAct

router = APIRouter(tags=["supplier"])

_link = HTTPBearer(auto_error=False, description="The secret of a supplier's personal link")


async def _secret(
    request: Request, node: ThisNode, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_link)]
) -> str:
    """Return the secret of a link that is good now, if its supplier has not asked too much."""
    if credentials is None:
        raise NotSignedIn("this needs the secret of your link: `Authorization: Bearer ...`")
    await link_holder(request, node, credentials.credentials)
    return credentials.credentials


Secret = Annotated[str, Depends(_secret)]


class LinkIn(Body):
    """To whom the node mails the link's secret: that something awaits it, and nothing of what."""

    mail_to: Annotated[str, Field(pattern=MAIL_ADDRESS, max_length=254)] | None = None
    contact_on_file: bool = False
    """To the contact in the list of vendors' contacts, where a number that both name tells who it is."""
    language: Annotated[Language, Field(strict=False)] | None = None
    """A translation beside the English original; the one on file, or none, where it is not said."""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.mail_to is None) != self.contact_on_file:
            raise Unfit("give an address or take the contact on file")
        return self


class LinkOut(BaseModel):
    """A new link. Its secret is shown this once, and not where it was mailed."""

    id: str
    review: str
    secret: str | None
    mailed: bool
    not_mailed: str | None
    """Why it did not leave, and what to do."""


class DraftBody(Body):
    """What a supplier has begun to say."""

    act: ReplyAct = ReplyAct.REPLY
    codes: Codes | None = None
    text: Text | None = None


class SayIn(Body):
    """What a supplier says."""

    act: ReplyAct
    codes: Codes
    text: Text | None = None


class SupplierOut(BaseModel):
    """Exactly what the network sees, or would see, of you, and what you said."""

    statement: str | None
    state: str
    says: dict[str, Any]
    handling: dict[str, Any]
    stage: str
    in_words: str
    window_ends: datetime | None
    may_extend: bool
    words: list[WordOut]
    draft: dict[str, Any] | None


@router.post("/reviews/{review_id}/link", status_code=201, responses=refuses(403, 404, 409, 410, 422, 429))
async def make_link(
    review_id: Id, person: Releaser, node: ThisNode, request: Request, body: LinkIn | None = None
) -> LinkOut:
    """Make a personal link for the supplier, once it was told: hand its secret on, or let the node mail it.

    The address is one that you give, or the one in the list of vendors' contacts. The node keeps no secret.
    """
    server, member = node.settings.mail_server, ""
    if body is not None:
        limits: Limits = request.app.state.mail_limits
        limits.take_one(review_id)
        member = node.own_member(await node.registry()).names[0]
    async with node.database.write() as store:
        # First of all: who may not make one learns nothing of who is on the list.
        link_id, secret = await supplier_links.make_link(store, person, review_id, node.clock())
        to, language = (None, None) if body is None else (body.mail_to, body.language)
        if body is not None and to is None:
            contact = require_certain(await vendor_contacts.find(store, review_id))
            to, language = contact.mail, language or contact.language
    if to is None:
        return LinkOut(id=link_id, review=review_id, secret=secret, mailed=False, not_mailed=None)
    not_mailed = None
    try:
        await mail.send_code(server, to, member, secret, language or Language.ENGLISH)
    except mail.MailNotSent as error:
        not_mailed = str(error)
    async with node.database.write() as store:
        await store.trail.add(node.clock(), person.id, Event.LINK_MAILED, link_id, sent=not_mailed is None)
    # Whoever need not hand it on need not have it.
    shown = secret if not_mailed else None
    return LinkOut(id=link_id, review=review_id, secret=shown, mailed=not_mailed is None, not_mailed=not_mailed)


@router.delete("/links/{link_id}", status_code=204, responses=refuses(403, 404))
async def revoke_link(link_id: Id, person: Releaser, node: ThisNode, once: Onced) -> Response:
    """Revoke a link at once."""

    async def revoke(store: Store) -> None:
        await supplier_links.revoke_link(store, person, link_id, node.clock())

    await once.write(revoke)
    return Response(status_code=204)


@router.get("/supplier", responses=refuses(410, 429))
async def show_to_supplier(secret: Secret, node: ThisNode) -> SupplierOut:
    """What you see through your link. Opening it uses nothing up."""
    async with node.database.read() as store:
        return await _show(store, secret, node)


@router.get("/supplier/vocabulary", responses=refuses(422, 429))
async def list_own_answers(secret: Secret, language: Language = Language.ENGLISH) -> AnswersOut:
    """The codes that you can answer with, and those that are decided, in words of your language beside the English."""
    return AnswersOut(answers=[AnswerOut.model_validate(each) for each in describe_answers(language)])


@router.put("/supplier/draft", responses=refuses(410, 422, 429))
async def save_draft(body: DraftBody, secret: Secret, node: ThisNode) -> SupplierOut:
    """Keep what you have begun to say. Nobody at the node is shown it."""
    async with node.database.write() as store:
        link = await supplier_links.open_link(store, secret)
        await supplier_links.save_draft(store, link, body.model_dump(mode="json"))
        return await _show(store, secret, node)


@router.post("/supplier/extension", responses=refuses(410, 422, 429))
async def extend_window(secret: Secret, node: ThisNode) -> SupplierOut:
    """Extend your reply window, once and while it runs."""
    async with node.database.write() as store:
        link = await supplier_links.open_link(store, secret)
        await supplier_links.extend_window(store, link, node.settings.windows, node.clock())
        return await _show(store, secret, node)


@router.post("/supplier/words", status_code=201, responses=refuses(404, 410, 429))
async def say(body: SayIn, secret: Secret, node: ThisNode) -> SupplierOut:
    """Reply or dispute. A late reply is taken and says that it is late; a dispute may come at any time."""
    async with node.database.write() as store:
        link = await supplier_links.open_link(store, secret)
        await supplier_links.say(store, link, body.act, body.codes, body.text, node.clock())
        return await _show(store, secret, node)


async def _show(store: Store, secret: str, node: Node) -> SupplierOut:
    now = node.clock()
    shown = await supplier_links.show(store, await supplier_links.open_link(store, secret), now)
    process = shown.clock.process
    return SupplierOut(
        statement=shown.statement,
        state=shown.state,
        says=shown.says,
        handling=shown.handling,
        stage=shown.clock.stage,
        in_words=shown.clock.in_words,
        window_ends=None if process is None else process.window_ends,
        may_extend=shown.may_extend,
        words=[_without_people(describe_word(word, node), node) for word in shown.words],
        draft=shown.draft,
    )


def _without_people(word: WordOut, node: Node) -> WordOut:
    """Return what was said as its supplier may see it: that somebody here wrote it down, and not who."""
    return word if word.entered_by is None else word.model_copy(update={"entered_by": node.settings.member})
