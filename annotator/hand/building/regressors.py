"""Joint regressors: weights over vertices whose weighted mean is the joint, in every shape and in every pose.

With linear blend skinning a row r regresses the kinematic joint J of bone k *exactly in every pose* when, for
every bone b, sum_v r_v w_vb (x_v - J) = 0, and only bone k and its parent hold any of the weight sum_v r_v
w_vb: both carry J to the same place. These conditions are linear in r, so they go into the non-negative least
squares together with the joint's place in the template and in each direction of the shape space.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from annotator.hand.joints import MANO_PARENTS, MANO_TO_KEYPOINTS

_STRAY = 0.02  # m: what a unit of weight on an unrelated bone is taken to cost
_EVEN = 2e-4  # m: pull toward spread-out weights, so that a row does not hang on very few vertices


def fit_regressor(
    template: np.ndarray, directions: np.ndarray, weights: np.ndarray, joints: np.ndarray,
    joint_directions: np.ndarray, nearest: int = 60,
) -> np.ndarray:  # fmt: skip
    """Rows (16,V), non-negative, each summing to one.

    template (V,3), directions (V,3,C), weights (V,16), joints (16,3), joint_directions (16,3,C); metres.
    """
    regressor = np.zeros((len(joints), len(template)))
    places = np.concatenate([template[:, :, None], directions], axis=2)  # (V,3,1+C)
    goals = np.concatenate([joints[:, :, None], joint_directions], axis=2)
    for k, joint in enumerate(joints):
        near = np.argsort(np.linalg.norm(template - joint, axis=1))[:nearest]
        offsets = (places[near] - goals[k]).reshape(nearest, -1)  # (n, 3(1+C))
        own = {k, max(MANO_PARENTS[k], 0)}
        bones = np.flatnonzero(weights[near].max(axis=0) > 1e-4)
        rows, values = [offsets.T, np.ones((1, nearest))], [np.zeros(offsets.shape[1]), np.ones(1)]
        for bone in bones:
            rows.append((offsets * weights[near, bone][:, None]).T)
            values.append(np.zeros(offsets.shape[1]))
            if bone not in own:
                rows.append(_STRAY * weights[near, bone][None])
                values.append(np.zeros(1))
        rows.append(_EVEN * np.eye(nearest))
        values.append(np.zeros(nearest))
        solution, _ = nnls(np.concatenate(rows), np.concatenate(values))
        regressor[k, near] = solution / solution.sum()
    return regressor


def keypoint_regressor(joint_regressor: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """(21,V), keypoint order: the 16 joints' rows, one vertex per fingertip (tips (5,), thumb first)."""
    rows = np.zeros((21, joint_regressor.shape[1]))
    rows[:16] = joint_regressor
    rows[np.arange(16, 21), tips] = 1.0
    return rows[list(MANO_TO_KEYPOINTS)]
