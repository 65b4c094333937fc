"""What a named client may have a minute: requests, and seconds of the model.

Each is a bucket that fills evenly and holds a minute's worth, so that somebody who was away may go fast for a moment.
The model's seconds are known only afterwards: what a request is likely to take is held back while it runs, and what it
took may leave a debt, which is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from annotator.serving.access.tokens import Client

MINUTE = 60.0
RECENT = 0.3  # share of the newest request in what one is expected to take


@dataclass
class _Bucket:
    """level: what is left; at: when that was so."""

    level: float
    at: float

    def fill(self, most: float, now: float) -> float:
        self.level = min(most, self.level + (now - self.at) * most / MINUTE)
        self.at = now
        return self.level


@dataclass
class _Account:
    requests: _Bucket | None = None
    seconds: _Bucket | None = None
    usual: float = 0.0  # seconds of the model for one request, lately


class Quotas:
    """By name. clock: seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    def take(self, client: Client) -> tuple[float, str, float]:
        """(what is held back for this request, "", 0), or (0, what is used up, seconds until there is some again)."""
        if client.requests is None and client.seconds is None:
            return 0.0, "", 0.0
        account, now = self._accounts.setdefault(client.name, _Account()), self._clock()
        counted = account.requests = _opened(account.requests, client.requests, now)
        timed = account.seconds = _opened(account.seconds, client.seconds, now)
        if counted is not None and client.requests is not None:
            if (left := counted.fill(client.requests, now)) < 1 and left < client.requests:
                return 0.0, "requests", (min(1, client.requests) - left) * MINUTE / client.requests
        held = 0.0
        if timed is not None and client.seconds is not None:
            left, held = timed.fill(client.seconds, now), min(account.usual, client.seconds)
            if left <= 0 or left < held:
                return 0.0, "seconds of the model", (held - left) * MINUTE / client.seconds
            timed.level -= held
        if counted is not None:
            counted.level -= 1
        return held, "", 0.0

    def settle(self, client: Client, held: float, took: float) -> None:
        """The request is over: what was held back comes back, what the model worked for it goes."""
        account = self._accounts.get(client.name)
        if account is None or account.seconds is None:
            return
        account.seconds.level += held - took
        account.usual += RECENT * (took - account.usual)


def _opened(bucket: _Bucket | None, most: float | None, now: float) -> _Bucket | None:
    return None if most is None else bucket or _Bucket(most, now)
