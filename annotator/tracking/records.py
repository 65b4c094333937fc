"""What tracking gives: the same hand through the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotator.hand.mesh import HandMesh

SEEN, BRIDGED = "seen", "bridged"
KINDS = (SEEN, BRIDGED)
SIDE = "side"  # a reason: the network sees a hand of the other side


@dataclass(frozen=True, eq=False)
class TrackedHand:
    """A track's hand in one frame.

    frame: its number in the video; seconds: its time stamp; kind: 'seen' in the picture, or 'bridged': not found there,
    put between the frames where it was; reasons: what speaks against it, in words ('jump', 'crossing', ...), see
    `doubts`.
    """

    frame: int
    seconds: float
    hand: HandMesh
    kind: str = SEEN
    reasons: tuple[str, ...] = ()

    def with_hand(self, hand: HandMesh) -> TrackedHand:
        """The same frame with another hand."""
        return replace(self, hand=hand)

    def because(self, *reasons: str) -> TrackedHand:
        """The same with further reasons, each once, in the order they came."""
        return replace(self, reasons=tuple(dict.fromkeys((*self.reasons, *reasons))))


@dataclass(frozen=True, eq=False)
class Track:
    """One hand of one person through a video: id (from 1), hands in the order of their frames, each frame once."""

    id: int
    hands: tuple[TrackedHand, ...]

    @property
    def side(self) -> str:
        """'right' or 'left': what most of its frames say."""
        right = sum(one.hand.side == "right" for one in self.hands)
        return "right" if 2 * right >= len(self.hands) else "left"

    @property
    def frames(self) -> np.ndarray:
        """(N,) int64: the frames' numbers, rising."""
        return np.array([one.frame for one in self.hands], np.int64)

    @property
    def seconds(self) -> np.ndarray:
        """(N,) their time stamps."""
        return np.array([one.seconds for one in self.hands], np.float64)

    @property
    def seen(self) -> np.ndarray:
        """(N,) bool: in which of them the hand was found in the picture."""
        return np.array([one.kind == SEEN for one in self.hands], bool)

    def with_hands(self, hands: Sequence[TrackedHand]) -> Track:
        """The same track with other hands."""
        return replace(self, hands=tuple(hands))

    def __len__(self) -> int:
        return len(self.hands)
