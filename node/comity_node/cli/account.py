"""`comity token` and `comity person`: accounts at a running node."""

from typing import Annotated

import typer

from comity_node.cli.terminal import told_plainly
from comity_node.domain.people import PersonRole
from comity_node.remote import Remote

tokens = typer.Typer(help="Your own tokens.", no_args_is_help=True)
people = typer.Typer(help="People at this node (administrators).", no_args_is_help=True)


@tokens.command("new")
def new_token(
    name: Annotated[str, typer.Argument(help="Your account's name.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="COMITY_PASSWORD")],
    label: Annotated[str, typer.Option(help="What it is for.")] = "command line",
    hours: Annotated[int, typer.Option(help="How long it holds.")] = 12,
) -> None:
    """Sign in and print a token; keep it in COMITY_TOKEN."""
    with told_plainly():
        made = Remote().post("/tokens", {"name": name, "password": password, "label": label, "hours": hours})
    typer.echo(made["token"])


@tokens.command("list")
def list_tokens() -> None:
    """List your tokens, newest first."""
    with told_plainly():
        found = Remote().get("/tokens")
    for item in found:
        state = "revoked" if item["revoked_at"] else f"until {item['expires_at'][:16]}"
        typer.echo(f"{item['id']}  {item['label']}  {state}")


@tokens.command("revoke")
def revoke_token(token: Annotated[str, typer.Argument(help="The token's id.")]) -> None:
    """End one of your tokens at once."""
    with told_plainly():
        Remote().delete(f"/tokens/{token}")
    typer.echo("Revoked.")


@people.command("add")
def add_person(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    role: Annotated[list[PersonRole], typer.Option(help="What they do; repeat.")],
    password: Annotated[
        str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, envvar="COMITY_NEW_PASSWORD")
    ],
    firm: Annotated[str | None, typer.Option(help="For auditors: the audit firm's slug in the registry.")] = None,
) -> None:
    """Add an account."""
    body = {"name": name, "roles": [r.value for r in role], "firm": firm, "password": password}
    with told_plainly():
        added = Remote().post("/people", body)
    typer.echo(f"Added {added['name']} ({added['id']}).")


@people.command("list")
def list_people() -> None:
    """List open accounts."""
    with told_plainly():
        found = Remote().get("/people")
    for item in found:
        typer.echo(f"{item['id']}  {item['name']}  {', '.join(item['roles'])}")


@people.command("close")
def close_person(person: Annotated[str, typer.Argument(help="The person's id.")]) -> None:
    """Close an account; its tokens end at once."""
    with told_plainly():
        Remote().delete(f"/people/{person}")
    typer.echo("Closed.")
