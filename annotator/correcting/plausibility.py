"""Is this hand plausible, and if not, why: reasons, each with its number, its threshold and words."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotator.correcting.kinematics.angles import limit_excess, rotations_to_angles
from annotator.correcting.kinematics.chain import chain_of
from annotator.correcting.penetration import self_penetration
from annotator.correcting.strain import FREE, strain_of
from annotator.hand.definitions import JointDefinition
from annotator.hand.joints import BONES, JOINT_NAMES, MANO_JOINT_NAMES, opposite
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices
from annotator.vision.crop_size import CROP_SIZE

ANGLE_WORDS = ("bends", "tilts sideways", "twists")
# A bone's length varies by this much between hands beside what the shape space says (rounding, soft tissue at
# the tips).
BONE_SLACK = 0.03

# Above these a measure is a reason. Where they come from: `limit` 5 deg is what the issue allows; `bone` 3.5
# sigma is one bone in 2,000; flesh gives way by some 4 mm where parts touch; a label within four of its sigmas
# contradicts nothing (`strain`); `side` and `unsure` are probabilities.
THRESHOLDS: Mapping[str, float] = {
    "limit": 5.0,
    "bone": 3.5,
    "penetration": 5.0,
    "side": 0.5,
    "palm": 60.0,
    "strain": FREE,
    "stages": 12.0,
    "sigma": 10.0,
    "unsure": 0.5,
}


@dataclass(frozen=True)
class Reason:
    """One measure of a hand. kind: a key of `THRESHOLDS`; value and threshold in `unit`; words for a person;
    joints: keypoint names it is about, if any."""

    kind: str
    value: float
    threshold: float
    unit: str
    words: str
    joints: tuple[str, ...] = ()

    @property
    def flagged(self) -> bool:
        """Above its threshold."""
        return self.value > self.threshold

    @property
    def severity(self) -> float:
        """Value over threshold: above 1 is a reason."""
        return self.value / self.threshold

    def as_dict(self) -> dict:
        """For JSON."""
        return {
            "kind": self.kind, "value": round(self.value, 4), "threshold": self.threshold, "unit": self.unit,
            "words": self.words, "joints": list(self.joints), "flagged": self.flagged,
        }  # fmt: skip


def reasons(
    hand: HandMesh,
    model: HandModel,
    right_probability: float | None = None,
    thresholds: Mapping[str, float] | None = None,
    definition: JointDefinition | str | None = None,
) -> tuple[Reason, ...]:
    """Why a person should look at this hand, worst first; empty if nothing stands out. See `measures`."""
    found = measures(hand, model, right_probability, thresholds, definition)
    return tuple(reason for reason in found if reason.flagged)


def measures(
    hand: HandMesh,
    model: HandModel,
    right_probability: float | None = None,
    thresholds: Mapping[str, float] | None = None,
    definition: JointDefinition | str | None = None,
) -> tuple[Reason, ...]:
    """All measures, worst (value over threshold) first.

    right_probability: what the landmark network says, P(a right hand) in the unmirrored photo; None: taken
    from the hand's cached features if it has some, else not measured. thresholds: other than `THRESHOLDS` for
    some kinds. definition: how whoever set the labels means the joints.
    """
    limit = dict(THRESHOLDS) | dict(thresholds or {})
    if right_probability is None:
        right_probability = remembered_right(hand)
    found = [
        _joint_limits(hand, model, limit["limit"]),
        _bones(hand, model, limit["bone"]),
        _penetration(hand, model, limit["penetration"]),
        _palm(hand, limit["palm"]),
        _strain(hand, limit["strain"], definition),
        _stages(hand, limit["stages"]),
        _sigma(hand, limit["sigma"]),
        Reason(
            "unsure",
            1.0 - hand.confidence,
            limit["unsure"],
            "",
            f"the network's confidence is {hand.confidence:.2f}",
        ),
    ]
    if right_probability is not None and np.isfinite(right_probability):
        other = opposite(hand.side)
        doubt = 1.0 - right_probability if hand.side == "right" else right_probability
        words = f"taken for a {hand.side} hand, looks like a {other} one with probability {doubt:.2f}"
        found.append(Reason("side", float(doubt), limit["side"], "", words))
    return tuple(sorted(found, key=lambda reason: -reason.severity))


def remembered_right(hand: HandMesh) -> float | None:
    """P(a right hand) in the photo, from the encoder features a proposal keeps; None if there are none.

    A left hand was shown to the encoder mirrored, so what it says there is of the mirrored picture.
    """
    right = getattr(getattr(hand.features, "features", None), "right", None)
    if right is None:
        return None
    seen = float(np.asarray(right).ravel()[0])
    return seen if hand.side == "right" else 1.0 - seen


def _joint_limits(hand: HandMesh, model: HandModel, threshold: float) -> Reason:
    rotations = rotation_matrices(hand.parameters.pose)[1:]
    excess = np.rad2deg(limit_excess(rotations_to_angles(rotations, model.anatomical_axes), model.limits))
    joint, axis = np.unravel_index(excess.argmax(), excess.shape)
    name, value = MANO_JOINT_NAMES[joint + 1], float(excess[joint, axis])
    words = f"{name} {ANGLE_WORDS[axis]} {value:.0f} degrees beyond its range"
    return Reason("limit", value, threshold, "degrees", words, (name,))


@functools.lru_cache(maxsize=4)
def _bone_statistics(model: HandModel) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (20,) m of the bones' lengths over hands of the shape space."""
    mean = _bone_lengths(model, np.zeros(10), None)
    step = 1e-3
    rates = [(_bone_lengths(model, step * one, None) - mean) / step for one in np.eye(10)]
    return mean, np.sqrt(np.sum(np.square(rates), axis=0) + (BONE_SLACK * mean) ** 2)


