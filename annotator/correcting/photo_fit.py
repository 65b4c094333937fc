"""The last word of a proposal: the hand is drawn to where a landmark network sees its keypoints.

The network's answer is a hand that its evidence makes likely; a landmark network that has seen far more real photos
says where each keypoint is in this one. Both have errors, so the solver weighs them: the landmarks by `LANDMARK` px of
the crop (less where one, or most of them, are far from the network's answer, which is how gross errors look), the hand
by the solver's usual doubt. The depth hardly changes; the mesh comes to lie on the photo.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import numpy as np

from annotator.correcting.solver.doubt import FINGER_OF
from annotator.correcting.solver.search import Settings
from annotator.correcting.solver.solver import solve
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.crop_size import CROP_SIZE

# px of the crop, sigma of a landmark. On the training part of the two-camera video, asked of a network that had not
# seen it, 5 px gave 11.5 mm PA-MPJPE and 3.2 % of the box in 2-D, 3 px 11.3 and 2.8, 1 px 11.2 and 2.3; on rendered
# hands, whose landmarks are noisier, less than 3 px makes the mesh worse.
LANDMARK = np.full(21, 3.0)
# MediaPipe's thumb base is no anatomical joint: it lies some 7 mm farther out than ours
LANDMARK[1] = 15.0
GROSS = 15.0  # px: a landmark this far from the network's answer counts half
LOST = 10.0  # px: all of them count half where half of them are this far
# The network has seen the landmarks it is compared with, so the two are less than two witnesses. With this factor a 90
# % interval holds 88 % of the errors on rendered hands. On the two-camera video it holds 99 %, but there the labels
# come from the same landmark network: they are no reason to be surer.
NOT_INDEPENDENT = 1.6
CONTRADICTED = 8.0  # px: a correction this far from its landmark says that the finger's others are wrong too


def fit_to_landmarks(
    hand: HandMesh,
    model: HandModel,
    landmarks: np.ndarray,
    settings: Settings | None = None,
) -> HandMesh:
    """The hand with its keypoints drawn to landmarks (21, 2) photo px; NaN where there are none.

    Where a person has corrected a keypoint (`hand.corrections`), its landmark does not count, and if the two are apart
    those of its finger do not either. Confidence and cached features are the hand's own; a keypoint's sigma becomes
    that of two witnesses, who count for less the farther apart they are. Deterministic.
    """
    landmarks = np.asarray(landmarks, np.float64)
    scale = CROP_SIZE / hand.crop_size
    known = np.isfinite(landmarks).all(axis=1)
    known[list(_contradicted(hand, landmarks, scale))] = False
    if not known.any():
        return hand
    off = np.linalg.norm(np.where(known[:, None], landmarks - hand.keypoints, 0.0), axis=1) * scale
    doubt = LANDMARK * np.sqrt((1 + (off / GROSS) ** 2) * (1 + (np.median(off[known]) / LOST) ** 4))
    sigma = np.where(known, doubt, np.maximum(hand.keypoint_sigma * scale, LANDMARK))
    aims = np.where(known[:, None], landmarks, hand.keypoints)
    aimed = dataclasses.replace(hand, keypoints=aims, keypoint_sigma=sigma / scale, corrections={})
    fitted = solve(aimed, model, {}, settings=settings).hand
    both = NOT_INDEPENDENT / np.sqrt((hand.keypoint_sigma * scale) ** -2 + np.where(known, doubt, np.inf) ** -2)
    return dataclasses.replace(
        fitted,
        keypoint_sigma=np.where(known, both / scale, hand.keypoint_sigma),
        vertex_sigma=hand.vertex_sigma,
        corrections=hand.corrections,
    )


def _contradicted(hand: HandMesh, landmarks: np.ndarray, scale: float) -> Collection[int]:
    """Keypoints whose landmarks a person's corrections have overruled."""
    overruled = set(hand.corrections)
    for joint, place in hand.corrections.items():
        if not np.linalg.norm(landmarks[joint] - place) * scale < CONTRADICTED and FINGER_OF[joint] >= 0:
            overruled |= set(np.flatnonzero(FINGER_OF == FINGER_OF[joint]).tolist())
    return overruled
