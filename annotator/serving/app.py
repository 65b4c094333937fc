"""The HTTP application: `/propose`, `/remember`, `/prompt`, `/health`, `/ready`, `/metrics`.

    curl -H "Authorization: Bearer TOKEN" -H "Content-Type: image/jpeg" --data-binary @photo.jpg HOST/propose

`/propose` takes an image file (query: `boxes`, `sides`, `K` as JSON) and answers JSON, or, for `Accept:
application/x-npz`, what `serving.wire` packs; the other two speak that alone. Statuses: 400 not readable, 401 no or a
wrong token, 408 the body did not come, 413 too large, 415 another type, 422 readable but not usable, 503 too much is
waiting, or no answer in time; 403 only for those who correct, 409 another model, 429 a quota (`serving.access`).
`?model=` or `X-Annotator-Model` names one of several models. `serving.connections` has those of requests that are none.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping

import numpy as np
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from annotator.errors import InputError
from annotator.model import Model
from annotator.serving import wire
from annotator.serving.access.audit import Audit
from annotator.serving.access.guard import Guard
from annotator.serving.access.tokens import Access, OneToken
from annotator.serving.access.visits import Visit
from annotator.serving.batching import Abandoned, Busy, Overdue
from annotator.serving.limits import Limits
from annotator.serving.metrics import Metrics
from annotator.serving.models.served import Models, NotServed
from annotator.serving.requests import Bodies, Gone, hints, while_there
from annotator.serving.service import Service

IMAGES = ("image/jpeg", "image/png", "image/webp", "image/tiff", "image/bmp", "application/octet-stream")
READ = ["GET", "HEAD"]
LEFT = 499  # for our own counts: nobody reads this answer


def make_app(
    model: Model,
    token: str | Access,
    limits: Limits = Limits(),  # noqa: B008  it is frozen
    others: Mapping[str, Model] | None = None,
    kept: int = 2,
    audit: Audit | None = None,
    read_only: bool = False,
) -> FastAPI:
    """The application. token: what clients have to show ("" lets everybody in), or what knows many; others, kept: see
    `Models`; audit: where requests are written down; read_only: nobody corrects."""
    metrics = Metrics()
    models = Models(model, others, kept)
    service, bodies = Service(models, limits, metrics), Bodies(limits, metrics)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI):
        yield
        service.close()
        if audit is not None:
            audit.close()

    app = FastAPI(lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service, app.state.bodies, app.state.models = service, bodies, models
    access = OneToken(token) if isinstance(token, str) else token
    app.add_middleware(Guard, access=access, metrics=metrics, audit=audit, read_only=read_only)
    if audit is not None:
        metrics.gauge("audit_lost", "Lines of the audit log that could not be written", lambda: audit.lost)
    _answer_errors(app)
    _add_state_routes(app, service, models, metrics)
    _add_model_routes(app, service, bodies, limits, metrics)
    return app


def _answer_errors(app: FastAPI) -> None:
    """What a client is told of each error that a route raises."""
    for kind, status, said in (
        (Busy, 503, "too many requests are waiting"),
        (Overdue, 503, "the model did not answer in time"),
        (NotServed, 409, "this model is not served here, or not any more"),
        (Abandoned, LEFT, "the client has left"),
        (Gone, LEFT, "the client has left"),
    ):
        app.add_exception_handler(kind, _telling(status, said))

    @app.exception_handler(InputError)
    async def unusable(_: Request, error: InputError):
        return _detail(str(error), 422)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException):
        return _detail(error.detail, error.status_code, error.headers)


def _add_state_routes(app: FastAPI, service: Service, models: Models, metrics: Metrics) -> None:
    """How the server is: /health, /ready, /metrics."""

    @app.api_route("/health", methods=READ)
    async def health(request: Request):
        current = models.find(asked(request)).model
        hand = current.hand
        return service.health() | {"model": current.digest, "hand_model": hand.name, "hand_digest": hand.digest,
                                   "device": str(current.device), "user": visit_of(request).client.name,
                                   "models": {name or "current": one.model.digest for name, one in models}}  # fmt: skip

    @app.api_route("/ready", methods=READ)
    async def ready():
        now = service.health()
        return JSONResponse(now, 200 if now["ready"] else 503)

    @app.get("/metrics")
    async def counted():
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _add_model_routes(app: FastAPI, service: Service, bodies: Bodies, limits: Limits, metrics: Metrics) -> None:
    """What the model does: /propose, /remember, /prompt."""

    @app.post("/propose")
    async def propose(request: Request):
        told, visit = hints(request, limits), visit_of(request)
        async with bodies.of(request, IMAGES) as content:
            hands = await while_there(request, service.propose(content, told, visit, asked(request)))
        said = {"model": visit.model, "user": visit.client.name}
        with metrics.during("pack"):
            if request.headers.get("accept") == wire.TYPE:
                packed = await asyncio.to_thread(wire.pack, hands, said)
                return Response(packed, media_type=wire.TYPE)
            return JSONResponse(said | {"hands": [as_json(hand) for hand in hands]})

    async def packed(request: Request, does: Callable[[bytes, Visit, str], Awaitable[bytes]]) -> Response:
        async with bodies.of(request, (wire.TYPE,)) as data:
            answer = await while_there(request, does(data, visit_of(request), asked(request)))
        return Response(answer, media_type=wire.TYPE)

    @app.post("/remember")
    async def remember(request: Request):
        return await packed(request, service.remember)

    @app.post("/prompt")
    async def prompt(request: Request):
        return await packed(request, service.prompt)


def visit_of(request: Request) -> Visit:
    """What the guard has put there."""
    return request.state.visit


def asked(request: Request) -> str:
    """The model that a request names, by name or digest; "": none."""
    return request.query_params.get("model", "") or request.headers.get("x-annotator-model", "")


def _detail(said: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that says what is wrong; half a character, which a request may hold, is none of JSON's."""
    return JSONResponse({"detail": said.encode(errors="backslashreplace").decode()}, status, headers)


def _telling(status: int, said: str):
    async def handler(_: Request, error: Exception) -> Response:
        return JSONResponse({"detail": said}, status, {"Retry-After": "1"} if status == 503 else None)

    return handler


def as_json(hand) -> dict:
    """A hand for programs of others: px and m, as in `HandMesh`."""
    arrays = ("camera", "keypoints", "keypoint_sigma", "joints", "vertices")
    return {"side": hand.side, "confidence": hand.confidence, "hand_model": hand.hand_model} | {
        name: np.round(getattr(hand, name), 6).tolist() for name in arrays
    }
