"""Runs the command blocks of README.md and docs/**/*.md, so that no document shows a command that does not work.

The convention, by the words after the opening fence:

    ```sh              run as a script with `set -eu`; must exit with 0
    ```sh stays-up     started, must print a line with the word "ready" within two minutes; stopped when the document
                       ends, so that later blocks may talk to it
    ```sh long         too long to run: each command is run with --help added, which must exit with 0
    ```console, ```text and all others: shown, not run

The blocks of one document run in order and share a working directory, a HOME and exported variables; two documents run
side by side, those with most blocks first. The directory is
new and temporary; every file of the checkout's top level is linked into it, so `./comity`, `deploy/...` and `docs/...`
read as from the checkout, while what a command writes beside them goes away. `COMITY_CACHE` stays the user's own: a
real Kafka is not fetched again. CI checks this on every change: `python tests/documents.py [FILE ...]`.
"""

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SIDE_BY_SIDE = 2
"""How many documents run at once; one that serves a node does so on ports that no other document names."""
RUN_SECONDS = 300
READY_SECONDS = 120
STOP_SECONDS = 30
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)``` *$", re.MULTILINE | re.DOTALL)
KINDS = {"sh": "run", "sh stays-up": "stays-up", "sh long": "long"}


class BlockFailed(Exception):
    """A block of a document does not do what the document says."""


@dataclass(frozen=True, slots=True)
class Block:
    """One command block and the line it begins at."""

    document: Path
    line: int
    kind: str
    body: str

    def __str__(self) -> str:
        """Where it is, as editors understand it."""
        return f"{os.path.relpath(self.document, CHECKOUT)}:{self.line}"


def blocks(document: Path) -> Iterator[Block]:
    """The command blocks of a document, in order.

    Raises:
        BlockFailed: a block begins with ``sh`` and a word that is not in the convention.
    """
    text = document.read_text()
    for fence in FENCE.finditer(text):
        info = " ".join(fence["info"].split())
        line = text.count("\n", 0, fence.start()) + 1
        if info in KINDS:
            indent = fence["indent"]
            body = "".join(each.removeprefix(indent) for each in fence["body"].splitlines(keepends=True))
            yield Block(document, line, KINDS[info], body)
        elif info.split()[:1] in (["sh"], ["bash"], ["shell"]):
            raise BlockFailed(f"{document}:{line}: `{info}` is not one of {', '.join(KINDS)}")


@contextmanager
def workbench() -> Iterator[tuple[Path, dict[str, str]]]:
    """A temporary directory that looks like the checkout, and the environment for its commands."""
    with tempfile.TemporaryDirectory(prefix="comity-documents-", ignore_cleanup_errors=True) as temporary:
        bench, home = Path(temporary, "checkout"), Path(temporary, "home")
        bench.mkdir()
        home.mkdir()
        for entry in CHECKOUT.iterdir():
            (bench / entry.name).symlink_to(entry)
        cache = Path.home() / ".cache"
        yield (
            bench,
            {
                **{name: value for name, value in os.environ.items() if not name.startswith("COMITY_")},
                "COMITY_CACHE": os.environ.get("COMITY_CACHE")
                or str(Path(os.environ.get("XDG_CACHE_HOME") or cache) / "comity"),
                "HOME": str(home),
                "PAGER": "cat",
                "COMITY_DOCUMENT_EXPORTS": str(home / "exports"),
            },
        )


def script(block: Block) -> str:
    """The block as a script that takes over what the blocks before it have exported."""
    return f'set -eu\n[ ! -f "$COMITY_DOCUMENT_EXPORTS" ] || . "$COMITY_DOCUMENT_EXPORTS"\n{block.body}\n'


HAND_ON = 'export -p >"$COMITY_DOCUMENT_EXPORTS"\n'
"""Added to a script whose exported variables the following blocks shall see."""


def run(block: Block, text: str, bench: Path, environment: dict[str, str]) -> None:
    """Run the text to its end; it must succeed."""
    with subprocess.Popen(
        ["sh", "-c", text],
        cwd=bench,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise BlockFailed(f"{block}: not done after {RUN_SECONDS} seconds") from error
    if process.returncode:
        raise BlockFailed(f"{block}: exit status {process.returncode}\n{text}\n{said}")


def commands(body: str) -> Iterator[str]:
    """The commands of a block, one a line, without what they are piped into or chained with."""
    for line in body.replace("\\\n", " ").splitlines():
        command = re.split(r"\s(?:\||&&|;|>|>>|#)(?:\s|$)", line.strip())[0]
        if command and not command.startswith("#"):
            yield command


@contextmanager
def staying_up(block: Block, bench: Path, environment: dict[str, str]) -> Iterator[None]:
    """Start the block, wait until it says that it is ready, and stop it when the context is left."""
    with subprocess.Popen(
        ["sh", "-c", script(block)],
        cwd=bench,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            wait_for_ready(block, process)
            yield
        finally:
            stopped = stop(process)
    if not stopped:
        raise BlockFailed(f"{block}: did not stop {STOP_SECONDS} seconds after SIGTERM")


def wait_for_ready(block: Block, process: "subprocess.Popen[bytes]") -> None:
    """Read what the block prints until a line holds the word "ready"."""
    assert process.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    said = b""
    while not re.search(rb"\bready\b", said, re.IGNORECASE):
        left = deadline - time.monotonic()
        if left < 0 or not select.select([process.stdout], [], [], left)[0]:
            raise BlockFailed(f"{block}: not ready after {READY_SECONDS} seconds\n{said.decode(errors='replace')}")
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            raise BlockFailed(f"{block}: ended before it was ready\n{said.decode(errors='replace')}")
        said += piece


def stop(process: "subprocess.Popen[bytes]") -> bool:
    """Ask everything the block started to stop; say whether it did so by itself."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    try:
        process.communicate(timeout=STOP_SECONDS)  # reads on: a full pipe must not keep it from stopping
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return False
    return True


def check(document: Path) -> int:
    """Run a document's blocks in order and give their number.

    Raises:
        BlockFailed: one of them does not do what the document says.
    """
    count = 0
    with workbench() as (bench, environment), ExitStack() as up:
        for block in blocks(document):
            began = time.monotonic()
            match block.kind:
                case "run":
                    run(block, script(block) + HAND_ON, bench, environment)
                case "stays-up":
                    up.enter_context(staying_up(block, bench, environment))
                case _:
                    for command in commands(block.body):
                        run(block, f"{command} --help", bench, environment)
            print(f"  {block}  {block.kind}  {time.monotonic() - began:.1f} s", flush=True)
            count += 1
    return count


def check_and_tell(document: Path) -> int | None:
    """Check a document and give the number of its blocks; on a failure say which block, and give None."""
    try:
        return check(document)
    except BlockFailed as error:
        print(f"FAILED {error}", file=sys.stderr, flush=True)
        return None


def main(names: list[str]) -> int:
    """Check the named documents, or all; give the exit status."""
    documents = [Path(name).resolve() for name in names]
    documents = documents or [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
    by_length = sorted(documents, key=lambda document: document.read_text().count("```sh"), reverse=True)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        counts = list(pool.map(check_and_tell, by_length))
    count, failures = sum(each or 0 for each in counts), counts.count(None)
    print(f"{count} command blocks in {len(documents)} documents, {failures} documents failed")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
