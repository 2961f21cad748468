"""The members' topics and rights on Kafka, for the hub: what `comity registry publish --kafka` prepares.

Rules:
- One partition: its order is the member's order. Statements are kept for ever and never compacted; checkpoints for
  thirty days.
- `compression.type=producer`: a broker that recompresses inflates a bomb in its own memory (it killed two of three).
- A member may WRITE exactly its own two topics, by their full names (a prefix would let `agency-007` write to
  `agency-0070`), and READ everything that begins with `comity.`. Nothing else: no group, no transaction, no create.
- Doing it again changes nothing that is already so, and corrects what is not.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from comity_federation.bus import MAX_BATCH_BYTES, BusError, BusUnavailable, checkpoints_topic, statements_topic
from comity_federation.kafka.settings import SASL_MECHANISM, KafkaSettings

with warnings.catch_warnings():
    # kafka-python 3.0 reads its schemas with importlib.resources.read_text, which Python 3.11 and 3.12 deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.admin import (  # type: ignore[import-untyped]
        ACL,
        ACLFilter,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ConfigResource,
        ConfigResourceType,
        KafkaAdminClient,
        ResourcePattern,
        ResourcePatternFilter,
        ResourceType,
    )
    from kafka.errors import KafkaError, SecurityDisabledError  # type: ignore[import-untyped]

CHECKPOINT_DAYS: Final = 30
READ_PREFIX: Final = "comity."
CLIENT_ID: Final = "comity-registrar"
TIMEOUT_MS: Final = 30_000


class TopicsRefused(BusError):
    """The brokers did not make or change a topic."""

    code: ClassVar[str] = "bus.topics-refused"


class RightsNotEnforced(BusError):
    """The brokers run without an authorizer: anybody may write anything."""

    code: ClassVar[str] = "bus.rights-not-enforced"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `prepare_topics` found and did: names of topics."""

    made: Sequence[str]
    corrected: Sequence[str]
    unchanged: Sequence[str]


def prepare_topics(
    settings: KafkaSettings, slugs: Sequence[str], *, replication_factor: int = 1, min_insync: int = 1
) -> Prepared:
    """Make the two topics of each member, and correct the settings of those that exist.

    Args:
        settings: of a user who may create and alter topics.
        slugs: of the members, as in the registry.
        replication_factor: on how many brokers a topic lies; only new ones are affected.
        min_insync: how many of them must have a record before it counts as stored.

    Raises:
        BusUnavailable: the brokers do not answer.
        TopicsRefused: they refused a topic.
    """
    wanted = {topic: _configs(kept, min_insync) for topic, kept in _topics(slugs).items()}
    if not wanted:
        return Prepared([], [], [])
    with kafka_admin(settings) as admin:
        existing = set(admin.list_topics())
        made = {topic: configs for topic, configs in wanted.items() if topic not in existing}
        if made:
            _make(admin, made, replication_factor)
        corrected = _correct(admin, {topic: configs for topic, configs in wanted.items() if topic in existing})
    unchanged = [topic for topic in wanted if topic not in made and topic not in corrected]
    return Prepared(list(made), corrected, unchanged)


def grant_rights(settings: KafkaSettings, principals: Mapping[str, str]) -> None:
    """Let each member write its own two topics and read all.

    Args:
        settings: of a user who may alter ACLs.
        principals: by slug the Kafka principal, such as `User:undp`.

    Raises:
        BusUnavailable: the brokers do not answer.
        RightsNotEnforced: they run without an authorizer.
    """
    rights = [right for slug, principal in principals.items() for right in _rights(slug, principal)]
    if rights:
        with kafka_admin(settings) as admin:
            if failed := admin.create_acls(rights)["failed"]:
                if SecurityDisabledError in failed:
                    raise RightsNotEnforced("the brokers run without an authorizer")
                raise TopicsRefused(f"{len(failed)} rights were not granted: {failed[0].__name__}")


def revoke_rights(settings: KafkaSettings, principals: Sequence[str]) -> int:
    """Take every right on topics away from these principals; return how many were taken.

    Raises:
        BusUnavailable: the brokers do not answer.
        RightsNotEnforced: they run without an authorizer.
    """
    anything = ResourcePatternFilter(ResourceType.TOPIC, None, ACLResourcePatternType.ANY)
    filters = [ACLFilter(p, None, ACLOperation.ANY, ACLPermissionType.ANY, anything) for p in principals]
    if not filters:
        return 0
    with kafka_admin(settings) as admin:
        return sum(len(matching) for _, matching, _ in admin.delete_acls(filters))


