"""Run benchmarks by name: `./comity bench NAME… [OPTIONS]`, `./comity bench --list`, `./comity bench NAME --help`.

Each name is a module here, run as a process of its own, one after the other, with the options given; what one has
built for a minute (a node with a million findings) the next may use while the command lasts. Results go to stdout,
one JSON line each, and everything else to stderr.

`./comity bench --write-docs` writes docs/performance.md anew from docs/performance.jsonl.
"""

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def benchmarks() -> dict[str, Path]:
    """Return every benchmark by its name."""
    return {path.stem.replace("_", "-"): path for path in sorted(HERE.glob("*.py")) if path.name != "__main__.py"}


def describe(path: Path) -> str:
    """Return what a benchmark measures: the first line of its docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 when a benchmark failed, 2 when there is none of this name."""
    known = benchmarks()
    options = next((place for place, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    names, options_given = [word.replace("_", "-") for word in arguments[:options]], arguments[options:]
    if options_given[:1] == ["--list"] or (len(names) > 1 and options_given == ["--help"] and set(names) <= set(known)):
        for name in names or known:
            print(f"{name:16} {describe(known[name])}")
        return 0
    if options_given[:1] == ["--write-docs"]:
        return _run("bench.frame.documents", options_given[1:], None)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        print(f"comity: which benchmark? There are: {' '.join(known)} (--list says what each is)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="comity-bench-") as built:
        codes = [_run(f"bench.{name.replace('-', '_')}", options_given, built) for name in names]
    return int(any(codes))


def _run(module: str, options: list[str], built: str | None) -> int:
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), **({"COMITY_BENCH_BUILT": built} if built else {})}
    # -P: the modules of a benchmark are found by that path alone, wherever the command was started.
    return subprocess.run([sys.executable, "-P", "-m", module, *options], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
