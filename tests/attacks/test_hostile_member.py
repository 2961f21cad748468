"""What one member can do to the nodes of others: fill, confuse, contradict. The bounds hold, and nobody else is slowed.

The member is listed and signs with its own key; everything arrives on its own topics.
"""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from builders import Made, Publisher
from comity_federation.bus import checkpoints_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.local_log import LocalLog
from comity_schemas.member import MemberStatus
from comity_schemas.peers import PeerHead, PeerHeads
from comity_schemas.statement import Checkpoint
from member_stories import AGENCY, BODY, checkpoint
from neighbourhood import HONEST, MALLORY, OF_MALLORY, Neighbourhood
from node_world import NOW, registry_of


async def test_a_fork_freezes_the_one_that_forked_and_nobody_else(log: LocalLog, tmp_path: Path) -> None:
    street = Neighbourhood(tmp_path, log)
    true = MALLORY.chain(6)
    other = MALLORY.chain(4, after=true[1], salt="other ")
    await street.say_honestly()
    await street.flood(made.raw for pair in zip(true, [*other, *other], strict=False) for made in pair)
    await street.node.listen()
    await street.others_are_whole()
    coverage = await street.node.coverage()
    assert coverage.frozen == ("mallory",)
    assert "the log of mallory contradicts itself and is frozen" in coverage.in_words()


def head_of(publisher: Publisher, seq: int, *, key: int = 0, **more: object) -> bytes:
    said = Checkpoint.model_validate(
        {"v": 1, "iss": publisher.did, "iat": int(NOW.timestamp()), "seq": seq, "hash": "H" * 43,
         "registry_version": 1, "registry_hash": "R" * 43, "trail": "T" * 43, **more}
    )  # fmt: skip
    return sign_checkpoint(said, publisher.kid(key), publisher.keys[key])


@pytest.mark.parametrize("seq", [3, HONEST, 10**9, 2**53 - 1])
async def test_a_false_head_of_somebody_else_freezes_nobody_and_hides_nothing(
    seq: int, log: LocalLog, tmp_path: Path
) -> None:
    street = Neighbourhood(tmp_path, log)
    heads = PeerHeads(part=1, of=1, heads=tuple(PeerHead(member=m, seq=seq, hash="F" * 43) for m in ("agency", "body")))
    await street.bus.publish(checkpoints_topic("mallory"), head_of(MALLORY, 0, peers=heads), {})
    await street.say_honestly()
    for publisher in (AGENCY, BODY):
        await street.bus.publish(
            checkpoints_topic(publisher.name), checkpoint(publisher, street.chains[publisher.name]), {}
        )
    began = time.process_time()
    await street.node.listen()
    assert time.process_time() - began < 20, "a number in a head is no reason to count up to it"
    await street.others_are_whole()
    coverage = await street.node.coverage()
    assert not coverage.frozen and not coverage.behind


@pytest.mark.parametrize("seq", [10**9, 2**53 - 1])
async def test_a_head_of_a_thousand_million_is_told_as_missing_and_costs_nothing(
    seq: int, log: LocalLog, tmp_path: Path
) -> None:
    street = Neighbourhood(tmp_path, log)
    await street.bus.publish(checkpoints_topic("mallory"), head_of(MALLORY, seq), {})
    await street.flood(made.raw for made in MALLORY.chain(2))
    await street.say_honestly()
    began = time.process_time()
    await street.node.listen()
    assert time.process_time() - began < 20
    await street.others_are_whole()
    assert f"{seq - 2} statements of mallory announced but not received" in (await street.node.coverage()).in_words()


async def test_a_member_whose_stolen_key_announced_the_impossible_is_heard_again_once_the_key_is_closed(
    log: LocalLog, tmp_path: Path
) -> None:
    """The thief's last word must not stand for ever: it was signed with a key that counts no more."""
    street = Neighbourhood(tmp_path, log)
    chain = MALLORY.chain(3)
    await street.flood(made.raw for made in chain)
    await street.bus.publish(checkpoints_topic("mallory"), head_of(MALLORY, 10**9), {})
    await street.node.listen()
    assert [slug for slug, _ in (await street.node.coverage()).behind] == ["mallory"]
    closed = MALLORY.member(closed_keys={0: chain[-1].last()})
    await street.bus.publish(checkpoints_topic("mallory"), checkpoint(MALLORY, chain, key=1), {})
    await street.node.listen(registry_of(AGENCY.member(), BODY.member(), closed, version=2))
    # Its node checks in again within a quarter of an hour.
    await street.bus.publish(checkpoints_topic("mallory"), checkpoint(MALLORY, chain, NOW + timedelta(1), key=1), {})
    await street.node.listen()
    coverage = await street.node.coverage()
    assert "mallory" in coverage.heard and not coverage.behind


def strangers_keys(count: int) -> list[bytes]:
    """Well-formed statements under key ids that nobody lists."""
    header = {"alg": "Ed25519", "typ": "comity-statement+sd-jwt"}
    return [MALLORY.finding(header={**header, "kid": f"{MALLORY.did}#key-x{n}"}).raw for n in range(count)]


async def test_a_thousand_unknown_keys_wait_and_slow_nobody(log: LocalLog, tmp_path: Path) -> None:
    street = Neighbourhood(tmp_path, log)
    await street.flood(strangers_keys(1_000))
    await street.say_honestly()
    await street.node.listen()
    await street.others_are_whole()
    assert await street.node.refused() == []
    assert (await street.kept_of_mallory())[0] <= 1_000


async def test_null_values_and_skipped_batches_are_counted_and_slow_nobody(log: LocalLog, tmp_path: Path) -> None:
    street = Neighbourhood(tmp_path, log)
    for _ in range(3_000):
        street.bus.put(OF_MALLORY, None)
    await street.say_honestly()
    began = time.process_time()
    await street.node.listen()
    spent = time.process_time() - began
    await street.others_are_whole()
    assert (await street.node.logs())["mallory"].skipped == 2 * 3_000 - 1
    assert spent < 30, f"{spent:.1f} s"


async def test_a_member_that_is_removed_in_the_middle_of_its_flood_leaves_the_others_alone(
    log: LocalLog, tmp_path: Path
) -> None:
    street = Neighbourhood(tmp_path, log)
    chain = MALLORY.chain(60)
    await street.flood(made.raw for made in chain[:30])
    await street.say_honestly(0, 20)
    await street.node.listen()
    removed = MALLORY.member(status=MemberStatus.REMOVED, closed=chain[9].last())
    await street.flood(made.raw for made in chain[30:])
    await street.flood(b"{" * n for n in range(50))
    await street.say_honestly(20)
    await street.node.listen(registry_of(AGENCY.member(), BODY.member(), removed, version=2))
    await street.others_are_whole()
    assert (await street.node.snapshot())["mallory"][0] == 10


async def test_a_chain_of_bodies_that_nobody_can_read_goes_on_and_blocks_nobody(log: LocalLog, tmp_path: Path) -> None:
    street = Neighbourhood(tmp_path, log)
    made: list[Made] = []
    for number in range(60):
        place = MALLORY.after(made[-1]) if made else {}
        body = {"x": [[number]] * 50, "text": "prose " * 100}
        made.append(MALLORY.make(kind=("finding", "of-tomorrow", "withdrawal")[number % 3], clear=body, **place))
    good = MALLORY.finding(**MALLORY.after(made[-1]))
    await street.flood(each.raw for each in [*made, good])
    await street.say_honestly()
    await street.node.listen()
    await street.others_are_whole()
    seen = (await street.node.snapshot())["mallory"]
    assert seen[0] == 61 and good.hash in seen[3]