def _topics(slugs: Sequence[str]) -> dict[str, int]:
    """Return by topic how many days it keeps its records; -1 for ever."""
    statements = {statements_topic(slug): -1 for slug in slugs}
    return statements | {checkpoints_topic(slug): CHECKPOINT_DAYS for slug in slugs}


def _configs(kept_days: int, min_insync: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(kept_days * 24 * 3600 * 1000 if kept_days > 0 else -1),
        "retention.bytes": "-1",
        "compression.type": "producer",
        "max.message.bytes": str(MAX_BATCH_BYTES),
        "min.insync.replicas": str(min_insync),
        "message.timestamp.type": "LogAppendTime",
        "unclean.leader.election.enable": "false",
    }


def _make(admin: Any, topics: Mapping[str, Mapping[str, str]], replication_factor: int) -> None:
    request = {
        topic: {"num_partitions": 1, "replication_factor": replication_factor, "configs": dict(configs)}
        for topic, configs in topics.items()
    }
    answer = admin.create_topics(request, timeout_ms=TIMEOUT_MS, raise_errors=False)
    already_there = 36  # Somebody else made it a moment ago.
    refused = [t for t in answer["topics"] if t["error_code"] not in (0, already_there)]
    if refused:
        raise TopicsRefused(f"{refused[0]['name']}: {refused[0].get('error_message') or refused[0]['error_code']}")
    admin.wait_for_topics(list(topics), timeout_ms=TIMEOUT_MS)


def _correct(admin: Any, topics: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Set what differs; nothing else about a topic is touched. Return the names of the topics changed."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic, list(configs)) for topic, configs in topics.items()]
    found = admin.describe_configs(asked, config_filter="all")["topic"] if asked else {}
    differing = {
        topic: {name: value for name, value in configs.items() if found[topic][name]["value"] != value}
        for topic, configs in topics.items()
    }
    changes = [
        ConfigResource(ConfigResourceType.TOPIC, topic, configs) for topic, configs in differing.items() if configs
    ]
    if changes:
        admin.alter_configs(changes, incremental=True)
    return [change.name for change in changes]


def _rights(slug: str, principal: str) -> list[Any]:
    def allow(operation: Any, name: str, pattern: Any) -> Any:
        resource = ResourcePattern(ResourceType.TOPIC, name, pattern)
        return ACL(principal, "*", operation, ACLPermissionType.ALLOW, resource)

    own = [
        allow(ACLOperation.WRITE, topic, ACLResourcePatternType.LITERAL)
        for topic in (statements_topic(slug), checkpoints_topic(slug))
    ]
    return [*own, allow(ACLOperation.READ, READ_PREFIX, ACLResourcePatternType.PREFIXED)]


@contextmanager
def kafka_admin(settings: KafkaSettings) -> Iterator[Any]:
    """Give kafka-python's administration client while the block lasts.

    Raises:
        BusUnavailable: the brokers do not answer, or refuse what the block asks.
        RightsNotEnforced: they run without an authorizer.
    """
    secure: dict[str, Any] = {}
    if settings.security_protocol == "SASL_SSL":
        secure = {
            "sasl_mechanism": SASL_MECHANISM,
            "sasl_plain_username": settings.username,
            "sasl_plain_password": settings.read_password(),
            "ssl_cafile": str(settings.cafile) if settings.cafile else None,
        }
    admin = None
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=settings.bootstrap.split(","),
            client_id=CLIENT_ID,
            request_timeout_ms=TIMEOUT_MS,
            bootstrap_timeout_ms=TIMEOUT_MS,
            security_protocol=settings.security_protocol,
            **secure,
        )
        yield admin
    except SecurityDisabledError as why:
        raise RightsNotEnforced("the brokers run without an authorizer") from why
    except (KafkaError, OSError) as why:
        raise BusUnavailable(f"{settings.bootstrap}: {why}") from why
    finally:
        if admin is not None:
            admin.close()
