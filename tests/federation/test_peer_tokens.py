"""Peer tokens beyond the vectors: what this software signs, and what bytes can do to what reads them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import IAT, Publisher, key_of
from comity_federation import jws
from comity_federation.checkpoints import CheckpointRefused, open_checkpoint
from comity_federation.keys import new_signing_pair
from comity_federation.peer_tokens import LIFETIME, PeerTokenRefused, open_peer_token, sign_peer_token
from comity_schemas.member import Member, PublicKey, SigningKey

NOW = datetime.fromtimestamp(IAT, UTC)
PAIR = new_signing_pair("did:web:agency.example#signing-1")
PEER = "did:web:peer.example"
AGENCY = Publisher().member(signing_keys=(SigningKey(kid=PAIR.kid, key=PAIR.public.key),))


def members(entry: Member = AGENCY) -> dict[str, Member]:
    return {entry.did: entry}


def test_a_token_is_good_at_the_peer_it_names_for_its_minute_and_may_be_used_again_within_it() -> None:
    token = sign_peer_token(PAIR, PEER, NOW)
    for _ in range(2):
        assert open_peer_token(token, members().get, PEER, NOW + LIFETIME - timedelta(seconds=1)) == AGENCY
    with pytest.raises(PeerTokenRefused):
        open_peer_token(token, members().get, PEER, NOW + LIFETIME + timedelta(seconds=30))


def test_any_changed_byte_is_refused() -> None:
    token = sign_peer_token(PAIR, PEER, NOW)
    for at in range(len(token)):
        for other in (token[:at] + token[at + 1 :], token[:at] + chr(ord(token[at]) ^ 1) + token[at + 1 :]):
            with pytest.raises(PeerTokenRefused):
                open_peer_token(other, members().get, PEER, NOW)


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,90}"))
def test_no_text_does_anything_but_refuse(text: str) -> None:
    with pytest.raises(PeerTokenRefused):
        open_peer_token(text, members().get, PEER, NOW)


def test_a_token_is_no_checkpoint() -> None:
    with pytest.raises(CheckpointRefused):
        open_checkpoint(sign_peer_token(PAIR, PEER, NOW).encode(), AGENCY)


def test_a_key_that_cannot_sign_refuses_and_raises_nothing_else() -> None:
    sealing = PublicKey(kty="OKP", crv="X25519", x="A" * 43)
    entry = AGENCY.model_copy(update={"signing_keys": (SigningKey(kid=PAIR.kid, key=sealing),)})
    with pytest.raises(PeerTokenRefused):
        open_peer_token(sign_peer_token(PAIR, PEER, NOW), members(entry).get, PEER, NOW)


def test_the_answer_to_a_refused_token_names_no_member_and_repeats_nothing_of_it() -> None:
    token = jws.sign(key_of("x"), "did:web:canary.example#1", "comity-peer+jwt", b"canary")
    with pytest.raises(PeerTokenRefused) as refused:
        open_peer_token(token, members().get, PEER, NOW)
    assert "canary" not in str(refused.value)
