"""The HTTP application: `/propose`, `/remember`, `/prompt`, `/health`, `/metrics`.

    curl -H "Authorization: Bearer TOKEN" -H "Content-Type: image/jpeg" --data-binary @photo.jpg HOST/propose

`/propose` takes an image file (query: `boxes`, `sides`, `K` as JSON) and answers JSON, or, for `Accept:
application/x-npz`, what `serving.wire` packs; the other two speak that alone. Statuses: 400 not readable, 401 no or a
wrong token, 408 the body did not come, 413 too large, 415 another type, 422 readable but not usable, 503 too much is
waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException

from annotator.correcting.checks import check_corrections
from annotator.errors import InputError
from annotator.model import Model
from annotator.network.hand_meshes import Remembered
from annotator.serving import wire
from annotator.serving.batching import Batcher, Busy
from annotator.vision.photos import decode_photo

IMAGES = ("image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp", "application/octet-stream")


@dataclass(frozen=True)
class Limits:
    """body: bytes of a request; pixels: of a photo; waiting: requests; batch: photos in a pass; seconds: for a body."""

    body: int = 24_000_000
    pixels: int = 40_000_000
    waiting: int = 256
    batch: int = 16
    seconds: float = 60.0


class Service:
    """A model with its queues and its counts."""

    def __init__(self, model: Model, token: str, limits: Limits):
        self.model, self.token, self.limits = model, token, limits
        self.registry = CollectorRegistry()
        labels = ("path", "status")
        self.requests = Counter("annotator_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram("annotator_request_seconds", "Time of a request", ("path",), registry=self.registry)
        self.hands = Counter("annotator_hands", "Hands proposed", registry=self.registry)
        waiting = Gauge("annotator_waiting", "Requests that wait for the model", registry=self.registry)
        self.proposing = Batcher(self._propose, limits.batch, limits.waiting)
        self.correcting = Batcher(self._prompt, 1, limits.waiting)
        waiting.set_function(lambda: self.proposing.waiting + self.correcting.waiting)
        self.shapes = self._warm_up()

    def _warm_up(self) -> list[tuple]:
        """The first pass is slow: better now than in a person's request. Shapes of this model's features."""
        photo = np.zeros((64, 64, 3), np.uint8)
        (hand,) = self.model.propose(photo, boxes=[(8, 8, 56, 56)], sides=["right"])
        return wire.shapes(hand.features)

    def _propose(self, items) -> list:
        """(image file, boxes, sides, K) -> hands, or what is wrong with it."""
        results: list = [None] * len(items)
        ready = []
        for at, (content, *hints) in enumerate(items):
            try:
                photo = decode_photo(content, "photo")
                if photo.shape[0] * photo.shape[1] > self.limits.pixels:
                    raise HTTPException(413, f"photo of {photo.shape[1]} x {photo.shape[0]} px: too large")
                ready.append((at, photo, *hints))
            except InputError as error:
                results[at] = HTTPException(400, str(error))
            except HTTPException as error:
                results[at] = error
        try:
            if ready:
                columns: Any = zip(*ready, strict=True)
                numbers, photos, boxes, sides, cameras = columns
                answers = self.model.propose_many(photos, boxes, sides, cameras, batch=self.limits.batch)
                for at, hands in zip(numbers, answers, strict=True):
                    results[at] = hands
        except Exception:  # noqa: BLE001  one of them, which must not spoil the others: each alone
            for at, photo, *hints in ready:
                try:
                    results[at] = self.model.propose(photo, *hints)
                except Exception as error:  # noqa: BLE001  told to who asked for it
                    results[at] = error
        self.hands.inc(sum(len(hands) for hands in results if isinstance(hands, list)))
        return results

    def _prompt(self, items) -> list:
        (work,) = items
        try:
            return [work()]
        except InputError as error:
            return [error]

    async def prompt(self, data: bytes) -> bytes:
        hands, more, _ = _read(data)
        if len(hands) != 1 or not isinstance(hands[0].features, Remembered):
            raise HTTPException(400, "expected one hand with its features")
        if wire.shapes(hands[0].features) != self.shapes:
            raise HTTPException(422, "these features are another model's")
        try:
            corrections = check_corrections({int(k): v for k, v in dict(more["corrections"]).items()})
        except InputError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise HTTPException(400, f"corrections: {error}") from error
        answered = await self.correcting.ask(lambda: self.model.prompted(hands[0], corrections))
        return wire.pack([answered.replace(features=None)], features=False)

    async def remember(self, data: bytes) -> bytes:
        hands, _, content = _read(data)
        if len(hands) != 1:
            raise HTTPException(400, "expected one hand")
        try:
            photo = decode_photo(content, "photo")
        except InputError as error:
            raise HTTPException(400, str(error)) from error
        return wire.pack([await self.correcting.ask(lambda: self.model.remember(photo, hands[0]))])


def _read(data: bytes):
    try:
        return wire.unpack(data)
    except InputError as error:
        raise HTTPException(400, str(error)) from error


def make_app(model: Model, token: str, limits: Limits = Limits()) -> FastAPI:
    """The application. token: what clients have to show; "" lets everybody in."""
    service = Service(model, token, limits)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI):
        yield
        service.proposing.close()
        service.correcting.close()

    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service

    @app.middleware("http")
    async def guard(request: Request, call_next):
        started, path = time.perf_counter(), request.url.path
        try:
            response = _refused(request, service) or await call_next(request)
        except Exception as error:  # noqa: BLE001  our own mistake: no details for strangers
            response = JSONResponse({"detail": f"internal error ({type(error).__name__})"}, 500)
        known = path if path in PATHS else "other"
        service.requests.labels(known, response.status_code).inc()
        service.seconds.labels(known).observe(time.perf_counter() - started)
        return response

    @app.exception_handler(InputError)
    async def unusable(_: Request, error: InputError):
        return JSONResponse({"detail": str(error)}, 422)

    @app.exception_handler(Busy)
    async def busy(_: Request, error: Busy):
        return JSONResponse({"detail": "too many requests are waiting"}, 503, {"Retry-After": "1"})

    @app.get("/health")
    async def health():
        hand = model.hand
        return {"status": "ok", "model": model.digest, "hand_model": hand.name, "hand_digest": hand.digest,
                "device": str(model.device), "waiting": service.proposing.waiting}  # fmt: skip

    @app.get("/metrics")
    async def metrics():
        return Response(generate_latest(service.registry), media_type=CONTENT_TYPE_LATEST)

    @app.post("/propose")
    async def propose(request: Request):
        content = await _body(request, limits, IMAGES)
        hints = [_json(request, name) for name in ("boxes", "sides", "K")]
        if hints[2] is not None:
            try:
                hints[2] = np.array(hints[2], np.float64)
            except (TypeError, ValueError) as error:
                raise HTTPException(400, f"K: {error}") from error
        for name, value in zip(("boxes", "sides"), hints, strict=False):
            if value is not None and not isinstance(value, list):
                raise HTTPException(422, f"{name}: expected a list")
        hands = await service.proposing.ask((content, *hints))
        if request.headers.get("accept") == wire.TYPE:
            packed = await asyncio.to_thread(wire.pack, hands, {"model": model.digest})
            return Response(packed, media_type=wire.TYPE)
        return {"model": model.digest, "hands": [as_json(hand) for hand in hands]}

    @app.post("/remember")
    async def remember(request: Request):
        return Response(await service.remember(await _body(request, limits, (wire.TYPE,))), media_type=wire.TYPE)

    @app.post("/prompt")
    async def prompt(request: Request):
        return Response(await service.prompt(await _body(request, limits, (wire.TYPE,))), media_type=wire.TYPE)

    return app


PATHS = ("/health", "/metrics", "/propose", "/remember", "/prompt")


def _refused(request: Request, service: Service) -> Response | None:
    """An answer for who may not come in."""
    if request.url.path == "/health" or not service.token:
        return None
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), service.token.encode()):
        return None
    return JSONResponse({"detail": "a token is needed"}, 401, {"WWW-Authenticate": "Bearer"})


async def _body(request: Request, limits: Limits, types: tuple[str, ...]) -> bytes:
    """The request's body, never more of it than the limit."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in types:
        raise HTTPException(415, f"content type {kind or 'missing'!r}: expected {', '.join(types)}")
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > limits.body:
        raise HTTPException(413, f"a body of {told} bytes: at most {limits.body} are taken")
    parts, size = [], 0
    try:
        async with asyncio.timeout(limits.seconds):
            async for part in request.stream():
                size += len(part)
                if size > limits.body:
                    raise HTTPException(413, f"a body of more than {limits.body} bytes")
                parts.append(part)
    except TimeoutError as error:
        raise HTTPException(408, "the body did not come") from error
    if not size:
        raise HTTPException(400, "the body is empty")
    return b"".join(parts)


def _json(request: Request, name: str):
    text = request.query_params.get(name)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"{name} is no JSON: {error}") from error


def as_json(hand) -> dict:
    """A hand for programs of others: px and m, as in `HandMesh`."""
    arrays = ("camera", "keypoints", "keypoint_sigma", "joints", "vertices")
    return {"side": hand.side, "confidence": hand.confidence, "hand_model": hand.hand_model} | {
        name: np.round(getattr(hand, name), 6).tolist() for name in arrays
    }
