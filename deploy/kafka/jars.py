"""Finds and downloads Kafka's jars. Runs in the private environment of local_broker.py, because it needs jgo.

    jars.py download LIST DIRECTORY      the jars that a jars-VERSION.sha256 names, into a repository layout
    jars.py pin VERSION DIRECTORY        resolve that version and print its list (for a maintainer)

Nothing here is trusted: local_broker.py compares every file with its pinned hash before any of them is run.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

LOGGING = {
    "3.9.2": "org.slf4j:slf4j-reload4j:1.7.36",
    "4.3.1": "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
    "4.4.0": "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5",
}
"""By Kafka's version: it comes without a logging backend, and without one it fails in silence. Kafka 3 was written
against log4j 1, which reload4j continues; for Kafka 4 the version fits the log4j that it brings."""


def download(names: list[str], repository: Path) -> Iterator[str]:
    """Download each jar by its exact coordinates, without resolving anything, and give its name when it is there."""
    from jgo.maven import MavenContext  # type: ignore[import-not-found]  # noqa: PLC0415

    context = MavenContext(repo_cache=repository, timeout=60)

    def one(name: str) -> str:
        path = PurePosixPath(name)
        group, artifact, version = ".".join(path.parts[:-3]), path.parts[-3], path.parts[-2]
        context.project(group, artifact).at_version(version).artifact().resolve()
        return name

    with ThreadPoolExecutor(4) as threads:
        yield from threads.map(one, names)


def pin(version: str, repository: Path) -> Iterator[str]:
    """Resolve Kafka of this version and give one line a jar: SHA-256 and path, as ``sha256sum`` writes it."""
    os.environ["M2_REPO"] = str(repository)
    import jgo  # type: ignore[import-not-found]  # noqa: PLC0415

    found: dict[tuple[str, str], Path] = {}
    # One by one. Joined with "+", jgo 3.2.0 takes versions from the wrong parent (kafka-clients 3.9.1 beside
    # kafka 4.3.1) and the broker dies with NoSuchMethodError.
    for coordinates in (f"org.apache.kafka:kafka_2.13:{version}", LOGGING[version]):
        for artifact in jgo.resolve(coordinates):
            if artifact.packaging == "jar":
                found.setdefault((artifact.groupId, artifact.artifactId), Path(artifact.resolve()))
    for path in sorted(found.values()):
        yield f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(repository)}"


def main(task: str, what: str, directory: str) -> None:
    """Do one of the two tasks, printing a line for every jar."""
    if task == "pin":
        lines = pin(what, Path(directory).resolve())
    else:
        listed = Path(what).read_text().splitlines()
        lines = download([line.split()[1] for line in listed], Path(directory))
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
