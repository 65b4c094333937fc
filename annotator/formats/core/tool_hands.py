"""A hand as an annotation tool's file has it: 21 places with what the tool can say of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.formats.conventions.names import keypoint_of, order_of
from annotator.formats.core.base import LabelledHand, box_of, labels_of
from annotator.hand.joint_states import BY_A_PERSON, CONFIRMED, JOINT_STATES, OCCLUDED, OUT_OF_FRAME
from annotator.hand.joints import JOINT_NAMES

NONE, HIDDEN, VISIBLE = 0, 1, 2  # a keypoint's third number, as in COCO
PROPOSED_WEIGHT = 0.5  # of a keypoint whose state alone is known: the most that a proposal counts


@dataclass(frozen=True, eq=False)
class ToolHand:
    """id: its name in the file; file: its photo, as the set calls it (below the set's folder, with /); side: None where
    nothing says it; points (21, 3): x, y in px (centres at .0) and NONE, HIDDEN or VISIBLE; box (4,) px or None;
    states: one for each keypoint, "" where the file says none, or empty; about: for the provenance."""

    id: str
    file: str
    side: str | None
    points: np.ndarray
    box: np.ndarray | None = None
    states: Sequence[str] = ()
    about: Mapping = field(default_factory=dict)

    def __post_init__(self) -> None:
        points = np.array(self.points, np.float64)
        if points.shape != (21, 3):
            raise InputError(f"keypoints have shape {points.shape}, expected (21, 3)")
        points[points[:, 2] == NONE] = 0.0
        object.__setattr__(self, "points", points)
        if self.states and (len(self.states) != 21 or not set(self.states) <= {"", *JOINT_STATES}):
            raise InputError(f"states of keypoints are not 21 of {', '.join(JOINT_STATES)}")


def sent_points(record: LabelledHand, hides: bool = True, by_state: bool = False) -> np.ndarray:
    """(21, 3): what a tool's file says of a record's keypoints.

    hides: whether it can say HIDDEN; by_state: whether it says that by the state, not by the record's `visible`.
    """
    states = np.array(record.states)
    shown = np.where(states == OUT_OF_FRAME, NONE, np.where(record.visible, VISIBLE, HIDDEN))
    shown = np.where((record.weights == 0) & (shown == HIDDEN), NONE, shown)
    if by_state:
        shown = np.where(shown == NONE, NONE, np.where(states == OCCLUDED, HIDDEN, VISIBLE))
    if not hides:
        shown = np.where(shown == HIDDEN, VISIBLE, shown)
    return np.column_stack([np.where(shown[:, None] > 0, record.keypoints, 0.0), shown])


def points_inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The same (21, 3) for tools that refuse what lies outside the photo of (height, width): it has no label there."""
    height, width = size
    x, y = points[:, 0], points[:, 1]
    within = (x >= -0.5) & (y >= -0.5) & (x <= width - 0.5) & (y <= height - 0.5)
    return np.where(within[:, None], points, 0.0)


def record_of_tool(hand: ToolHand, photo: Path, data_set: str) -> LabelledHand:
    """The record of what the file alone says. InputError if none of the keypoints has a label."""
    labels = labels_of(hand.points[:, :2], hand.points[:, 2] > NONE, visible=hand.points[:, 2] == VISIBLE)
    if hand.states:
        labels |= with_states(labels, hand.states)
    box = box_of(labels["keypoints"][labels["weights"] > 0]) if hand.box is None else hand.box
    return LabelledHand(
        id=hand.id, photo=photo, side=hand.side or "right", box=box, K=None,
        provenance={"data_set": data_set, "side_known": hand.side is not None, **hand.about}, **labels,
    )  # fmt: skip


def with_states(labels: Mapping, said: Sequence[str]) -> dict:
    """States and weights of `labels_of` with the states that the file says beside: a proposal stays one.

    What v says of a keypoint's visibility goes before the state's word, since tools show and change v.
    """
    states, weights = [], np.array(labels["weights"])
    for k, (state, shown) in enumerate(zip(said, labels["visible"], strict=True)):
        if weights[k] == 0:
            states.append(state if state == OUT_OF_FRAME else OCCLUDED)
            continue
        state = OCCLUDED if not shown else CONFIRMED if state in ("", OCCLUDED, OUT_OF_FRAME) else state
        states.append(state)
        weights[k] = weights[k] if state in (*BY_A_PERSON, OCCLUDED) else PROPOSED_WEIGHT
    return {"states": tuple(states), "weights": weights}


def points_by_name(found: Mapping[str, Sequence[float]]) -> np.ndarray:
    """(21, 3) x, y, v of a hand's keypoints by the names that the file has; those that are not there have no label.

    InputError for names that are not understood (`names.order_of`).
    """
    names = list(found)
    if len(names) == 21:
        return np.array([found[names[k]] for k in order_of(names)], np.float64)
    points = np.zeros((21, 3))
    for name, point in found.items():
        k = keypoint_of(name)
        if k is None:
            raise InputError(
                f"no keypoint of a hand is called {name!r}: expected names like {', '.join(JOINT_NAMES[:3])}"
            )
        points[k] = point
    return points
