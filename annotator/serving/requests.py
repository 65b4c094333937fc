"""What comes with a request: its body, never more than there is room for, its hints; and whether the client waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import numpy as np
from fastapi import Request
from starlette.exceptions import HTTPException

from annotator.serving.batching import Busy
from annotator.serving.limits import Limits
from annotator.serving.metrics import Metrics

Result = TypeVar("Result")


class Gone(Exception):
    """The client has left."""


class Bodies:
    """All bodies that are in memory: `async with bodies.of(request, types) as content`."""

    def __init__(self, limits: Limits, metrics: Metrics):
        self._limits, self._metrics, self.held = limits, metrics, 0

    @asynccontextmanager
    async def of(self, request: Request, types: Sequence[str]) -> AsyncIterator[bytes]:
        """The request's body, counted as long as the block runs. HTTPException: not to be had; Busy: no room for it."""
        self._refuse(request, types)
        parts: list[bytes] = []
        size = 0
        try:
            try:
                with self._metrics.during("body"):
                    async with asyncio.timeout(self._limits.seconds):
                        async for part in request.stream():
                            size += len(part)
                            self.held += len(part)
                            if size > self._limits.body:
                                raise HTTPException(413, f"a body of more than {self._limits.body} bytes")
                            if self.held > self._limits.held:
                                raise Busy
                            parts.append(part)
            except TimeoutError as error:
                raise HTTPException(408, "the body did not come") from error
            if not size:
                raise HTTPException(400, "the body is empty")
            content = b"".join(parts)
            parts.clear()
            yield content
        finally:
            self.held -= size

    def _refuse(self, request: Request, types: Sequence[str]) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in types:
            raise HTTPException(415, f"content type {kind or 'missing'!r}: expected {', '.join(types)}")
        told = request.headers.get("content-length", "0")
        if told.isdigit() and int(told) > self._limits.body:
            raise HTTPException(413, f"a body of {told} bytes: at most {self._limits.body} are taken")


async def while_there(request: Request, answer: Awaitable[Result]) -> Result:
    """The answer, unless the client leaves before it is there: then it is cancelled, and `Gone`. The body has come."""
    working, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_leaving(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Gone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _leaving(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def hints(request: Request, limits: Limits) -> list:
    """[boxes, sides, K] of a request, None where nothing is told. HTTPException: 400 no JSON, 422 of another kind, or
    more than is taken."""
    boxes, sides, K = (_json(request, name) for name in ("boxes", "sides", "K"))
    if K is not None:
        try:
            K = np.array(K, np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise HTTPException(400, f"K: {error}") from error
    for name, value in (("boxes", boxes), ("sides", sides)):
        if value is not None and not isinstance(value, list):
            raise HTTPException(422, f"{name}: expected a list")
        if value is not None and len(value) > limits.boxes:
            raise HTTPException(422, f"{len(value)} {name}: at most {limits.boxes} are taken in one request")
    return [boxes, sides, K]


def _json(request: Request, name: str) -> Any:
    text = request.query_params.get(name)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"{name} is no JSON: {error}") from error
