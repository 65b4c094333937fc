"""What a server counts, in Prometheus' words: by path, by stage of the work, by named client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

STAGES = ("body", "judge", "queue", "decode", "model", "pack")
FINE = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # s


class Metrics:
    """One server's. Labels are few: paths that exist, stages, names from the file of tokens ("": without a name)."""

    def __init__(self) -> None:
        self.registry = kept = CollectorRegistry()
        self.requests = Counter("annotator_requests", "Requests answered", ("path", "status"), registry=kept)
        self.seconds = Histogram("annotator_request_seconds", "Time of a request", ("path",), registry=kept)
        self.hands = Counter("annotator_hands", "Hands proposed", registry=kept)
        self._stages = Histogram(
            "annotator_stage_seconds", "Time of a request's stage", ("stage",), buckets=FINE, registry=kept
        )
        self.users = Counter("annotator_user_requests", "Requests of a named client", ("user", "status"), registry=kept)
        self.worked = Counter("annotator_user_model_seconds", "The model's time for a client", ("user",), registry=kept)
        self.refused = Counter("annotator_user_refused", "Refused by a quota", ("user", "quota"), registry=kept)
        for stage in STAGES:
            self._stages.labels(stage)

    def gauge(self, name: str, said: str, value: Callable[[], float]) -> None:
        """A number that is looked up when it is asked for."""
        Gauge(f"annotator_{name}", said, registry=self.registry).set_function(value)

    def stage(self, name: str, seconds: float) -> None:
        self._stages.labels(name).observe(seconds)

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """The block is this stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.stage(name, time.perf_counter() - began)
