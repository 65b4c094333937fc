"""The clients of benchmarks/soak.py: good ones, and those that a server on a network meets besides."""

from __future__ import annotations

import io
import json
import random
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from PIL import Image

PATIENCE = 90.0
JPEG = {"Content-Type": "image/jpeg"}


@dataclass
class Seen:
    """What clients met. answers: (since the beginning, how long it took, status) of the good ones, seconds; others:
    how often each kind met which end."""

    began: float = field(default_factory=time.monotonic)
    answers: list[tuple[float, float, str]] = field(default_factory=list)
    others: dict[str, Counter] = field(default_factory=dict)

    def good(self, started: float, status: str) -> None:
        now = time.monotonic()
        self.answers.append((now - self.began, now - started, status))


@dataclass(frozen=True)
class Target:
    """url: of the server; tokens: by name (good, greedy, broken); photos: image files."""

    url: str
    tokens: dict[str, str]
    photos: list[bytes]

    def client(self, name: str) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers=JPEG | {"Authorization": f"Bearer {self.tokens[name]}"}, timeout=PATIENCE
        )

    def connected(self) -> socket.socket:
        place = urlsplit(self.url)
        plain = socket.create_connection((place.hostname, place.port), PATIENCE)
        return ssl.create_default_context().wrap_socket(plain) if place.scheme == "https" else plain

    def head(self, length: int, name: str = "broken") -> bytes:
        """Of a request with a body of this length."""
        lines = ("POST /propose HTTP/1.1", "Host: x", "Content-Type: image/jpeg", f"Content-Length: {length}",
                 f"Authorization: Bearer {self.tokens[name]}")  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def good(target: Target, draw: random.Random, stop: threading.Event, seen: Seen) -> None:
    """One request after the other, as somebody who labels: a photo, with or without a box."""
    with target.client("good") as client:
        while not stop.is_set():
            started = time.monotonic()
            try:
                answer = client.post("/propose", content=draw.choice(target.photos))
                status = str(answer.status_code)
            except httpx.HTTPError as error:
                status = type(error).__name__
            seen.good(started, status)
            stop.wait(draw.uniform(0.2, 0.6))


def slow(target: Target, draw: random.Random, stop: threading.Event) -> str:
    """A body that comes in drops; some are whole at the end."""
    photo = draw.choice(target.photos)
    with target.connected() as connection:
        connection.sendall(target.head(len(photo)))
        pieces = draw.randint(3, 12)
        size = len(photo) // pieces + 1
        for start in range(0, len(photo), size):
            connection.sendall(photo[start : start + size])
            if stop.wait(0.3):
                return "stopped"
        return _status(connection)


def broken(target: Target, draw: random.Random, stop: threading.Event) -> str:
    """Cut photos, noise, wrong types, no JSON."""
    photo = draw.choice(target.photos)
    bodies = (photo[: len(photo) // 2], draw.randbytes(5000), b"", photo[:300] + draw.randbytes(3000), b"{}" * 100)
    query = draw.choice(({}, {"boxes": "[["}, {"boxes": "[[0,0,0,0]]"}, {"K": "[]"}, {"sides": "[7]"}))
    kind = draw.choice(("image/jpeg", "text/html", "image/png", "application/x-npz"))
    path = draw.choice(("/propose", "/prompt", "/remember", "/nowhere"))
    with target.client("broken") as client:
        answer = client.post(path, content=draw.choice(bodies), params=query, headers={"Content-Type": kind})
        return str(answer.status_code)


def hostile(target: Target, draw: random.Random, stop: threading.Event) -> str:
    """Image bombs, thousands of boxes, numbers without sense, long lines, guessed tokens, heads that never end."""
    kind = draw.randrange(6)
    if kind == 0:
        with target.client("broken") as client, io.BytesIO() as file:
            Image.new("1", (9000, 9000)).save(file, "png")
            return str(client.post("/propose", content=file.getvalue()).status_code)
    if kind == 1:
        boxes = json.dumps([[0, 0, 90, 90]] * 500)
        with target.client("broken") as client:
            return str(client.post("/propose", params={"boxes": boxes}, content=target.photos[0]).status_code)
    if kind == 2:
        with target.client("broken") as client:
            answer = client.post("/propose", params={"boxes": "[[-1e300,0,1e300,9]]"}, content=target.photos[0])
            return str(answer.status_code)
    if kind == 3:
        guessed = {"Authorization": f"Bearer hma_{draw.getrandbits(200)}"}
        return str(httpx.post(target.url + "/propose", content=b"x", headers=guessed, timeout=PATIENCE).status_code)
    with target.connected() as connection:
        connection.sendall(b"GET /" + b"x" * 100_000 if kind == 4 else b"GET /health HTT")
        return _status(connection)


def leaving(target: Target, draw: random.Random, stop: threading.Event) -> str:
    """Asks, and goes before the answer; or in the middle of the question."""
    photo = draw.choice(target.photos)
    with target.connected() as connection:
        connection.sendall(target.head(len(photo)) + photo[: draw.choice((len(photo), len(photo) // 3))])
        stop.wait(draw.uniform(0.0, 0.3))
    return "left"


def greedy(target: Target, draw: random.Random, stop: threading.Event) -> str:
    """As much as it can, until its quota says no."""
    with target.client("greedy") as client:
        answer = client.post("/propose", content=draw.choice(target.photos))
        if answer.status_code == 429:
            stop.wait(min(2.0, float(answer.headers["Retry-After"])))
        return str(answer.status_code)


OTHERS = (slow, broken, hostile, leaving, greedy)


def repeated(
    kind: Callable[[Target, random.Random, threading.Event], str],
    target: Target, draw: random.Random, stop: threading.Event, seen: Seen,
) -> None:  # fmt: skip
    """One of those, again and again, and how each ended."""
    ends = seen.others.setdefault(kind.__name__, Counter())
    while not stop.is_set():
        try:
            ends[kind(target, draw, stop)] += 1
        except (httpx.HTTPError, OSError) as error:
            ends[type(error).__name__] += 1
        stop.wait(draw.uniform(0.1, 0.5))


def _status(connection: socket.socket) -> str:
    said = connection.recv(4096)
    return said.split(b" ", 2)[1].decode() if said.startswith(b"HTTP/1.1 ") else "closed"
