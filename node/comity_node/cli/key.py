"""`comity key`: keys as files. Reads nothing from the network and no node's home."""

from pathlib import Path
from typing import Annotated

import typer

from comity_federation.keys import fingerprint, load_public, new_sealing_pair, new_signing_pair, write_key_pair
from comity_node.cli.terminal import told_plainly

app = typer.Typer(help="Make and look at keys.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Make and look at keys."""


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="Where the private half goes; the public half goes to FILE.pub.")],
    name: Annotated[
        str | None,
        typer.Option(help="The key's name (kid). A member's is DID#KEY, a holder's is free. Else the file's name."),
    ] = None,
    sealing: Annotated[
        bool, typer.Option("--sealing", help="An X25519 key, to be written to, instead of an Ed25519 key to sign with.")
    ] = False,
) -> None:
    """Make a new key: FILE, readable by you only, and FILE.pub to give away."""
    kid = name or file.stem
    with told_plainly():
        pair = new_sealing_pair(kid) if sealing else new_signing_pair(kid)
        public_file = write_key_pair(file, pair)
    typer.echo(f"Made {'a sealing' if sealing else 'a signing'} key named {kid}")
    typer.echo(f"  {file}  the private half: only you can read it; keep it here, back it up, send it to nobody")
    typer.echo(f"  {public_file}  the public half: give this to whoever asks for your key")
    typer.echo(f"Its fingerprint, to compare over another channel: {fingerprint(pair.public)}")


@app.command()
def show(file: Annotated[Path, typer.Argument(help="A .pub file.")]) -> None:
    """Show a public key's name, kind and fingerprint."""
    with told_plainly():
        key = load_public(file)
    kind = "signing (Ed25519)" if key.crv == "Ed25519" else "sealing (X25519)"
    typer.echo(f"{key.kid}  {kind}  {fingerprint(key)}")
