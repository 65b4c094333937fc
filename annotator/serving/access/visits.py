"""One request: whose it is, and what it took."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from annotator.serving.access.tokens import Client

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class Visit:
    """address: where it came from; id: which a client may choose (`X-Request-ID`); model: the digest of the one that
    answered; hands: in the answer; queued, worked: seconds that it waited for the model, and had of it; sent: bytes of
    the answer; received: bytes of the body; after: told of work that ends when the client has left already."""

    client: Client = field(default_factory=Client)
    address: str = ""
    id: str = ""
    model: str = ""
    hands: int = 0
    queued: float = 0.0
    worked: float = 0.0
    received: int = 0
    sent: int = 0
    after: Callable[[float], None] | None = None

    @classmethod
    def of(cls, request: Request) -> Visit:
        """A new one."""
        told = request.headers.get("x-request-id", "")
        address = request.client.host if request.client else ""
        return cls(address=address, id=told if _ID.fullmatch(told) else secrets.token_hex(8))

    @property
    def turn(self) -> str:
        """Who takes turns with the others: a name, or an address where there are no names (no address begins so)."""
        return f"@{self.client.name}" if self.client.name else self.address

    def took(self, queued: float, worked: float) -> None:
        self.queued += queued
        self.worked += worked
        if self.after is not None:
            self.after(worked)
