"""Who is asking, by the dependencies themselves: how a token may be sent, whose it is, which role opens, in which words
anybody else is turned away.
"""

import pytest
from fastapi.security import HTTPAuthorizationCredentials
from starlette.requests import Request

from api_place import Place
from comity_federation.keys import load_signing_pair, new_signing_pair
from comity_federation.peer_tokens import sign_peer_token
from comity_node.auth.peers import calling_member
from comity_node.auth.people import current_person, metrics_reader, person_with, reconciling_officer
from comity_node.domain.errors import NotAllowed, NotSignedIn, TooManyRequests
from comity_node.domain.people import Person, PersonRole
from comity_node.services.peers.limits import Limits

NO_TOKEN = "this needs a token: `Authorization: Bearer ...`"
WRONG = "this token is wrong, expired or revoked"
METRICS_TOKEN = "a-token-of-the-monitoring-system"


def request(header: str | None = None) -> Request:
    headers = [] if header is None else [(b"authorization", header.encode())]
    return Request({"type": "http", "headers": headers})


def bearer(token: str) -> HTTPAuthorizationCredentials:
    return HTTPAuthorizationCredentials(scheme="Bearer", credentials=token)


async def test_a_bearer_token_tells_whose_it_is(place: Place) -> None:
    node = place.house.node
    for actor in (place.officer, place.auditor):
        assert await current_person(request(), node, bearer(actor.token)) == actor.person


@pytest.mark.parametrize("form", ["ApiKey {}", "apikey {}", "APIKEY {}", "ApiKey   {}  "])
async def test_a_client_of_yentes_sends_it_after_another_word_in_whatever_case(place: Place, form: str) -> None:
    header = form.format(place.officer.token)
    assert await current_person(request(header), place.house.node, None) == place.officer.person
    assert await reconciling_officer(request(header), place.house.node, None) == place.officer.person


@pytest.mark.parametrize("form", [None, "", "ApiKey", "ApiKey ", "{}", "Basic {}", "xApiKey {}", "Api Key {}"])
async def test_whoever_sends_it_otherwise_sends_none(place: Place, form: str | None) -> None:
    header = None if form is None else form.format(place.officer.token)
    for asked in (current_person, reconciling_officer):
        with pytest.raises(NotSignedIn) as refused:
            await asked(request(header), place.house.node, None)
        assert str(refused.value) == NO_TOKEN


async def test_a_token_that_is_nobodys_opens_nothing_and_a_header_goes_before_the_address(place: Place) -> None:
    node, token = place.house.node, place.officer.token
    for credentials, header in ((bearer("comity_wrong"), None), (None, "ApiKey comity_wrong")):
        for given in ({"api_key": token}, {}):
            with pytest.raises(NotSignedIn) as refused:
                await reconciling_officer(request(header), node, credentials, **given)
            assert str(refused.value) == WRONG
    assert await reconciling_officer(request(), node, None, token) == place.officer.person
    assert await reconciling_officer(request(), node, bearer(token), "comity_wrong") == place.officer.person


async def test_only_an_officer_reconciles(place: Place) -> None:
    for actor in (place.reviewer, place.auditor, place.focal, place.admin):
        with pytest.raises(NotAllowed) as refused:
            await reconciling_officer(request(), place.house.node, bearer(actor.token))
        assert str(refused.value) == "this needs one of the roles: officer"


async def test_one_of_the_roles_is_enough_and_none_of_them_is_told_which_are_needed() -> None:
    check = person_with(PersonRole.REVIEWER, PersonRole.FOCAL_POINT)
    for roles in ({PersonRole.REVIEWER}, {PersonRole.FOCAL_POINT, PersonRole.AUDITOR}):
        person = Person("1", "ana", frozenset(roles))
        assert await check(person) == person
    for others in (set(), {PersonRole.OFFICER, PersonRole.ADMIN}):
        with pytest.raises(NotAllowed) as refused:
            await check(Person("1", "ana", frozenset(others)))
        assert str(refused.value) == "this needs one of the roles: focal-point, reviewer"


async def test_the_numbers_are_shown_for_the_one_token_that_is_set_and_for_no_persons(place: Place) -> None:
    node, kept = place.house.node, place.house.node.settings
    with pytest.raises(NotSignedIn) as unset:
        await metrics_reader(node, bearer(METRICS_TOKEN))
    assert str(unset.value) == "this node shows its numbers to nobody: `metrics_token_file` is not set"
    file = place.house.home / "metrics-token"
    file.write_text(METRICS_TOKEN)
    node.settings = kept.model_copy(update={"metrics_token_file": file})
    try:
        await metrics_reader(node, bearer(METRICS_TOKEN))
        for other in (None, bearer(METRICS_TOKEN + "x"), bearer(place.admin.token), bearer("ünicode")):
            with pytest.raises(NotSignedIn) as refused:
                await metrics_reader(node, other)
            assert str(refused.value) == "this needs the token of `metrics_token_file`"
    finally:
        node.settings = kept


async def test_a_member_is_known_by_its_key_counted_and_told_no_reason_when_it_is_not(place: Place) -> None:
    node = place.house.node
    own = node.own_member(await node.registry())
    pair, limits = load_signing_pair(node.home.signing_key), Limits(lambda: 0.0, at_once=2)
    for _ in range(2):
        token = sign_peer_token(pair, own.did, node.clock())
        assert await calling_member(node, limits, bearer(token)) == own
    with pytest.raises(TooManyRequests):
        await calling_member(node, limits, bearer(sign_peer_token(pair, own.did, node.clock())))
    limits.take_one("another")
    with pytest.raises(TooManyRequests):
        limits.take_one(own.slug)
    stranger = sign_peer_token(new_signing_pair(pair.kid), own.did, node.clock())
    elsewhere = sign_peer_token(pair, "did:web:other.example", node.clock())
    for wrong in (None, bearer(stranger), bearer(elsewhere), bearer(place.admin.token)):
        with pytest.raises(NotSignedIn) as refused:
            await calling_member(node, Limits(), wrong)
        assert str(refused.value) == "this needs a token that an active member has signed for this node"
