"""`annotator serve`: the model behind HTTP, for people who label elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from annotator.cli.labelling.propose import DeviceOption, ModelOption

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
) -> None:
    """Serve the model over HTTP (docs/scaling.md); Ctrl-C ends it."""
    from annotator.errors import InputError

    try:
        import uvicorn

        from annotator.serving.app import make_app
        from annotator.serving.door import configured
        from annotator.serving.limits import Limits
    except ImportError as error:
        raise InputError(f"serving needs an extra: pip install 'hand-mesh-annotator[serve]' ({error})") from error
    from annotator.model import load_model

    token, made_up = _token(token_file)
    for file in (certificate, key):
        if file is not None and not file.is_file():
            raise InputError(f"{file}: no such file")
    limits = Limits(
        body=largest * 1_000_000, pixels=megapixels * 1_000_000, boxes=boxes, waiting=waiting, batch=batch,
        connections=connections, connections_each=connections_each or connections,
    )  # fmt: skip
    app = make_app(load_model(model, device=device), token, limits)
    settings = configured(app, host, port, limits, ssl_certfile=certificate, ssl_keyfile=key)
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
