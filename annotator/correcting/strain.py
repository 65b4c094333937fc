"""Labels that no plausible hand comes near: what was set there is kept, and said to be doubtful at once.

A label is off by its random error and by what the labeller means by the joint; the mesh's joint may lie that far from
it and all is well. Farther away the two contradict each other: the label is a slip, or the hand is no hand that the
model knows. Either way nobody should take the mesh for the labelled hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.accuracy import LabelAccuracy, label_sigma
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.vision.crop_size import CROP_SIZE

FREE = 4.0  # sigmas of a label: within these nothing contradicts
LEAST_FACTOR = 0.001  # that a confidence is multiplied by: what is divided out again when a label is taken back
STEEP = 4.0  # beyond, confidence falls by a factor of e per so many sigmas


@dataclass(frozen=True)
class StrainedLabel:
    """joint: its name; pixels: from the label to the mesh's joint as the labeller means it, photo px; sigmas: the same
    in units of the label's accuracy."""

    joint: str
    pixels: float
    sigmas: float

    @property
    def words(self) -> str:
        """For a person."""
        joint = self.joint.replace("_", " ")
        return f"no plausible hand has its {joint} where it was set: the mesh stays {self.pixels:.0f} px away"

    def as_dict(self) -> dict[str, str | float]:
        """For JSON."""
        return {"joint": self.joint, "pixels": round(self.pixels, 3), "sigmas": round(self.sigmas, 3)}


def strain_of(
    hand: HandMesh, definition: JointDefinition | str | None = None, accuracy: LabelAccuracy | None = None
) -> tuple[StrainedLabel, ...]:
    """How far each label of a hand is from its mesh, farthest (in sigmas) first. definition: whose labels they are."""
    if not hand.corrections:
        return ()
    read = definition_of(definition)
    joints = np.array(list(hand.corrections), dtype=int)
    keypoints = read.keypoints(hand) if read.moves else hand.keypoints
    off = np.linalg.norm(keypoints[joints] - np.array(list(hand.corrections.values())), axis=1)
    sigma = label_sigma(hand, read, accuracy)[joints] * hand.crop_size / CROP_SIZE
    found = [StrainedLabel(JOINT_NAMES[k], float(o), float(o / s)) for k, o, s in zip(joints, off, sigma, strict=True)]
    return tuple(sorted(found, key=lambda one: -one.sigmas))


def strained(hand: HandMesh, definition: JointDefinition | str | None = None) -> tuple[StrainedLabel, ...]:
    """The labels that contradict the mesh, worst first; empty for a hand that may be accepted."""
    return tuple(one for one in strain_of(hand, definition) if one.sigmas > FREE)


def confidence_factor(labels: Sequence[StrainedLabel]) -> float:
    """By what a hand's confidence is multiplied for its worst label, 0..1."""
    worst = max((one.sigmas for one in labels), default=0.0)
    return max(float(np.exp(-max(0.0, worst - FREE) / STEEP)), LEAST_FACTOR)
