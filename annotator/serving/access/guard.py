"""Before every path: who may come in, and whether there is something left for them; after it: what was answered, and
when."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from annotator.serving.access.audit import Audit
from annotator.serving.access.quotas import Quotas
from annotator.serving.access.tokens import Access, Client
from annotator.serving.access.visits import Visit
from annotator.serving.metrics import Metrics

PATHS = ("/health", "/ready", "/metrics", "/propose", "/remember", "/prompt")
OPEN = ("/health", "/ready")  # to everybody
WORK = ("/propose", "/remember", "/prompt")  # what quotas are for
CORRECTING = ("/remember", "/prompt")  # not for those who only look
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


class Guard:
    """ASGI middleware. access: who is known; read_only: nobody corrects; audit: None: nothing is written down. A
    request finds its `Visit` as `request.state.visit`."""

    def __init__(self, app, access: Access, metrics: Metrics, audit: Audit | None = None, read_only: bool = False):
        self._app, self._access, self._metrics = app, access, metrics
        self._audit, self._read_only = audit, read_only
        self._quotas = Quotas()

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, began, status, held = Request(scope), time.perf_counter(), 0, 0.0
        visit = scope.setdefault("state", {})["visit"] = Visit.of(request)

        async def counting():
            message = await receive()
            visit.received += len(message.get("body", b""))
            return message

        async def noting(message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", visit.id.encode())]
            visit.sent += len(message.get("body", b""))
            await send(message)

        try:
            refused, held = self._refused(request, visit)
            await (refused or self._app)(scope, counting, noting)
        except Exception as error:  # noqa: BLE001  our own mistake: no details for strangers
            if status:
                raise
            said = {"detail": f"internal error ({type(error).__name__})"}
            await JSONResponse(said, 500)(scope, counting, noting)
        finally:
            self._spent(visit.client, held, visit.worked)
            visit.after = lambda worked: self._spent(visit.client, 0.0, worked)
            self._note(scope, visit, status, time.perf_counter() - began)

    def _refused(self, request: Request, visit: Visit) -> tuple[Response | None, float]:
        """(an answer for who may not have what it asks for, None: it may; what is held back of its quota)."""
        path = request.url.path
        client = self._access.find(_token(request))
        visit.client = client or Client()
        if path in OPEN:
            return None, 0.0
        if client is None:
            return _said(401, "a token is needed", {"WWW-Authenticate": "Bearer"}), 0.0
        if path in CORRECTING and (self._read_only or client.read_only):
            whose = "this server" if self._read_only else "this token"
            return _said(403, f"{whose} proposes hands, and corrects none", {}), 0.0
        if path not in WORK:
            return None, 0.0
        held, used_up, seconds = self._quotas.take(client)
        if used_up:
            self._metrics.refused.labels(client.name, used_up).inc()
            again = {"Retry-After": str(max(1, round(seconds + 0.5)))}
            return _said(429, f"{client.name} has no {used_up} left: again in {seconds:.0f} s", again), 0.0
        return None, held

    def _spent(self, client: Client, held: float, worked: float) -> None:
        self._quotas.settle(client, held, worked)
        if worked:
            self._metrics.worked.labels(client.name).inc(worked)

    def _note(self, scope, visit: Visit, status: int, seconds: float) -> None:
        path = scope["path"] if scope["path"] in PATHS else "other"  # a path may hold anything
        name = visit.client.name
        self._metrics.requests.labels(path, status).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        if path not in OPEN:
            self._metrics.users.labels(name, status).inc()
        if self._audit is None or path in OPEN:
            return
        self._audit.write(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "id": visit.id,
                "user": name,
                "address": visit.address,
                "method": scope["method"] if scope["method"] in METHODS else "other",
                "path": path,
                "status": status,
                "seconds": round(seconds, 4),
                "queued": round(visit.queued, 4),
                "model_seconds": round(visit.worked, 4),
                "model": visit.model,
                "hands": visit.hands,
                "received": visit.received,
                "sent": visit.sent,
            }
        )


def _token(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _said(status: int, detail: str, headers: dict[str, str]) -> Response:
    return JSONResponse({"detail": detail}, status, headers)
