"""Another answer for a hand that a person has labelled: drawn again, or of the other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from annotator.correcting.solver.labels import checked_states
from annotator.hand.definitions import JointDefinition
from annotator.hand.joint_states import CONFIRMED
from annotator.hand.joints import ByJoint, opposite
from annotator.hand.mesh import HandMesh
from annotator.vision.crops import box_round


class OneProposer(Protocol):
    """Who proposes hands in boxes."""

    def propose(self, photo, boxes=None, sides=None, K=None) -> list[HandMesh]: ...


class OneModel(OneProposer, Protocol):
    """What is asked of a `Model`, here or on a server."""

    def refine(self, hand, corrections, states=None, *, definition=None) -> HandMesh: ...

    def told_again(self, fresh, hand, states=None, definition=None) -> HandMesh: ...


def other_side(
    model: OneModel,
    photo: np.ndarray,
    hand: HandMesh,
    states: ByJoint[str] | Sequence[str] | None = None,
    definition: JointDefinition | str | None = None,
) -> HandMesh:
    """The hand as one of the other side, answered anew in the same place of its photo, by the same camera.

    What a person said is of the photo, not of the side, and is kept, see `told_again`.

    Parameters
    ----------
    photo
        The (H, W, 3) photo it is in.
    hand
        The hand of the wrong side.
    states, definition
        As in `Model.refine`.

    Returns
    -------
    HandMesh
        With cached features.

    Raises
    ------
    InputError
        As `Model.propose` and `Model.refine`.
    """
    known = checked_states(states)
    return model.told_again(proposed_as_other_side(model, photo, hand, hand.camera), hand, known, definition)


def proposed_as_other_side(model: OneProposer, photo: np.ndarray, hand: HandMesh, K: np.ndarray) -> HandMesh:
    """The proposal for a hand of the other side in the same place of its photo (H, W, 3), by a camera K (3, 3)."""
    (fresh,) = model.propose(photo, [box_round(hand.keypoints)], [opposite(hand.side)], K)
    return fresh


def told_again(
    model: OneModel,
    fresh: HandMesh,
    hand: HandMesh,
    states: ByJoint[str] | Sequence[str] | None = None,
    definition: JointDefinition | str | None = None,
) -> HandMesh:
    """Another answer for the same hand of the photo, told what a person said of the hand before.

    That is of the photo and stays true: its corrections, and keypoints whose state is 'confirmed', as corrections
    where they were.

    Parameters
    ----------
    fresh
        The other answer: drawn again, or of the other side.
    hand
        The hand that the person labelled.
    states, definition
        As in `Model.refine`.

    Returns
    -------
    HandMesh
        `fresh` itself where nothing was said.

    Raises
    ------
    InputError
        As `Model.refine`.
    """
    known = checked_states(states)
    labels = seen_by_people(hand, known)
    return model.refine(fresh, labels, known, definition=definition) if labels else fresh


def seen_by_people(hand: HandMesh, known: Mapping[int, str]) -> dict[int, tuple[float, float]]:
    """Joint number -> (x, y) photo px: what a person said of the photo, whichever hand is in it. known: joint number ->
    state."""
    labels: dict[int, tuple[float, float]] = {
        k: (float(x), float(y)) for k, (x, y) in enumerate(hand.keypoints) if known.get(k) == CONFIRMED
    }
    return labels | dict(hand.corrections)
