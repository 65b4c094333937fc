"""The simulated annotator: corrects a proposal as a person would, keypoint by keypoint, and measures what it
is worth.

It sees the photo, not the mesh: in each step it takes the visible keypoint that is farthest from where it would put it
(or the one another policy names), puts it there, as exactly and in the sense that the simulated person has
(`annotators`), and asks for the hand again. Errors are taken after 0, 1, 2, ... corrections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from annotator.correcting.next_keypoint import expected_gain
from annotator.correcting.simulation.annotators import SimulatedAnnotator
from annotator.errors import InputError
from annotator.evaluation.metrics import aligned
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.crop_size import CROP_SIZE

POLICIES = ("worst", "model", "random")
Refine = Callable[[HandMesh, Mapping[int, tuple[float, float]]], HandMesh]


@dataclass(frozen=True, eq=False)
class Truth:
    """What is so: keypoints (21,2) photo px; visible (21,) bool: where a person can click; vertices (V,3),
    joints (21,3) m, camera frame, or None where only the photo is known; frames (21,3,3): the bones' rotations from
    rest, as `hand.definitions.bone_frames` has them, or None (then a proposal's stand in).
    """

    keypoints: np.ndarray
    visible: np.ndarray
    vertices: np.ndarray | None = None
    joints: np.ndarray | None = None
    frames: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Trace:
    """One hand, corrected n times (n may fall short of what was asked where fewer keypoints are visible).

    joints (n,): keypoint numbers in order; vertex_mm, joint_mm (n+1,): PA-MPVPE and PA-MPJPE (no
    reflections), NaN without a mesh truth; photo_px, others_px (n+1,): mean 2-D error in crop px of all
    visible keypoints, and of those that are never corrected up to that step against the same keypoints in the
    proposal: see `others_before_px`; miss_px (n+1,): farthest corrected keypoint from where it was put, crop
    px; seconds (n,): each answer's time.
    """

    joints: np.ndarray
    vertex_mm: np.ndarray
    joint_mm: np.ndarray
    photo_px: np.ndarray
    others_px: np.ndarray
    others_before_px: np.ndarray
    miss_px: np.ndarray
    seconds: np.ndarray


def annotate(
    hand: HandMesh,
    truth: Truth,
    refine: Refine,
    model: HandModel,
    corrections: int = 21,
    policy: str = "worst",
    person: SimulatedAnnotator | None = None,
    random: np.random.Generator | None = None,
) -> Trace:
    """Correct `hand` up to `corrections` times.

    refine: the hand as proposed and all corrections so far (keypoint number -> (x, y) photo px) -> the hand
    again; policy: "worst" keypoint in the photo, "model" (where the model expects most,
    `next_keypoint.expected_gain`), "random"; person: who clicks (None: steady, 1.5 px of the crop); random: of
    the clicks.
    Raises InputError for an unknown policy.
    """
    if policy not in POLICIES:
        raise InputError(f"unknown policy {policy!r}: expected one of {', '.join(POLICIES)}")
    random = random if random is not None else np.random.default_rng(0)
    visible = np.asarray(truth.visible, dtype=bool)
    clicks = (person or SimulatedAnnotator("steady")).clicks(hand, truth, random)
    order = random.permutation(21)
    before = _distances(hand, truth)
    given: dict[int, tuple[float, float]] = {}
    now, seconds, rows = hand, [], [_errors(hand, truth, visible, given, before)]
    while len(given) < corrections:
        left = np.array([k for k in order if visible[k] and k not in given], dtype=int)
        if not len(left):
            break
        joint = int(left[_choose(policy, now, clicks, model, left)])
        given[joint] = (float(clicks[joint, 0]), float(clicks[joint, 1]))
        start = time.perf_counter()
        now = refine(hand, dict(given))
        seconds.append(time.perf_counter() - start)
        rows.append(_errors(now, truth, visible, given, before))
    vertex_mm, joint_mm, photo_px, others_px, others_before_px, miss_px = map(np.array, zip(*rows, strict=True))
    return Trace(
        np.array(list(given), dtype=int),
        vertex_mm,
        joint_mm,
        photo_px,
        others_px,
        others_before_px,
        miss_px,
        np.array(seconds),
    )


def _choose(policy: str, now: HandMesh, clicks: np.ndarray, model: HandModel, left: np.ndarray) -> int:
    if policy == "worst":  # as this person sees it
        return int(np.linalg.norm(now.keypoints - clicks, axis=1)[left].argmax())
    if policy == "model":
        return int(expected_gain(now, model)[left].argmax())
    return 0


def _distances(hand: HandMesh, truth: Truth) -> np.ndarray:
    """(21,) crop px."""
    return np.linalg.norm(hand.keypoints - truth.keypoints, axis=1) * CROP_SIZE / hand.crop_size


def _errors(hand: HandMesh, truth: Truth, visible, given, before) -> tuple[float, ...]:
    off = _distances(hand, truth)
    others = visible.copy()
    others[list(given)] = False
    put = np.array([np.linalg.norm(hand.keypoints[k] - place) for k, place in given.items()])
    return (
        _aligned_mm(hand.vertices, truth.vertices),
        _aligned_mm(hand.joints, truth.joints),
        float(off[visible].mean()) if visible.any() else np.nan,
        float(off[others].mean()) if others.any() else np.nan,
        float(before[others].mean()) if others.any() else np.nan,
        float(put.max(initial=0.0) * CROP_SIZE / hand.crop_size),
    )


def _aligned_mm(points: np.ndarray, target: np.ndarray | None) -> float:
    if target is None:
        return np.nan
    return 1000 * float(np.linalg.norm(aligned(points, target) - target, axis=-1).mean())
