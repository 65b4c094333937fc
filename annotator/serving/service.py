"""Models with their queues and their counts: what the application's paths ask for."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException

from annotator.correcting.checks import check_corrections
from annotator.correcting.solver.labels import check_sight
from annotator.errors import InputError
from annotator.network.hand_meshes import CachedFeatures
from annotator.serving import wire
from annotator.serving.access.visits import Visit
from annotator.serving.batching import Batcher
from annotator.serving.limits import Limits
from annotator.serving.metrics import Metrics
from annotator.serving.models.served import Loaded, Models
from annotator.vision.images.opening import TooLarge, opened_image
from annotator.vision.photos import decode_photo

UNHINTED = 4.0  # what looking for a photo's hands costs, in boxes
MEGAPIXEL = 1.0  # what reading one costs
SENSELESS = (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError)


class Service:
    """Models behind their queues: `propose`, `prompt` and `remember`, each for a visit, by one of `models` (a name or a
    digest; "": the current one). All share one thread a queue, so that several models take no more of the machine's
    time than one. HTTPException and InputError: what cannot be used; Busy, Overdue: see `Batcher`; NotServed."""

    def __init__(self, models: Models, limits: Limits, metrics: Metrics):
        self.models, self.limits, self.metrics = models, limits, metrics
        times = {"patience": limits.patience, "seconds": limits.work}
        most = max(limits.boxes, limits.pixels / 1e6 * MEGAPIXEL) + UNHINTED
        self.proposing = Batcher(self._propose, limits.batch, limits.waiting, most, **times)
        self.correcting = Batcher(self._one, 1, limits.waiting, **times)
        both = (self.proposing, self.correcting)
        metrics.gauge("waiting", "Requests that wait for the model", lambda: sum(one.waiting for one in both))
        metrics.gauge("abandoned", "Requests whose client left before", lambda: sum(one.abandoned for one in both))

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
    async def propose(self, content: bytes, hints: list, visit: Visit, asked: str = "") -> list:
        """Hands in an image file. hints: boxes, sides, K."""
        loaded = self._loaded(asked, visit)
        with self.metrics.during("judge"):
            width, height = await asyncio.to_thread(self._judged, content)
        boxes = hints[0]
        cost = (UNHINTED if boxes is None else len(boxes)) + width * height / 1e6 * MEGAPIXEL
        item = (loaded, content, *hints)
        hands = await self.proposing.ask(item, visit.turn, cost, self._took(visit))
        self.metrics.hands.inc(len(hands))
        visit.hands = len(hands)
        return hands

    async def prompt(self, data: bytes, visit: Visit, asked: str = "") -> bytes:
        loaded = self._loaded(asked, visit)
        hands, more, _ = await asyncio.to_thread(_read, data)
        if len(hands) != 1 or not isinstance(hands[0].features, CachedFeatures):
            raise HTTPException(400, "expected one hand with its features")
        if wire.shapes(hands[0].features) != loaded.shapes:
            raise HTTPException(422, "these features are another model's")
        try:
            corrections = check_corrections({int(k): v for k, v in dict(more["corrections"]).items()})
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise HTTPException(400, f"corrections: {error}") from error
        with sensible():
            check_sight(corrections, hands[0].camera)

        def work():
            with self.metrics.during("model"):
                return loaded.model.prompted(hands[0], corrections)

        answered = await self.correcting.ask(work, visit.turn, 1.0, self._took(visit))
        visit.hands = 1
        return wire.pack([answered.replace(features=None)], features=False)

    async def remember(self, data: bytes, visit: Visit, asked: str = "") -> bytes:
        loaded = self._loaded(asked, visit)
        hands, _, content = await asyncio.to_thread(_read, data)
        if len(hands) != 1:
            raise HTTPException(400, "expected one hand")
        await asyncio.to_thread(self._judged, content)

        def work():
            photo = self._decoded(content)
            with self.metrics.during("model"):
                return loaded.model.remember(photo, hands[0])

        answered = await self.correcting.ask(work, visit.turn, 1.0, self._took(visit))
        visit.hands = 1
        return wire.pack([answered])

    def _loaded(self, asked: str, visit: Visit) -> Loaded:
        loaded = self.models.find(asked)
        visit.model = loaded.model.digest
        return loaded

    def _took(self, visit: Visit) -> Callable[[float, float], None]:
        def took(queued: float, worked: float) -> None:
            visit.took(queued, worked)
            self.metrics.stage("queue", queued)

        return took

    # -- in the model's threads ----------------------------------------------------------------------------------
    def _propose(self, items) -> list:
        """(model, image file, boxes, sides, K) -> hands, or what is wrong with it."""
        results: list = [None] * len(items)
        ready: dict[int, list] = {}
        for at, (loaded, content, *hints) in enumerate(items):
            try:
                photo = self._decoded(content)  # first: one that is none must leave no empty pass behind
            except (InputError, HTTPException) as error:
                results[at] = error
                continue
            ready.setdefault(id(loaded), []).append((at, loaded, photo, *hints))
        for some in ready.values():
            columns: Any = zip(*some, strict=True)
            numbers, (loaded, *_), photos, boxes, sides, cameras = columns
            with sensible(), self.metrics.during("model"):
                answers = loaded.model.propose_many(photos, boxes, sides, cameras, batch=self.limits.batch)
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
            with opened_image(io.BytesIO(content), "photo", self.limits.pixels) as image:
                return image.size
        except TooLarge as error:
            raise HTTPException(413, str(error)) from error
        except InputError as error:
            raise HTTPException(400, str(error)) from error

    def _decoded(self, content: bytes) -> np.ndarray:
        try:
            with self.metrics.during("decode"):
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
