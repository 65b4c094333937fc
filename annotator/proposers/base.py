"""The protocol of proposers, and their table (entry points of the group `annotator.proposers`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.proposers.predictions import Predictions
from annotator.registry import Registry


class Proposer(Protocol):
    """Anything that says which hands a photo shows.

    digest: names exactly this proposer's answers: a project looks at a photo once for each digest. hand: the hand model
    whose parameters the answers have.
    """

    @property
    def digest(self) -> str: ...

    @property
    def hand(self) -> HandModel: ...

    def propose(
        self,
        photo: np.ndarray,
        boxes: Sequence[Sequence[float]] | None = None,
        sides: Sequence[str | None] | None = None,
        K: np.ndarray | None = None,
        *,
        path: Path | None = None,
    ) -> list[HandMesh]:
        """The hands of a photo (H, W, 3) uint8 RGB.

        boxes: (x0, y0, x1, y1) photo px; then exactly these hands are answered, in this order. None: all there are.
        sides: "left", "right" or None for each box. K: (3, 3) intrinsics or None. path: the photo's file, where there
        is one. Uncertainties that a proposer does not know are stated defaults of its own.
        """


class Network:
    """Our own network as a `Proposer`."""

    def __init__(self, model: Any):
        self.model = model

    @property
    def digest(self) -> str:
        return self.model.digest

    @property
    def hand(self) -> HandModel:
        return self.model.hand

    def propose(self, photo, boxes=None, sides=None, K=None, *, path: Path | None = None) -> list[HandMesh]:
        return self.model.propose(photo, boxes, sides, K)


@dataclass(frozen=True)
class ProposerKind:
    """name: before the colon of `NAME:ARGUMENT`; build: makes it of (ARGUMENT, device); summary: one line."""

    name: str
    summary: str
    build: Callable[[str, str | None], Proposer]


def _network(argument: str, device: str | None) -> Proposer:
    from annotator.model import load_model

    return Network(load_model(argument or None, device=device))


PROPOSERS = Registry[ProposerKind](
    "proposer",
    "annotator.proposers",
    (
        ProposerKind("network", "our network (the default), `network:CHECKPOINT` another checkpoint of it", _network),
        ProposerKind(
            "files",
            "`files:FILE`, another network's predictions from an .npz or .json file",
            lambda argument, _device: Predictions(argument),
        ),
    ),
)


def build_proposer(name: str, device: str | None = None) -> Proposer:
    """The proposer of `NAME` or `NAME:ARGUMENT`. InputError: there is none, or its argument cannot be used."""
    kind, _, argument = name.partition(":")
    if kind == "files" and not argument:
        raise InputError("files needs a file: files:PREDICTIONS.npz or files:PREDICTIONS.json")
    return PROPOSERS[kind].build(argument, device)
