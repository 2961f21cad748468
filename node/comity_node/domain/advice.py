"""What an administrator is told: for each condition what is safe meanwhile and what to do, in words."""

from dataclasses import dataclass

_ALL_ELSE = "Reports, review and screening go on."


@dataclass(frozen=True, slots=True)
class Advice:
    """What is safe while something is not as it should be, and what to do about it."""

    safe: str
    do: str


CONDITIONS: dict[str, Advice] = {
    "exchange": Advice(
        f"Nothing is lost; it is started again by itself. {_ALL_ELSE}",
        "Read what the node wrote to stderr when it ended.",
    ),
    "bus": Advice(
        f"What is released waits in the outbox; what others publish waits on the bus. {_ALL_ELSE}",
        "See that the brokers answer, and that `bus` and `kafka_*` in settings.toml are right.",
    ),
    "registry": Advice(
        f"The last good list stays in force until it expires; after that what arrives waits. {_ALL_ELSE}",
        "Unreachable: the network or the hub. Expired: first compare this machine's clock with a good one; if it is "
        "right, the hub must publish with --renew, or the key holders renew and sign. Refused: call the registrar, "
        "somebody showed this node an older or altered list.",
    ),
    "refresh": Advice(
        "The last good registry stays in force.",
        "See that the disk has room and that the home may be written.",
    ),
    "receive": Advice(
        f"What others publish waits on the bus and is read later. {_ALL_ELSE}",
        "See that the brokers answer and that this node may read.",
    ),
    "topics": Advice(
        "All other logs are read as usual.",
        "Ask the hub for this node's right to read these topics.",
    ),
    "parked": Advice(
        "Nothing is lost: the bus keeps the rest of these logs, and all others are read as usual.",
        "Look at `comity quarantine` and at the member's log: a statement before them is missing, or its key is not "
        "listed yet. The node asks other members for what is missing; if it stays so, call the member.",
    ),
    "budget": Advice(
        "Nothing is lost: the bus keeps the rest, which is read tomorrow, and all others are read as usual.",
        "Ask the member whether it means to publish so much. If it does, the registrar raises `daily_statements`; if "
        "not, its node or key may be in other hands: call the registrar.",
    ),
    "retention": Advice(
        "Nothing is destroyed too soon; what is past its last day is destroyed later.",
        "See that the home may be written and that the database answers.",
    ),
    "settle": Advice(
        "What was received stays in the inbox and is decided later.",
        "See that the disk has room and that the database answers.",
    ),
    "suppliers": Advice(
        "Screening finds what was not followed too, by its own names and numbers. What is shown of one supplier may "
        "lack the newest; nothing is lost.",
        "See that the disk has room and that the database answers.",
    ),
    "search": Advice(
        "Screening finds all the same: what the name index has not reached is looked at name by name, which takes "
        "longer.",
        "See that the disk has room and that the database answers.",
    ),
    "endings": Advice(
        "What has ended shows as expired wherever somebody looks; only the feed of changes says so later.",
        "See that the disk has room and that the database answers.",
    ),
    "alerts": Advice(
        "No alert is lost: it is made when this is over. Screening and the feed of changes do not stand on it.",
        "See that the disk has room and that the database answers.",
    ),
    "deliveries": Advice(
        "Alerts are kept and shown by `comity alerts`; mails and webhooks wait and are tried again.",
        "See that the disk has room and that the database answers.",
    ),
    "relay": Advice(
        "Nothing is lost or said twice: what is released stays in the outbox, in its order.",
        "The text names it: the bus, this node's right to write, its entry in the registry, or that nobody has said "
        "yet how far this node's own log goes.",
    ),
    "refill": Advice(
        "What the bus brings is read and decided as usual; what it withholds is asked for later.",
        "See that the disk has room and that the database answers.",
    ),
    "heads": Advice(
        "Everything else goes on; only the comparison with other members waits.",
        "See that the disk has room and that the database answers.",
    ),
    "registry-behind": Advice(
        "What was accepted under the last good list stands, and the node goes on by it.",
        "Compare the version with a member over another channel and call the registrar. If the hub holds the list "
        "back, a new root replaces the hub: place it as root.json.",
    ),
    "focal-point": Advice(
        "Nothing of it has left this node.",
        "Call a focal point or deputy, in the order of `comity focal list`. They see it with `comity case list`.",
    ),
    "protection": Advice(
        _ALL_ELSE, "What waits for a focal point is not passed on meanwhile: ask them to look (comity case list)."
    ),
    "look": Advice("The registry looked up last stays in force.", "See that the home may be read."),
    "database": Advice(
        "Nothing is half done. What is released stays in the outbox; what others publish waits on the bus.",
        "The text names it: the database's server, its disk, or whoever holds it. It goes on by itself.",
    ),
    "disk": Advice(
        "Nothing is lost. What others publish waits on the bus; screening goes on over what is known.",
        "Make room on the disk of the home; it goes on by itself.",
    ),
    "home": Advice(
        "Nothing is lost; screening goes on over what is known.",
        "Let the node's account write its home again (a disk with faults is mounted read-only), and restart.",
    ),
    "trust": Advice(
        "Nothing was changed.",
        "Place root.json in the home and start the node. If the copy is damaged, restore it from a backup.",
    ),
}
"""By the name of the condition. A loop of the exchange without a row here fails a test."""

ANY = Advice(_ALL_ELSE, "The text names it.")
"""For a condition of a newer or older release."""


def advise(condition: str) -> Advice:
    """Return what to say about a condition."""
    return CONDITIONS.get(condition, ANY)
