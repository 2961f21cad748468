"""Numbers that a member or a broker writes may be as large as their form allows: no database stumbles over them."""

from builders import Publisher
from comity_federation.bus import Delivered, Skipped, checkpoints_topic, statements_topic
from comity_federation.checkpoints import sign_checkpoint
from comity_federation.strict_json import MAX_INTEGER
from comity_node.db import Database
from comity_node.services.receiving.intake import take_in
from comity_schemas.statement import Checkpoint
from node_world import NOW, registry_of

AGENCY = Publisher("agency")
MEMBER = AGENCY.member()


async def test_a_checkpoint_with_the_largest_numbers_holds_up_nobody(database: Database) -> None:
    largest = Checkpoint(
        v=1,
        iss=MEMBER.did,
        iat=MAX_INTEGER,
        seq=MAX_INTEGER,
        hash="A" * 43,
        registry_version=MAX_INTEGER,
        registry_hash="A" * 43,
        trail="A" * 43,
    )
    raw = sign_checkpoint(largest, MEMBER.signing_keys[0].kid, AGENCY.keys[0])
    batch = [Delivered(checkpoints_topic("agency"), 0, raw), Delivered(statements_topic("agency"), 0, b"junk")]
    assert await take_in(database, batch, registry_of(MEMBER), "bus", NOW) is not None
    async with database.read() as store:
        log = await store.logs.of("agency")
        assert (log.announced_seq, log.announced_registry, log.heard_at) == (MAX_INTEGER, MAX_INTEGER, NOW)
        assert len(await store.received.inbox("agency", most=2)) == 1


async def test_more_skipped_offsets_than_a_small_number_holds_are_counted(database: Database) -> None:
    many = Skipped(statements_topic("agency"), 0, 2**40, "compressed batch (gzip)")
    assert await take_in(database, [many], registry_of(MEMBER), "bus", NOW) is not None
    async with database.read() as store:
        assert (await store.logs.of("agency")).skipped == 2**40 + 1
