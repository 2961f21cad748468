"""How commands end: errors raised on purpose become one sentence with their code."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from comity_schemas.errors import ComityError


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn an error raised on purpose into one sentence with its code on stderr, and exit 1."""
    try:
        yield
    except ComityError as error:
        _complain(str(error), error.code)
        raise typer.Exit(1) from error
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error), "file")
        raise typer.Exit(1) from error
    except (UnicodeDecodeError, csv.Error) as error:
        _complain("a file that was given is no text in UTF-8, or no CSV; nothing was done with it", "file")
        raise typer.Exit(1) from error


def _complain(text: str, code: str) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print("Error:", style="bold red", end=" ")
    console.print(f"{text} [{code}]", markup=False)
