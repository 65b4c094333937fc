"""Joints of a world seen by one of its cameras: what records of captured hands have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand, box_of, labels_of
from annotator.vision.camera import project

FEWEST = 3  # valid joints that a hand needs


def seen_hand(joints: np.ndarray, valid: np.ndarray, K: np.ndarray, box: np.ndarray | None = None, **given: Any) -> Any:
    """The record of joints (21, 3) m in a camera's frame, those that are valid (21,) bool.

    given: of `LabelledHand`. InputError for joints behind the camera.
    """
    joints = np.array(joints)
    joints[~valid] = joints[valid].mean(axis=0)  # what is not valid may be anything
    if (joints[:, 2] <= 0).any():
        raise InputError("joints lie behind the camera")
    labels = labels_of(project(joints, K), valid)
    return LabelledHand(
        box=box_of(labels["keypoints"][labels["weights"] > 0]) if box is None else box, K=K, joints=joints,
        joint_weights=valid.astype(float), **labels, **given,
    )  # fmt: skip
