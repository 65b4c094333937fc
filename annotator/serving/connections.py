"""Connections and requests' heads: who is let in at all, before anything of a request is believed.

uvicorn waits for headers without end and counts no connections. Here a head has to come in time and in size, and
connections are counted, in all and of each address; who is turned away is told why (408, 414, 431, 503) and heard a
moment longer, so that the answer is not lost in a reset.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from annotator.serving.limits import Limits

LINGER = 2.0  # seconds that a client who was turned away is still heard
MOST_HEARD = 2_000_000  # bytes, then it is cut off


def configured(app: Any, host: str, port: int, limits: Limits, **more: Any) -> uvicorn.Config:
    """uvicorn's settings for an application with limited connections. more: further ones, as uvicorn calls them."""
    settings: dict[str, Any] = {
        "log_level": "warning",
        "access_log": False,
        "timeout_keep_alive": 30,
        "ws": "none",
    } | more
    unread = max(2 * limits.heads, 1 << 16)
    http = limited_protocol(limits)
    return uvicorn.Config(app, host, port, http=http, h11_max_incomplete_event_size=unread, **settings)


def limited_protocol(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol of one server's connections."""
    return type("LimitedConnection", (_LimitedConnection,), {"limits": limits, "open": Counter()})


class _LimitedConnection(H11Protocol):
    limits: Limits
    open: Counter  # connections by address

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head, self._heard, self._away = bytearray(), 0, False
        self._timer: asyncio.TimerHandle | None = None
        self._address = self.client[0] if self.client else ""
        self.open[self._address] += 1
        if self.open.total() > self.limits.connections or self.open[self._address] > self.limits.connections_each:
            self._turn_away(503, "too many connections")
        else:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self.open[self._address] -= 1
        if self.open[self._address] <= 0:
            del self.open[self._address]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._away:
            self._heard += len(data)
            if self._heard > MOST_HEARD:
                self.transport.abort()
            return
        if self._at_head:
            self._head += data
            line, whole = self._head.find(b"\n"), self._ended()
            if (line if line >= 0 else len(self._head)) > self.limits.line:
                self._turn_away(414, f"the request's line is longer than {self.limits.line} bytes")
                return
            if (whole if whole >= 0 else len(self._head)) > self.limits.heads:
                self._turn_away(431, f"the request's head is longer than {self.limits.heads} bytes")
                return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._at_head:
            self._head[:] = self.conn.trailing_data[0]  # of a request that is on its way behind this one
        self._watch()

    def shutdown(self) -> None:
        if self._away:
            self.transport.abort()
        else:
            super().shutdown()

    @property
    def _at_head(self) -> bool:
        """Whether what comes next is a request's head."""
        return self.conn.their_state is h11.IDLE

    @property
    def _left_over(self) -> bool:
        """Whether what comes next is the rest of a body whose request is answered."""
        return self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete

    def _ended(self) -> int:
        """Where the head ends; -1: it has not yet."""
        return max(self._head.find(b"\r\n\r\n"), self._head.find(b"\n\n"))

    def _watch(self) -> None:
        if not self._at_head:
            self._head.clear()
        if not (self._head or self._left_over):
            self._disarm()
        elif self._timer is None:
            self._arm()

    def _arm(self) -> None:
        self._timer = self.loop.call_later(self.limits.head, self._late)

    def _late(self) -> None:
        if self._at_head:
            self._turn_away(408, f"no request came in {self.limits.head:g} seconds")
        else:
            self.transport.abort()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn_away(self, status: int, why: str) -> None:
        self._disarm()
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        self._away = True
        body = json.dumps({"detail": why}).encode()
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        )
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._timer = self.loop.call_later(LINGER, self.transport.abort)
        else:
            self.transport.close()
