"""The models that one server answers with: the current one, those it followed, and others by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from annotator.model import Model
from annotator.serving import wire


class NotServed(Exception):
    """No model of this name or digest."""


@dataclass(frozen=True)
class Loaded:
    """A model, warm. shapes: of its features."""

    model: Model
    shapes: list[tuple]

    @classmethod
    def warm(cls, model: Model) -> Loaded:
        """The first pass is slow: better now than in a person's request."""
        photo = np.zeros((64, 64, 3), np.uint8)
        (hand,) = model.propose(photo, boxes=[(8, 8, 56, 56)], sides=["right"])
        return cls(model, wire.shapes(hand.features))


class Models:
    """others: by name. kept: how many of those that were current stay, the current one counted: a window that was
    opened with one of them goes on with it, because features and corrections belong to their model."""

    def __init__(self, model: Model, others: Mapping[str, Model] | None = None, kept: int = 2):
        self._lock, self._kept = threading.Lock(), kept
        self._current = [Loaded.warm(model)]  # newest first
        self._named = {name: Loaded.warm(one) for name, one in (others or {}).items()}

    @property
    def current(self) -> Loaded:
        return self._current[0]

    def __iter__(self) -> Iterator[tuple[str, Loaded]]:
        """(name, model); "" is the current one, "-1" the one before it."""
        yield from ((f"-{at}" if at else "", one) for at, one in enumerate(self._current))
        yield from self._named.items()

    def find(self, asked: str) -> Loaded:
        """By name, or by digest; "": the current one. NotServed."""
        current = self._current
        if not asked:
            return current[0]
        if asked in self._named:
            return self._named[asked]
        for one in (*current, *self._named.values()):
            if one.model.digest == asked:
                return one
        raise NotServed

    def put(self, model: Model) -> None:
        """From now on this is the current one; requests that are at work end with theirs."""
        loaded = Loaded.warm(model)
        with self._lock:
            rest = [one for one in self._current if one.model.digest != model.digest]
            self._current = [loaded, *rest][: self._kept]
