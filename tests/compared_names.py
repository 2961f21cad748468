"""Pairs of names that differ as people write them otherwise: what comparing is held to."""

from random import Random

from comity_node.lexicon import read


def compared_names() -> list[tuple[str, str]]:
    """Return pairs that differ by a slip, an order, a joint, a word or more of these, of any script of the lexicon."""
    random = Random(31)
    written = [row.written for kind in ("trades", "places", "legal") for row in read(kind)][::3]
    made = ["".join(random.choices("abdeiklmnorstuz", k=random.randint(3, 10))) for _ in range(400)]
    pairs = []
    for _ in range(4_000):
        words = [*random.choices(made, k=random.randint(1, 2)), *random.choices(written, k=random.randint(0, 2))]
        other = list(words)
        for change in random.choices(("slip", "swap", "join", "cut", "drop", "add", "other"), k=random.randint(0, 3)):
            at = random.randrange(len(other))
            word = other[at]
            match change:
                case "slip":
                    place = random.randrange(len(word))
                    other[at] = word[:place] + random.choice("aeklrs") + word[place + random.randint(0, 1) :]
                case "swap":
                    other[at], other[-1] = other[-1], other[at]
                case "join":
                    other[at : at + 2] = ["".join(other[at : at + 2])]
                case "cut":
                    other[at] = word[: random.randint(3, max(3, len(word)))]
                case "drop":
                    other = other[:at] + other[at + 1 :] or other
                case "add":
                    other.insert(at, random.choice(made))
                case _:
                    other[at] = random.choice(written)
        pairs.append((" ".join(words), " ".join(other)))
    return pairs