def _bone_lengths(model: HandModel, shape: np.ndarray, offsets: np.ndarray | None) -> np.ndarray:
    """(20,) m, at rest: a bend does not change them."""
    chain = chain_of(model)
    joints = chain.pose(np.tile(np.eye(3), (16, 1, 1)), chain.rest(shape, offsets)).keypoints
    near, far = np.array(BONES).T
    return np.linalg.norm(joints[far] - joints[near], axis=1)


def _bones(hand: HandMesh, model: HandModel, threshold: float) -> Reason:
    mean, spread = _bone_statistics(model)
    length = _bone_lengths(model, hand.parameters.shape, hand.parameters.offsets)
    off = np.abs(length - mean) / spread
    worst = int(off.argmax())
    near, far = (JOINT_NAMES[k] for k in BONES[worst])
    words = (
        f"the bone from {near} to {far} is {1000 * length[worst]:.0f} mm long, "
        f"{1000 * mean[worst]:.0f} with a spread of {1000 * spread[worst]:.1f} is usual"
    )
    return Reason("bone", float(off[worst]), threshold, "sigma", words, (near, far))


def _penetration(hand: HandMesh, model: HandModel, threshold: float) -> Reason:
    found = self_penetration(hand, model)
    depth = 1000 * found.deepest
    if not len(found.inside):
        return Reason("penetration", 0.0, threshold, "mm", "no part of the hand is inside another")
    own = MANO_JOINT_NAMES[int(model.weights[found.inside[found.depth.argmax()]].argmax())]
    into = MANO_JOINT_NAMES[int(found.into[found.depth.argmax()])]
    share = len(found.inside) / found.checked
    words = f"{share:.1%} of the surface is inside the hand itself, {own} up to {depth:.0f} mm deep in {into}"
    return Reason("penetration", depth, threshold, "mm", words, (own, into))


def palm_normal(joints: np.ndarray, side: str) -> np.ndarray:
    """Unit vector (3,) out of the back of the hand, from joints (21,3)."""
    normal = np.cross(joints[5] - joints[0], joints[17] - joints[0])
    normal = normal if side == "left" else -normal
    return normal / (np.linalg.norm(normal) + 1e-12)


def _palm(hand: HandMesh, threshold: float) -> Reason:
    assert hand.parametric is not None
    now, first = (palm_normal(joints, hand.side) for joints in (hand.joints, hand.parametric.joints))
    angle = float(np.rad2deg(np.arccos(np.clip(now @ first, -1, 1))))
    words = f"the palm lies {angle:.0f} degrees from where the network first had it"
    return Reason("palm", angle, threshold, "degrees", words, ("wrist", "index_mcp", "little_mcp"))


def _strain(hand: HandMesh, threshold: float, definition: JointDefinition | str | None) -> Reason:
    labels = strain_of(hand, definition)
    if not labels:
        return Reason("strain", 0.0, threshold, "sigma", "nothing was corrected")
    return Reason("strain", labels[0].sigmas, threshold, "sigma", labels[0].words, (labels[0].joint,))


def _stages(hand: HandMesh, threshold: float) -> Reason:
    assert hand.parametric is not None
    off = np.linalg.norm(hand.keypoints - hand.parametric.keypoints, axis=1) * CROP_SIZE / hand.crop_size
    off[list(hand.corrections)] = 0.0  # there a person moved it
    worst = JOINT_NAMES[int(off.argmax())]
    mean = float(off.sum() / max(21 - len(hand.corrections), 1))
    words = f"the network's first and last answers are {mean:.1f} px apart, farthest at {worst}"
    return Reason("stages", mean, threshold, "px", words, (worst,))


def _sigma(hand: HandMesh, threshold: float) -> Reason:
    sigma = hand.keypoint_sigma * CROP_SIZE / hand.crop_size
    worst = int(sigma.argmax())
    name = JOINT_NAMES[worst]
    words = f"keypoints may be {np.median(sigma):.1f} px off, {name} {sigma[worst]:.1f} px"
    return Reason("sigma", float(np.median(sigma)), threshold, "px", words, (name,))
