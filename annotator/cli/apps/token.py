"""`annotator token add/list/revoke`: who may use a team's server (`annotator serve --tokens FILE`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from annotator.cli.support.output import JsonOption, emit

FILE = "ANNOTATOR_TOKENS"

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FileOption = Annotated[
    Path,
    typer.Option("--tokens", metavar="FILE", help="The file that holds the tokens' hashes.", envvar=FILE),
]
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Whose token it is.", show_default=False)]


@app.callback()
def token() -> None:
    """Tokens with names for `annotator serve --tokens FILE`; a change holds at once, without a restart."""


@app.command()
def add(
    name: NameArgument,
    tokens: FileOption,
    requests: Annotated[
        float | None, typer.Option(help="Requests a minute; none: no limit.", show_default=False)
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Seconds of the model a minute; none: no limit.", show_default=False)
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Proposals, and no corrections.")] = False,
    days: Annotated[
        float | None, typer.Option(help="How long it holds; none: until it is revoked.", min=0, show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it, this once: the file has only its hash."""
    from annotator.serving.access.tokens import add as added

    made = added(tokens.expanduser(), name, requests, seconds, read_only, days)
    emit(as_json, {"name": name, "token": made}, made)


@app.command("list")
def show(tokens: FileOption, as_json: JsonOption = False) -> None:
    """Whose tokens there are, what each may have, and which hold."""
    from annotator.serving.access.tokens import read

    rows: list[dict[str, Any]] = []
    lines = []
    for one in read(tokens.expanduser()):
        state = "holds" if one.holds else f"revoked {one.revoked}" if one.revoked else f"over since {one.expires}"
        rows.append({"name": one.name, "holds": one.holds, "made": one.made, "revoked": one.revoked,
                     "expires": one.expires, "requests": one.requests, "seconds": one.seconds,
                     "read_only": one.read_only})  # fmt: skip
        may = [f"{one.requests:g} requests a minute"] if one.requests is not None else []
        may += [f"{one.seconds:g} s of the model a minute"] if one.seconds is not None else []
        may += ["read-only"] if one.read_only else []
        may += [f"until {one.expires}"] if one.expires and one.holds else []
        lines.append(f"{one.name}: {state}, made {one.made}" + "".join(f", {said}" for said in may))
    emit(as_json, {"tokens": rows}, "\n".join(lines) or "no tokens")


@app.command()
def revoke(name: NameArgument, tokens: FileOption, as_json: JsonOption = False) -> None:
    """NAME's token opens nothing any more."""
    from annotator.serving.access.tokens import revoke as revoked

    revoked(tokens.expanduser(), name)
    emit(as_json, {"name": name, "revoked": True}, f"{name}'s token is revoked")
