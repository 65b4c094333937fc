"""Labels in several photos as residuals of one hand: each photo's are read as if it were alone, then joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotator.correcting.solver.labels import read_labels
from annotator.correcting.solver.problem import Targets
from annotator.correcting.solver.search import SolverSettings
from annotator.hand.definitions import JointDefinition
from annotator.hand.mesh import HandMesh
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.rigs import RigCamera

Places = Mapping[int, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels and confirmed keypoints of one photo: joints (h,), ideal (h,2) px without the lens, sigma (h,) crop px;
    inflation (21,): how many times more than usual the proposals' keypoints are doubted for them."""

    joints: np.ndarray
    ideal: np.ndarray
    sigma: np.ndarray
    inflation: np.ndarray

    def targets(self, to_view: np.ndarray) -> Targets:
        """For the solver. to_view (2,): photo px to its crop units, negative in x for a left hand."""
        return Targets(self.joints, self.ideal * to_view, self.sigma)


def read_views(
    shown: Mapping[str, HandMesh],
    cameras: Mapping[str, RigCamera],
    corrections: Mapping[str, Places],
    states: Mapping[str, Mapping[int, str]],
    held: Mapping[str, Places],
    definition: JointDefinition,
    shape_of: Mapping[str, HandMesh],
    settings: SolverSettings,
) -> dict[str, Labels]:
    """Camera -> its labels as they speak of the mesh's own joints. shown: the hand, in each photo, that labels are
    compared with; shape_of: that whose bones turn the definition's offsets."""
    found: dict[str, Labels] = {}
    for name, hand in shown.items():
        given, known = corrections.get(name, {}), states.get(name, {})
        if not given and not known:
            continue
        joints, wanted, sigma, judged = read_labels(
            hand, given, known, settings, definition, shape_of[name], held.get(name)
        )
        found[name] = Labels(joints, cameras[name].ideal(wanted), sigma, judged.inflation)
    return _joined(found, shown, definition)


def _joined(found: dict[str, Labels], shown: Mapping[str, HandMesh], definition: JointDefinition) -> dict[str, Labels]:
    """What a labeller means by a joint is the same in all photos, and so is that error: it does not average out."""
    count = np.zeros(21)
    for labels in found.values():
        count[labels.joints] += 1
    doubt = np.ones(21)
    for labels in found.values():
        doubt = np.maximum(doubt, labels.inflation)
    joined = {}
    for name, labels in found.items():
        hand = shown[name]
        focal = np.sqrt(hand.camera[0, 0] * hand.camera[1, 1]) * CROP_SIZE / hand.crop_size
        repeated = definition.spread[labels.joints] * focal / np.maximum(hand.joints[labels.joints, 2], 1e-3)
        sigma = np.sqrt(labels.sigma**2 + (count[labels.joints] - 1) * repeated**2)
        joined[name] = Labels(labels.joints, labels.ideal, sigma, doubt)
    return joined
