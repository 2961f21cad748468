"""The `comity` command. Each command's module is imported when it is called: `comity key new` needs no web server."""

import gc
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

_COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("demo", "demo", "Watch one finding cross a network of three nodes on this machine."),
    "init": ("node", "init", "Make a node's home."),
    "serve": ("serve", "serve", "Serve a node."),
    "exchange": ("exchange", "exchange", "Run a node's exchange without its API."),
    "status": ("status", "status", "Say how a node is: what is late, what is safe, what to do."),
    "check": ("node", "check", "Decide and fold everything anew and compare."),
    "screen": ("node", "screen", "Ask what the network knows of one supplier."),
    "vendors": ("vendors", "app", "Your own list of firms: kept here, watched, judged row by row."),
    "watch": ("watch", "app", "Be told when something changes that concerns you."),
    "alerts": ("watch", "alerts", "What your watches were told."),
    "changes": ("watch", "changes", "What changed in what the network shares, from a cursor."),
    "screening": ("screening", "app", "Screenings on file: kept, shown, answered again."),
    "compare": ("screening_files", "compare", "Say of pairs in a file whether the two are the same."),
    "supplier": ("supplier", "app", "Who says what of a supplier, and who is the same."),
    "factories": ("factories", "app", "Lists of factories: taken in row by row, taken back as a whole."),
    "vendor-contacts": (
        "vendor_contacts",
        "app",
        "The list of vendors' contacts, to which codes are mailed.",
    ),
    "verify": ("record", "verify", "Check one record offline."),
    "indicators": ("vocabulary", "indicators", "Say what each code means, what to look for, what to ask."),
    "answers": ("vocabulary", "answers", "Say in words the codes that suppliers and reviewers answer with."),
    "codes": ("vocabulary", "codes", "Say in words what findings and decisions say as codes."),
    "countries": ("vocabulary", "countries", "Say how countries are named in the six UN languages."),
    "crosswalk": ("crosswalk", "app", "Say which indicators the clauses of a scheme propose."),
    "import": ("review", "import_register", "Import a public register."),
    "report": ("report", "app", "Sign, submit and follow audit reports."),
    "evidence": ("evidence", "app", "Files beside a report: send, read, shred."),
    "objection": ("joint", "objections", "An auditor's objections to a release."),
    "joint": ("joint", "acts", "What two people decide about a report: overrule, hold, let go."),
    "allow": ("allow", "app", "Audits outside their firms' authorisations: two reviewers say why."),
    "case": ("case", "app", "People at risk: coded steps, for assigned staff only."),
    "contact": ("case", "contacts", "Whom people can turn to in each country."),
    "focal": ("case", "focal", "The focal point and its deputies."),
    "pointer": ("pointer", "app", "Ask others to speak to us before contacting a supplier."),
    "reply": ("reply", "app", "What suppliers answer and dispute."),
    "audit": ("audit", "app", "Audits of all members, planned and done; tell of your own."),
    "corroboration": ("corroboration", "app", "Tell your own evidence beside another member's finding."),
    "review": ("review", "app", "Propose, decide, take back: always two people."),
    "plan": ("plan", "app", "What is to be put right, by when, what is late; what others read of it."),
    "job": ("job", "app", "Imports and releases of many: how far they are."),
    "contract": ("contract", "app", "Your contracts, their labour clauses and duties; never shared."),
    "decision": ("decision", "app", "Propose an authority's decision: an order, not a finding."),
    "risk": ("risk", "risk", "What a state's list says of goods from a country, if one is set."),
    "record": ("record", "app", "Records as files."),
    "network": ("network", "app", "Who is connected, who did what."),
    "trail": ("trail", "app", "Who did what: export it with proof, check an export offline."),
    "quarantine": ("quarantine", "app", "Records that do not count: why, and what next."),
    "token": ("account", "tokens", "Your own tokens."),
    "person": ("account", "people", "People at a node."),
    "key": ("key", "app", "Make and look at keys."),
    "registry": ("registry", "app", "Keep the list of members."),
}
"""Command to module, name in it, and the line shown in the list; in the order of the list."""


def _imported(name: str) -> Any:
    """Import a module without a look for garbage: all it makes stays, and looking is a sixth of a command's start."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


class _OnDemand(TyperGroup):
    """Finds a command's module when the command is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in their order."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the command; for the list of commands its line is enough."""
        if cmd_name not in _COMMANDS:
            return None
        module, name, line = _COMMANDS[cmd_name]
        if len(sys.argv) < 2 or sys.argv[1] not in _COMMANDS:
            return TyperCommand(cmd_name, help=line)
        found = getattr(_imported(f"comity_node.cli.{module}"), name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
            single.command(cmd_name)(found)
            found = single
        return get_command(found)


app = typer.Typer(
    cls=_OnDemand,
    name="comity",
    help="An audit-sharing network against forced labour and human trafficking in public supply chains.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)


@app.callback()
def _comity() -> None:
    """An audit-sharing network against forced labour and human trafficking in public supply chains."""


def main() -> None:
    """Run the command line."""
    app()
