"""How far a proposal may be from the truth, and how its errors hang together: what labels are weighed against.

The spreads are those of the network's own errors: its answers on rendered photos with the noise of real landmarks,
angle by angle against the poses that the photos were rendered with, and on others where its landmarks are what it finds
itself. They scale with the hand's own uncertainty: a hand of twice the usual sigmas has errors 1.6 times as wide.
Errors in the photo are the hand's keypoint sigmas (T. Kendall and Y. Gal 2017, calibrated).

The pose is trusted more than it deserves taken by itself (`POSE`), and the shape less (`shape`): what labels say of a
hand whose bones are longer than any shape's would else be put down to its pose. Found on rendered hands beyond the
shape space and on one half of a real video, reported on others (`docs/corrections.md`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from annotator.correcting.solver.coordinates import ANGLES, COUNT, LOG_DEPTH, PLACE, SHAPE, TURN
from annotator.hand.topology import HAND

LEAST_SIGMA = 0.1  # px: no keypoint is known better
# The finger each keypoint is on; the wrist is on none. And each of the 15 joints that bend, in model order.
FINGER_OF = np.array(HAND.finger_of)
FINGER_OF_ANGLES = np.repeat([1, 2, 4, 3, 0], 3)
USUAL = 3.9  # px of the crop: the typical keypoint sigma of the hands that the spreads below were measured on
# `pose` and `keypoints` below where the shape is a subject's: found on rendered subjects, see docs/subjects.md
KNOWN_POSE, KNOWN_KEYPOINTS = 1.3, 1.0
GROWTH = 0.7  # errors grow with this power of a hand's sigma


@dataclass(frozen=True)
class ProposalPrior:
    """One sigma of a proposal's error.

    flexion, abduction, twist: rad, each for the joints nearest the palm, the middle and the last ones; thumb: rad, per
    joint (flexion, abduction, twist); turn: of the whole hand, rad; place: px of the crop; depth: of log depth; shape:
    of each number of shape; pose: factor on all angles; keypoints: factor on the proposal's own keypoint sigmas;
    together, in_finger: the share of a keypoint's error variance (px^2) that is the whole hand's, and its finger's;
    widest: factor by which a finger's angles may at most be doubted more.
    """

    flexion: tuple[float, float, float] = (0.16, 0.22, 0.24)
    abduction: tuple[float, float, float] = (0.068, 0.05, 0.035)
    twist: tuple[float, float, float] = (0.076, 0.042, 0.042)
    thumb: tuple[tuple[float, float, float], ...] = ((0.135, 0.148, 0.214), (0.204, 0.104, 0.118), (0.30, 0.061, 0.05))
    turn: float = 0.083
    place: float = 4.0
    depth: float = 0.09
    shape: float = 1.8
    pose: float = 0.45
    keypoints: float = 1.3
    together: float = 0.05
    in_finger: float = 0.1
    widest: float = 6.0

    def of_known_shape(self) -> ProposalPrior:
        """The prior of a hand whose subject is known: what labels say is no longer put down to the pose for want of the
        right bones, so that the pose need not be trusted more than it deserves."""
        return dataclasses.replace(self, pose=KNOWN_POSE, keypoints=KNOWN_KEYPOINTS)

    def sigmas(self, crop_focal: float, typical: float, inflation: np.ndarray, elsewhere: float = 1.0) -> np.ndarray:
        """One sigma per coordinate (61,).

        crop_focal: the focal length in crop px; typical: the hand's median keypoint sigma, crop px; inflation (21,):
        how many times more than usual each keypoint is doubted, elsewhere: and the hand's place (see `trust`).
        """
        grown = self.pose * (max(typical, LEAST_SIGMA) / USUAL) ** GROWTH
        sigma = np.empty(COUNT)
        one = np.stack([self.flexion, self.abduction, self.twist], axis=-1)  # (row of joints, axis)
        angles = np.concatenate([np.tile(one, (4, 1)), np.array(self.thumb)])
        doubted = np.array([inflation[FINGER_OF == finger].max() for finger in range(5)])
        angles = angles * np.minimum(doubted, self.widest)[FINGER_OF_ANGLES, None]
        sigma[ANGLES] = (grown * angles).ravel()
        sigma[TURN] = grown * self.turn
        sigma[PLACE] = grown * elsewhere * self.place / crop_focal
        sigma[LOG_DEPTH] = self.depth
        sigma[SHAPE] = self.shape
        return sigma

    def keypoint_whitening(self, sigma: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """W (n,n) so that W e is white for the errors e (n,) px of the seen keypoints (n of 21), along one
        image axis.

        sigma (21,) crop px: the proposal's own.
        """
        finger = FINGER_OF[seen]
        same = (finger[:, None] == finger[None]) & (finger >= 0)[:, None]
        own = 1.0 - self.together - self.in_finger
        correlation = self.together + self.in_finger * same + own * np.eye(len(seen))
        correlation[np.diag_indices(len(seen))] = 1.0
        scale = self.keypoints * np.maximum(sigma[seen], LEAST_SIGMA)
        factor = np.linalg.cholesky(correlation * scale[:, None] * scale)
        return np.linalg.inv(factor)
