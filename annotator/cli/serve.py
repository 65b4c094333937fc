"""`annotator serve`: the model behind HTTP, for people who label elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.propose import DeviceOption, ModelOption

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
    waiting: Annotated[int, typer.Option(help="Most requests that wait.", min=1)] = 256,
    certificate: Annotated[Path | None, typer.Option(help="For HTTPS: the certificate's file.")] = None,
    key: Annotated[Path | None, typer.Option(help="For HTTPS: the key's file.")] = None,
) -> None:
    """Serve the model over HTTP (docs/scaling.md); Ctrl-C ends it."""
    from annotator.errors import InputError

    try:
        import uvicorn

        from annotator.serving.app import Limits, make_app
    except ImportError as error:
        raise InputError(f"serving needs an extra: pip install 'hand-mesh-annotator[serve]' ({error})") from error
    from annotator.model import load_model

    token, made_up = _token(token_file)
    for file in (certificate, key):
        if file is not None and not file.is_file():
            raise InputError(f"{file}: no such file")
    app = make_app(
        load_model(model, device=device), token, Limits(body=largest * 1_000_000, waiting=waiting, batch=batch)
    )
    settings = uvicorn.Config(
        app, host, port, log_level="warning", access_log=False, timeout_keep_alive=30, ws="none",
        ssl_certfile=certificate, ssl_keyfile=key,
    )  # fmt: skip
    server = uvicorn.Server(settings)
    try:
        socket = settings.bind_socket()
    except SystemExit as error:  # uvicorn has said why
        raise InputError(f"cannot listen at {host}:{port}") from error
    scheme = "https" if certificate else "http"
    typer.echo(f"serving at {scheme}://{host}:{socket.getsockname()[1]}", err=True)
    if made_up:
        typer.echo(f"token: {token}", err=True)
    server.run(sockets=[socket])


def _token(file: Path | None) -> tuple[str, bool]:
    """(the token, whether it was made up). InputError: the file cannot be read or is empty."""
    import secrets

    from annotator.errors import InputError

    if file is None:
        token = os.environ.get(TOKEN, "").strip()
        return (token, False) if token else (secrets.token_urlsafe(24), True)
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"token file {file}: {error}") from error
    if not token:
        raise InputError(f"token file {file} is empty")
    return token, False
