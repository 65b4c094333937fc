"""What a server takes from its clients, in one place: `docs/serving.md` has the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """body: bytes of a request; pixels: of a photo; boxes: of a request; waiting: requests that wait for the model;
    batch: photos in a pass; held: bytes of all bodies that are in memory at one time.

    In seconds: seconds: for a body to come; head: for a request's line and headers; patience: from a request to its
    answer; work: of the model for one request.
    connections, connections_each: open ones, in all and of one address; line, heads: bytes of a request's line, and of
    it with its headers.
    """

    body: int = 24_000_000
    pixels: int = 40_000_000
    boxes: int = 32
    waiting: int = 256
    batch: int = 16
    held: int = 400_000_000
    seconds: float = 60.0
    head: float = 10.0
    patience: float = 60.0
    work: float = 30.0
    connections: int = 512
    connections_each: int = 128
    line: int = 16_000
    heads: int = 64_000
