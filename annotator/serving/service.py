"""A model with its queues and its counts: what the application's paths ask for."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.exceptions import HTTPException

from annotator.correcting.checks import check_corrections
from annotator.correcting.solver.solver import check_sight
from annotator.errors import InputError
from annotator.model import Model
from annotator.network.hand_meshes import Remembered
from annotator.serving import wire
from annotator.serving.batching import Batcher
from annotator.serving.limits import Limits
from annotator.vision.opening import TooLarge, opened
from annotator.vision.photos import decode_photo

UNHINTED = 4.0  # what looking for a photo's hands costs, in boxes
MEGAPIXEL = 1.0  # what reading one costs
SENSELESS = (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError)


class Service:
    """A model behind its queues: `propose`, `prompt` and `remember`, each for a named client. HTTPException and
    InputError: what cannot be used; Busy, Overdue: see `Batcher`."""

    def __init__(self, model: Model, token: str, limits: Limits):
        self.model, self.token, self.limits = model, token, limits
        self.registry = CollectorRegistry()
        labels = ("path", "status")
        self.requests = Counter("annotator_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram("annotator_request_seconds", "Time of a request", ("path",), registry=self.registry)
        self.hands = Counter("annotator_hands", "Hands proposed", registry=self.registry)
        waiting = Gauge("annotator_waiting", "Requests that wait for the model", registry=self.registry)
        given_up = Gauge("annotator_abandoned", "Requests whose client left before", registry=self.registry)
        times = {"patience": limits.patience, "seconds": limits.work}
        most = max(limits.boxes, limits.pixels / 1e6 * MEGAPIXEL) + UNHINTED
        self.proposing = Batcher(self._propose, limits.batch, limits.waiting, most, **times)
        self.correcting = Batcher(self._one, 1, limits.waiting, **times)
        waiting.set_function(lambda: self.proposing.waiting + self.correcting.waiting)
        given_up.set_function(lambda: self.proposing.abandoned + self.correcting.abandoned)
        self.shapes = self._warm_up()

    def _warm_up(self) -> list[tuple]:
        """The first pass is slow: better now than in a person's request. Shapes of this model's features."""
        photo = np.zeros((64, 64, 3), np.uint8)
        (hand,) = self.model.propose(photo, boxes=[(8, 8, 56, 56)], sides=["right"])
        return wire.shapes(hand.features)

    def health(self) -> dict:
        """How the queues are: `Batcher.health` of both together."""
        both = [self.proposing.health(), self.correcting.health()]
        ready = all(one["ready"] for one in both)
        answered = min((one["answered"] for one in both if one["answered"] is not None), default=None)
        return {
            "status": "ok" if ready else "busy",
            "ready": ready,
            "waiting": sum(one["waiting"] for one in both),
            "oldest": max(one["oldest"] for one in both),
            "working": max(one["working"] for one in both),
            "answered": answered,
        }

    def close(self) -> None:
        self.proposing.close()
        self.correcting.close()

    # -- what clients ask for ------------------------------------------------------------------------------------
    async def propose(self, content: bytes, hints: list, client: str) -> list:
        """Hands in an image file. hints: boxes, sides, K."""
        width, height = await asyncio.to_thread(self._judged, content)
        boxes = hints[0]
        cost = (UNHINTED if boxes is None else len(boxes)) + width * height / 1e6 * MEGAPIXEL
        hands = await self.proposing.ask((content, *hints), client, cost)
        self.hands.inc(len(hands))
        return hands

    async def prompt(self, data: bytes, client: str) -> bytes:
        hands, more, _ = await asyncio.to_thread(_read, data)
        if len(hands) != 1 or not isinstance(hands[0].features, Remembered):
            raise HTTPException(400, "expected one hand with its features")
        if wire.shapes(hands[0].features) != self.shapes:
            raise HTTPException(422, "these features are another model's")
        try:
            corrections = check_corrections({int(k): v for k, v in dict(more["corrections"]).items()})
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise HTTPException(400, f"corrections: {error}") from error
        with sensible():
            check_sight(corrections, hands[0].camera)
        answered = await self.correcting.ask(lambda: self.model.prompted(hands[0], corrections), client)
        return wire.pack([answered.replace(features=None)], features=False)

    async def remember(self, data: bytes, client: str) -> bytes:
        hands, _, content = await asyncio.to_thread(_read, data)
        if len(hands) != 1:
            raise HTTPException(400, "expected one hand")
        await asyncio.to_thread(self._judged, content)

        def work():
            return self.model.remember(self._decoded(content), hands[0])

        return wire.pack([await self.correcting.ask(work, client)])

    # -- in the model's threads ----------------------------------------------------------------------------------
    def _propose(self, items) -> list:
        """(image file, boxes, sides, K) -> hands, or what is wrong with it."""
        results: list = [None] * len(items)
        ready = []
        for at, (content, *hints) in enumerate(items):
            try:
                ready.append((at, self._decoded(content), *hints))
            except (InputError, HTTPException) as error:
                results[at] = error
        if ready:
            columns: Any = zip(*ready, strict=True)
            numbers, photos, boxes, sides, cameras = columns
            with sensible():
                answers = self.model.propose_many(photos, boxes, sides, cameras, batch=self.limits.batch)
                for at, hands in zip(numbers, answers, strict=True):
                    results[at] = hands
        return results

    def _one(self, items) -> list:
        (work,) = items
        with sensible():
            return [work()]

    def _judged(self, content: bytes) -> tuple[int, int]:
        """(width, height) px of an image file, by its head."""
        try:
            with opened(io.BytesIO(content), "photo", self.limits.pixels) as image:
                return image.size
        except TooLarge as error:
            raise HTTPException(413, str(error)) from error
        except InputError as error:
            raise HTTPException(400, str(error)) from error

    def _decoded(self, content: bytes) -> np.ndarray:
        try:
            return decode_photo(content, "photo", self.limits.pixels)
        except InputError as error:
            raise HTTPException(400, str(error)) from error


class sensible:
    """Numbers that passed every check and still lead nowhere are their sender's, not the server's: InputError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, _) -> None:
        if isinstance(error, SENSELESS) and not isinstance(error, InputError):
            raise InputError(f"these numbers cannot be used ({type(error).__name__})") from error


def _read(data: bytes):
    try:
        return wire.unpack(data)
    except InputError as error:
        raise HTTPException(400, str(error)) from error
