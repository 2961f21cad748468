"""Writes the JSON Schemas under `schemas/json/`, or tells which no longer fit the code.

    python -m comity_schemas.generate            writes
    python -m comity_schemas.generate --check    exit 1, naming each file that differs

The only module of this package that touches files. It works in a checkout: it finds the folder beside the package.
"""

import argparse
import ast
import inspect
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from comity_schemas.audit_notice import AuditNotice
from comity_schemas.corroboration import Corroboration
from comity_schemas.decision import Decision
from comity_schemas.finding import Finding
from comity_schemas.member import MemberList, SuspensionList
from comity_schemas.peers import PeerCheckpoint, PeerToken
from comity_schemas.pointer import Pointer
from comity_schemas.reply import Reply
from comity_schemas.report import Report, ShownSection, SignedReport
from comity_schemas.statement import Checkpoint, Claims, Header, Record, Withdrawal
from comity_schemas.wire import Wire

FOLDER = Path(__file__).parent.parent / "json"

MODELS: dict[str, type[Wire]] = {
    "record": Record,
    "header": Header,
    "claims": Claims,
    "finding": Finding,
    "decision": Decision,
    "reply": Reply,
    "pointer": Pointer,
    "corroboration": Corroboration,
    "audit-notice": AuditNotice,
    "withdrawal": Withdrawal,
    "checkpoint": Checkpoint,
    "peer-token": PeerToken,
    "peer-checkpoint": PeerCheckpoint,
    "report": Report,
    "signed-report": SignedReport,
    "shown-section": ShownSection,
    "member-list": MemberList,
    "suspension-list": SuspensionList,
}
"""File name without `.schema.json` to the type it describes."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one type, with the docstrings of its fields as descriptions."""
    model = MODELS[name]
    schema = model.model_json_schema(mode="validation", by_alias=True)
    _describe(model, schema)
    for definition, described in _all_models():
        if definition in schema.get("$defs", {}):
            _describe(described, schema["$defs"][definition])
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:comity:schema:{name}:1"}
    return {**head, **schema}


def texts() -> dict[Path, str]:
    """Return every generated file with its content."""
    return {
        FOLDER / f"{name}.schema.json": json.dumps(schema_of(name), indent=1, ensure_ascii=False) + "\n"
        for name in MODELS
    }


def drifted(wanted: dict[Path, str]) -> list[Path]:
    """Return the files that are missing, differ, or lie there without belonging there."""
    differing = [path for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text]
    extra = [
        path for folder in {path.parent for path in wanted} for path in folder.glob("*.json") if path not in wanted
    ]
    return sorted([*differing, *extra])


def main(arguments: list[str] | None = None) -> int:
    """Write or compare; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m comity_schemas.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file differs")
    wanted = texts()
    if parser.parse_args(arguments).check:
        found = drifted(wanted)
        for path in found:
            print(f"differs from the code: {path}", file=sys.stderr)
        return 1 if found else 0
    FOLDER.mkdir(exist_ok=True)
    for path in drifted(wanted):
        path.unlink() if path not in wanted else path.write_text(wanted[path], "utf-8")
    return 0


def _all_models() -> Iterator[tuple[str, type[Wire]]]:
    """Every Wire type, by name: `$defs` are named after classes, and class names are unique among those used."""
    waiting = list(Wire.__subclasses__())
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        if found.__module__.startswith("comity_schemas."):
            yield found.__name__, found


def _describe(model: type[Wire], schema: dict[str, Any]) -> None:
    for field, text in _field_docs(model).items():
        alias = model.model_fields[field].alias or field
        schema["properties"][alias]["description"] = text


@cache
def _field_docs(model: type[Wire]) -> dict[str, str]:
    """Return the docstrings that follow fields; Python itself does not keep them."""
    (tree,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(tree, ast.ClassDef)
    docs: dict[str, str] = {}
    for field, doc in zip(tree.body, tree.body[1:], strict=False):
        match field, doc:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = " ".join(text.split())
    return docs


if __name__ == "__main__":
    sys.exit(main())
