"""`annotator serve`: the model behind HTTP, for people who label elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.apps.token import FILE
from annotator.cli.proposing.propose import DeviceOption, ModelOption

TOKEN = "ANNOTATOR_TOKEN"


def command(
    host: Annotated[
        str, typer.Option(help="The address to listen at; 0.0.0.0: every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0: any free one.", min=0, max=65535)] = 8631,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    token_file: Annotated[
        Path | None,
        typer.Option(help=f"A file with the token that clients show; else {TOKEN} is taken, else one is made up."),
    ] = None,
    batch: Annotated[int, typer.Option(help="Photos in one pass of the network.", min=1, max=1024)] = 16,
    largest: Annotated[int, typer.Option(help="Most megabytes of a request.", min=1, max=1000)] = 24,
    megapixels: Annotated[int, typer.Option(help="Most megapixels of a photo.", min=1, max=1000)] = 40,
    boxes: Annotated[int, typer.Option(help="Most boxes in a request.", min=1, max=1000)] = 32,
    waiting: Annotated[int, typer.Option(help="Most requests that wait.", min=1)] = 256,
    connections: Annotated[int, typer.Option(help="Most open connections.", min=1)] = 512,
    connections_each: Annotated[
        int, typer.Option(help="Most of one address; 0: no limit of its own (behind a proxy).", min=0)
    ] = 128,
    certificate: Annotated[Path | None, typer.Option(help="For HTTPS: the certificate's file.")] = None,
    key: Annotated[Path | None, typer.Option(help="For HTTPS: the key's file.")] = None,
    proxy: Annotated[
        str, typer.Option(help="Addresses of a proxy in front, whose X-Forwarded-For is believed.")
    ] = "127.0.0.1",
    tokens: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Named tokens (`annotator token`); also ANNOTATOR_TOKENS.", envvar=FILE),
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Proposals, and no corrections, for all.")] = False,
    audit: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Who asked for what and when, one JSON object a line.")
    ] = None,
    audit_megabytes: Annotated[float, typer.Option(help="Most of one such file.", min=0.01)] = 10,
    audit_keep: Annotated[int, typer.Option(help="How many older ones stay.", min=1)] = 10,
    project: Annotated[
        str | None,
        typer.Option(metavar="PROJECT", help="Serve what its rounds promoted, and what they will.", show_default=False),
    ] = None,
    look: Annotated[float, typer.Option(help="Seconds between looks for a newer checkpoint.", min=0.1)] = 10,
    keep_models: Annotated[
        int, typer.Option(help="Checkpoints that stay for windows opened with them, the current one counted.", min=1)
    ] = 2,
    also: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=CHECKPOINT", help="Another model, for `?model=NAME`.", show_default=False),
    ] = None,
) -> None:
    """Serve the model over HTTP (docs/serving.md); Ctrl-C ends it when what was asked is answered, SIGHUP looks for a
    newer checkpoint and certificate."""
    from annotator.errors import InputError

    try:
        from annotator.serving.access.audit import Audit
        from annotator.serving.access.tokens import TokenFile
        from annotator.serving.app import make_app
        from annotator.serving.limits import Limits
        from annotator.serving.server import Place, run
    except ImportError as error:
        raise InputError(f"serving needs an extra: pip install 'hand-mesh-annotator[serve]' ({error})") from error
    from annotator.model import load_model

    if tokens is not None and token_file is not None:
        raise InputError("--tokens and --token-file: one of them")
    if project is not None and model is not None:
        raise InputError("--project and --model: one of them")
    place = Place(host, port, certificate, key, proxy)
    token, made_up = ("", False) if tokens is not None else _token(token_file)
    access = token if tokens is None else TokenFile(tokens.expanduser())
    limits = Limits(
        body=largest * 1_000_000, pixels=megapixels * 1_000_000, boxes=boxes, waiting=waiting, batch=batch,
        connections=connections, connections_each=connections_each or connections,
    )  # fmt: skip
    newest = _newest(project, model)
    others = {name: load_model(path, device=device) for name, path in map(_named, also or ())}
    written = None if audit is None else Audit(audit.expanduser(), audit_megabytes, audit_keep)
    app = make_app(load_model(newest(), device=device), access, limits, others, keep_models, written, read_only)

    def said(url: str) -> None:
        typer.echo(f"serving at {url}", err=True)
        if made_up:
            typer.echo(f"token: {token}", err=True)

    watched = look if project is not None else None
    run(app, place, limits, said, newest, lambda checkpoint: load_model(checkpoint, device=device), watched)


def _newest(project: str | None, model: Path | None) -> Callable[[], Path | None]:
    """Where the checkpoint is that should be served now."""
    if project is None:
        return lambda: model
    from annotator.project import Project
    from annotator.rounds.storage import current_checkpoint

    with Project.open(project) as found:
        pass  # only its folder is looked into from here on
    return lambda: current_checkpoint(found)


def _named(given: str) -> tuple[str, Path]:
    from annotator.errors import InputError

    name, _, path = given.partition("=")
    if not name or not path or not name.isprintable():
        raise InputError(f"--also {given!r}: expected NAME=CHECKPOINT")
    return name, Path(path)


def _token(file: Path | None) -> tuple[str, bool]:
    """(the token, whether it was made up). InputError: the file cannot be read or is empty."""
    import secrets

    from annotator.errors import InputError
    from annotator.files.file_errors import reading

    if file is None:
        token = os.environ.get(TOKEN, "").strip()
        return (token, False) if token else (secrets.token_urlsafe(24), True)
    with reading(file, "is no file of a token", UnicodeDecodeError):
        token = file.read_text().strip()
    if not token:
        raise InputError(f"token file {file} is empty")
    return token, False
