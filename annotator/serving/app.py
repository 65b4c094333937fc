"""The HTTP application: `/propose`, `/remember`, `/prompt`, `/health`, `/ready`, `/metrics`.

    curl -H "Authorization: Bearer TOKEN" -H "Content-Type: image/jpeg" --data-binary @photo.jpg HOST/propose

`/propose` takes an image file (query: `boxes`, `sides`, `K` as JSON) and answers JSON, or, for `Accept:
application/x-npz`, what `serving.wire` packs; the other two speak that alone. Statuses: 400 not readable, 401 no or a
wrong token, 408 the body did not come, 413 too large, 415 another type, 422 readable but not usable, 503 too much is
waiting, or no answer in time. `serving.door` has those of requests that are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from annotator.errors import InputError
from annotator.model import Model
from annotator.serving import wire
from annotator.serving.batching import Abandoned, Busy, Overdue
from annotator.serving.coming import Bodies, Gone, hints, while_there
from annotator.serving.limits import Limits
from annotator.serving.service import Service

IMAGES = ("image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp", "application/octet-stream")
PATHS = ("/health", "/ready", "/metrics", "/propose", "/remember", "/prompt")
OPEN = ("/health", "/ready")  # to everybody
READ = ["GET", "HEAD"]
LEFT = 499  # for our own counts: nobody reads this answer


def make_app(model: Model, token: str, limits: Limits = Limits()) -> FastAPI:  # noqa: B008  it is frozen
    """The application. token: what clients have to show; "" lets everybody in."""
    service, bodies = Service(model, token, limits), Bodies(limits)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI):
        yield
        service.close()

    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service, app.state.bodies = service, bodies
    app.add_middleware(Guard, service=service)
    for kind, status, said in (
        (Busy, 503, "too many requests are waiting"),
        (Overdue, 503, "the model did not answer in time"),
        (Abandoned, LEFT, "the client has left"),
        (Gone, LEFT, "the client has left"),
    ):
        app.add_exception_handler(kind, _telling(status, said))

    @app.exception_handler(InputError)
    async def unusable(_: Request, error: InputError):
        return JSONResponse({"detail": str(error)}, 422)

    @app.api_route("/health", methods=READ)
    async def health():
        hand = model.hand
        return service.health() | {"model": model.digest, "hand_model": hand.name, "hand_digest": hand.digest,
                                   "device": str(model.device)}  # fmt: skip

    @app.api_route("/ready", methods=READ)
    async def ready():
        now = service.health()
        return JSONResponse(now, 200 if now["ready"] else 503)

    @app.get("/metrics")
    async def metrics():
        return Response(generate_latest(service.registry), media_type=CONTENT_TYPE_LATEST)

    @app.post("/propose")
    async def propose(request: Request):
        told = hints(request, limits)
        async with bodies.of(request, IMAGES) as content:
            hands = await while_there(request, service.propose(content, told, client_of(request)))
        if request.headers.get("accept") == wire.TYPE:
            packed = await asyncio.to_thread(wire.pack, hands, {"model": model.digest})
            return Response(packed, media_type=wire.TYPE)
        return {"model": model.digest, "hands": [as_json(hand) for hand in hands]}

    @app.post("/remember")
    async def remember(request: Request):
        async with bodies.of(request, (wire.TYPE,)) as data:
            answer = await while_there(request, service.remember(data, client_of(request)))
        return Response(answer, media_type=wire.TYPE)

    @app.post("/prompt")
    async def prompt(request: Request):
        async with bodies.of(request, (wire.TYPE,)) as data:
            answer = await while_there(request, service.prompt(data, client_of(request)))
        return Response(answer, media_type=wire.TYPE)

    return app


class Guard:
    """Before every path: who may come in; after it: what was answered, and when."""

    def __init__(self, app, service: Service):
        self._app, self._service = app, service

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        service, started, status = self._service, time.perf_counter(), 0

        async def noting(message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await (_refused(Request(scope), service) or self._app)(scope, receive, noting)
        except Exception as error:  # noqa: BLE001  our own mistake: no details for strangers
            if status:
                raise
            said = {"detail": f"internal error ({type(error).__name__})"}
            await JSONResponse(said, 500)(scope, receive, noting)
        finally:
            known = scope["path"] if scope["path"] in PATHS else "other"
            service.requests.labels(known, status).inc()
            service.seconds.labels(known).observe(time.perf_counter() - started)


def _telling(status: int, said: str):
    async def handler(_: Request, error: Exception) -> Response:
        return JSONResponse({"detail": said}, status, {"Retry-After": "1"} if status == 503 else None)

    return handler


def client_of(request: Request) -> str:
    """Who takes turns with the others: an address."""
    return request.client.host if request.client else ""


def _refused(request: Request, service: Service) -> Response | None:
    """An answer for who may not come in."""
    if request.url.path in OPEN or not service.token:
        return None
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), service.token.encode()):
        return None
    return JSONResponse({"detail": "a token is needed"}, 401, {"WWW-Authenticate": "Bearer"})


def as_json(hand) -> dict:
    """A hand for programs of others: px and m, as in `HandMesh`."""
    arrays = ("camera", "keypoints", "keypoint_sigma", "joints", "vertices")
    return {"side": hand.side, "confidence": hand.confidence, "hand_model": hand.hand_model} | {
        name: np.round(getattr(hand, name), 6).tolist() for name in arrays
    }
