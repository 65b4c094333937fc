"""Hands that come back from an annotation tool: as they left where nobody touched them there, else with what was
changed.

An export for a tool has `details.json` beside, and in it what the tool's own file says of each hand (`sent`). People
move points in the tool and bring its file back, in another order, with hands added and taken away: a hand is known
again by its photo and its places. A keypoint that is where it was keeps its state: what was a proposal is not confirmed
by being looked at in a tool.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotator.formats.conventions.remarks import remark
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.details import Sidecar, named, record_of
from annotator.formats.core.tool_hands import HIDDEN, NONE, PROPOSED_WEIGHT, VISIBLE, ToolHand, record_of_tool
from annotator.hand.joint_states import BY_A_PERSON, CONFIRMED, CORRECTED, OCCLUDED, OUT_OF_FRAME, PROPOSED

SAME = 0.05  # px: tools round their coordinates
SAME_HAND = 0.25  # of the hand's extent: the median move of a hand's keypoints at which it is another hand
OCCLUDED_WEIGHT = 0.25  # see `base.joint_weights`


@dataclass
class _Left:
    """One hand as it left: sent, and all of its details, compressed."""

    side: str
    points: np.ndarray
    states: list
    details: bytes
    used: bool = False


class Returned:
    """What an export of this format had in the folder that is read now; empty where there is none.

    InputError naming details.json where it is broken.
    """

    def __init__(self, folder: Path, name: str):
        self._by_file: dict[str, list[_Left]] = {}
        sidecar = Sidecar.of(folder, name)
        for index, details in enumerate(sidecar or ()):
            named(folder / "details.json", index, self._keep, details)

    def _keep(self, details: dict[str, Any]) -> None:
        sent = details["sent"]
        packed = zlib.compress(json.dumps(details).encode(), 1)
        points = np.array(sent["points"], np.float64).reshape(21, 3)
        left = _Left(details["side"], points, list(details["states"]), packed)
        self._by_file.setdefault(str(sent["file"]), []).append(left)

    @property
    def files(self) -> list[str]:
        """The photos that were exported, as the set calls them."""
        return list(self._by_file)

    def record(self, hand: ToolHand, photo: Path, data_set: str, empty: bool = True) -> LabelledHand | None:
        """The record of a hand in the tool's file; None for one without a label of which nothing is known, if hands may
        be `empty`.

        InputError for one that may not, and where the details of a hand that left are broken.
        """
        left = self._left(hand)
        if left is None:
            if empty and not (hand.points[:, 2] > NONE).any():
                remark("hand without a labelled keypoint left out")
                return None
            return record_of_tool(hand, photo, data_set)
        left.used = True
        details = json.loads(zlib.decompress(left.details))
        changed = _changed(left, hand)
        if not changed.any() and hand.side in (None, left.side):
            return record_of(details, photo)
        remark("hand that was edited in the tool since it was exported")
        return _edited(details, hand, changed, photo, data_set)

    def _left(self, hand: ToolHand) -> _Left | None:
        """The hand that this one was, if it was any."""
        if not np.isfinite(hand.points).all():
            return None  # nothing that was sent has such places
        ranked = []
        for number, left in enumerate(self._by_file.get(hand.file, ())):
            both = (left.points[:, 2] > NONE) & (hand.points[:, 2] > NONE)
            if left.used:
                continue
            other = hand.side not in (None, left.side)
            if not both.any():
                if not (left.points[:, 2].any() or hand.points[:, 2].any()) and not other:
                    ranked.append((0.0, 0, number, left))  # neither has a label: an empty hand of this side
                continue
            apart = float(np.median(np.linalg.norm(left.points[both, :2] - hand.points[both, :2], axis=1)))
            extent = float(np.ptp(left.points[left.points[:, 2] > NONE, :2], axis=0).max())
            if apart <= max(SAME_HAND * extent, SAME):
                ranked.append((apart, int(_changed(left, hand).sum()) + 21 * other, number, left))
        return min(ranked, key=lambda one: one[:3])[3] if ranked else None


def _changed(left: _Left, hand: ToolHand) -> np.ndarray:
    """(21,) bool: keypoints that the tool's file has otherwise than they left."""
    changed = left.points[:, 2] != hand.points[:, 2]
    changed |= np.linalg.norm(left.points[:, :2] - hand.points[:, :2], axis=1) > SAME
    if hand.states:
        changed |= [_differs(said, state) for said, state in zip(hand.states, left.states, strict=True)]
    return changed


def _differs(said: str, state: str) -> bool:
    """Whether a file's word for a keypoint is another one than its state; who looks at a correction confirms it."""
    if said == PROPOSED:  # tools that know no more call all a proposal that no person said
        return state in (*BY_A_PERSON, OCCLUDED, OUT_OF_FRAME)
    return said not in ("", state) and not (said == CONFIRMED and state in BY_A_PERSON)


def _edited(details: dict, hand: ToolHand, changed: np.ndarray, photo: Path, data_set: str) -> LabelledHand:
    """What is known of the hand still, with the tool's word for what was changed; its mesh is of the old labels and
    goes."""
    if not (hand.points[:, 2] > NONE).any():
        raise ValueError("no keypoint of the hand has a label any more")
    old = record_of(details | {"parameters": None, "mano": None, "joints": None, "joint_weights": None}, photo)
    keypoints, visible, weights = np.array(old.keypoints), np.array(old.visible), np.array(old.weights)
    states, left_at = list(old.states), np.array(details["sent"]["points"], np.float64)[:, :2]
    provenance = dict(old.provenance)
    corrections = {str(k): v for k, v in _dict(provenance.get("corrections")).items()}
    for k in np.flatnonzero(changed).tolist():
        x, y, shown = hand.points[k].tolist()
        corrections.pop(str(k), None)
        visible[k] = shown == VISIBLE
        if shown == NONE:
            states[k], weights[k] = OUT_OF_FRAME if hand.states and hand.states[k] == OUT_OF_FRAME else OCCLUDED, 0.0
            continue
        said = hand.states[k] if hand.states and _differs(hand.states[k], old.states[k]) else ""
        moved = float(np.hypot(*(left_at[k] - (x, y)))) > SAME
        keypoints[k] = x, y
        if shown == HIDDEN or (said == OCCLUDED and not moved):
            states[k], weights[k] = OCCLUDED, OCCLUDED_WEIGHT
            continue
        states[k] = CORRECTED if moved else said if said in (PROPOSED, CONFIRMED) else CONFIRMED
        weights[k] = PROPOSED_WEIGHT if states[k] == PROPOSED else 1.0
        if states[k] == CORRECTED:
            corrections[str(k)] = [x, y]
    for stale in ("labels", "strained"):
        provenance.pop(stale, None)
    provenance |= {"corrections": corrections, "edited_in": data_set, "edited": np.flatnonzero(changed).tolist()}
    return LabelledHand(
        id=old.id, photo=photo, side=hand.side or old.side, box=old.box if hand.box is None else hand.box, K=old.K,
        keypoints=keypoints, visible=visible, states=tuple(states), weights=weights, provenance=provenance,
    )  # fmt: skip


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}
