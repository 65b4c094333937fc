"""How far a proposal may be from the truth, and how its errors hang together: what the solver weighs
corrections against.

A correction says where one keypoint is; what the others then most likely do follows from how a proposal's
errors go together. Two descriptions are used at once: in pose (sigmas of joint angles, of the whole hand's
turn, of its depth) and in the photo (keypoints err together over the whole hand, more so within a finger).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.correcting.solver.coordinates import ANGLES, COUNT, LOG_DEPTH, PLACE, SHAPE, TURN
from annotator.hand.topology import HAND

LEAST_SIGMA = 0.1  # px: no keypoint is known better
# The finger each keypoint is on; the wrist is on none.
FINGER_OF = np.array(HAND.finger_of)


@dataclass(frozen=True)
class Doubt:
    """One sigma of a proposal's error.

    flexion, abduction, twist: rad, each for the joints nearest the palm, the middle and the last ones; thumb:
    factor on all of the thumb's; turn: rad; place: px of the crop; depth: of log depth; shape: of each number
    of shape; keypoints: factor on the proposal's own keypoint sigmas; together, in_finger: the share of a
    keypoint's error variance (px^2) that is the whole hand's, and its finger's; believed: corrections
    farther off than so many sigmas say that the hand is elsewhere.
    """

    flexion: tuple[float, float, float] = (0.30, 0.35, 0.25)
    abduction: tuple[float, float, float] = (0.12, 0.03, 0.03)
    twist: tuple[float, float, float] = (0.06, 0.03, 0.03)
    thumb: float = 1.4
    turn: float = 0.20
    place: float = 5.0
    depth: float = 0.12
    shape: float = 0.7
    keypoints: float = 1.0
    together: float = 0.05
    in_finger: float = 0.1
    believed: float = 15.0

    def strayed(self, off: np.ndarray, sigma: np.ndarray) -> float:
        """How many times more doubtful the hand's place is than was thought: 1 but for the grossest errors.

        off (h,2) px: where corrections are, from where their keypoints were expected to sigma (h,) px. Where
        most of them are much farther off than that, the hand is elsewhere, and its other keypoints hold it no
        longer.
        """
        if not len(off):
            return 1.0
        typical = float(np.median(np.hypot(off[:, 0], off[:, 1]) / np.maximum(sigma, LEAST_SIGMA)))
        return max(1.0, typical / self.believed)

    def sigmas(self, crop_focal: float, strayed: float = 1.0) -> np.ndarray:
        """One sigma per coordinate (61,); crop_focal: the focal length in crop px; strayed: see above."""
        sigma = np.empty(COUNT)
        one = np.stack([self.flexion, self.abduction, self.twist], axis=-1)  # (row of joints, axis)
        angles = np.tile(one, (5, 1))
        angles[HAND.articulated_of["thumb"]] *= self.thumb
        # the thumb's base is a saddle joint: it moves about all three axes
        angles[12] = self.thumb * max(self.flexion[0], self.abduction[0])
        sigma[ANGLES] = angles.ravel()
        sigma[TURN] = self.turn
        sigma[PLACE] = strayed * self.place / crop_focal
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
