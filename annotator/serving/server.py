"""A server as a process: its place, its certificate, its signals, its end."""

from __future__ import annotations

import contextlib
import logging
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from annotator.errors import InputError
from annotator.model import Model
from annotator.serving.connections import configured
from annotator.serving.limits import Limits
from annotator.serving.models.reloading import Reloader

GRACE = 15.0  # s more than a request's patience: then what is not answered is cut off

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """host, port: where it listens (0: any free port); certificate, key: files, for HTTPS; proxy: addresses whose word
    on where a request comes from is believed. InputError: a file is not there."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    proxy: str = "127.0.0.1"

    def __post_init__(self) -> None:
        for file in (self.certificate, self.key):
            if file is not None and not file.is_file():
                raise InputError(f"{file}: no such file")
        if self.key is not None and self.certificate is None:
            raise InputError("a key needs its certificate: --certificate")


def run(
    app: FastAPI,
    place: Place,
    limits: Limits,
    said: Callable[[str], None],
    newest: Callable[[], Path | None],
    load: Callable[[Path | None], Model],
    look: float | None = None,
) -> None:
    """Serves until SIGTERM or Ctrl-C, then answers what was asked before. said: told the URL when it listens; newest,
    load, look: see `Reloader`. InputError: it cannot listen there, or the certificate is none."""
    settings = configured(
        app, place.host, place.port, limits, ssl_certfile=place.certificate, ssl_keyfile=place.key,
        forwarded_allow_ips=place.proxy, timeout_graceful_shutdown=int(limits.patience + GRACE),
    )  # fmt: skip
    try:
        settings.load()
    except (ssl.SSLError, OSError) as error:
        raise InputError(f"certificate {place.certificate}, key {place.key}: {error}") from error
    try:
        socket = settings.bind_socket()
        socket.listen(settings.backlog)  # uvicorn does so when the app has begun: who is told the URL would be refused
    except (SystemExit, OSError) as error:  # uvicorn has said why
        raise InputError(f"cannot listen at {place.host}:{place.port}") from error
    reloader = Reloader(app.state.models, newest, load, look)

    def hung_up(*_: object) -> None:
        reloader.ask()
        _renew_certificate(settings, place)

    with _on_hangup(hung_up):
        said(f"{'https' if place.certificate else 'http'}://{place.host}:{socket.getsockname()[1]}")
        try:
            uvicorn.Server(settings).run(sockets=[socket])
        finally:
            reloader.close()


def _renew_certificate(settings: uvicorn.Config, place: Place) -> None:
    """The files as they are now, for connections from now on; if they do not fit together, those that are in use.

    They are tried elsewhere first: a certificate that finds another one's key throws that key away, and the server
    could then answer nobody. A renewal that is half written is such a pair.
    """
    if settings.ssl is None or place.certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(place.certificate, place.key)
        settings.ssl.load_cert_chain(place.certificate, place.key)
    except (ssl.SSLError, OSError) as error:
        _log.warning("the certificate was not renewed: %s", error)


@contextlib.contextmanager
def _on_hangup(handler: Callable[..., None]) -> Iterator[None]:
    """SIGHUP means `handler` while the block runs; nothing does on Windows, and outside the main thread."""
    if not hasattr(signal, "SIGHUP") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
