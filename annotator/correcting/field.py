"""The last pixels of a correction: a small smooth displacement of the mesh, as the network's own
displacements are.

A click is good to a pixel or two. A pose that followed every click exactly would follow its noise, and noise
in a click turns into centimetres of depth. So the pose takes what the clicks say together (see `search`), and
the rest, a few pixels at most, the surface round each keypoint takes: exactly, smoothly, in the picture's
plane, and no farther than its own finger.
"""

from __future__ import annotations

import functools

import numpy as np

from annotator.correcting.kinematics import chain_of
from annotator.correcting.problem import HandProblem, State
from annotator.hand.model import OFFSET_LEVEL, HandModel

SMOOTH = 0.012  # m: how far along the hand a displacement is felt
OWN = 0.1  # share of it that a vertex has for itself
NEWTON = 3


@functools.lru_cache(maxsize=4)
def _smoothness(model: HandModel) -> np.ndarray:
    """(M,M) covariance of displacements at the offset level: near vertices of the same part move together.

    A Gaussian of their distance at rest times how much of their skinning they share (Bhattacharyya), both
    positive semi-definite.
    """
    indices = model.levels[OFFSET_LEVEL].indices
    points, weights = model.template[indices], np.sqrt(np.maximum(model.weights[indices], 0.0))
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    return np.exp(-0.5 * squared / SMOOTH**2) * (weights @ weights.T) + OWN * np.eye(len(indices))


def displaced(
    problem: HandProblem, state: State, model: HandModel, most: float
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (M,3) m, rest pose, and what is still missing (h,) px, after a field that moves each hard
    keypoint to its target, or `most` px toward it where that is farther. The pose stays; of all such fields
    the smoothest.
    """
    offsets = problem.coordinates.offsets
    joints, places = problem.targets.joints, problem.targets.places
    if not len(joints) or most <= 0:
        return offsets, state.distances
    start = places + state.miss
    length = state.distances
    aims = start - state.miss * np.minimum(1.0, most / np.maximum(length, 1e-12))[:, None]

    chain, posed = chain_of(model), state.placed.posed
    smooth = _smoothness(model)
    by_bone = chain.from_offsets.reshape(16, 21, -1)[:, joints]  # (16,h,M)
    # d keypoint = sum_m (sum_j a_jkm G_j) o_m; in the smooth metric o = smooth a^T ... (K. Lanczos' least
    # norm)
    count, size = len(joints), smooth.shape[0]
    moves = np.tensordot(by_bone, posed.turned, axes=(0, 0))  # (h,M,3,3)
    spread = (
        (smooth @ moves.transpose(1, 0, 2, 3).reshape(size, -1))
        .reshape(size, count, 3, 3)
        .transpose(1, 0, 2, 3)
    )
    points = state.placed.keypoints[joints]
    moved, field = points.copy(), np.zeros((size, 3))
    for _ in range(NEWTON):
        image = problem.view.project(moved)
        missing = aims - image[0]
        if np.abs(missing).max() < 1e-6:
            break
        rates = problem.view.rates(image)  # (h,2,3)
        rows = np.einsum("hax,hmxy->hamy", rates, moves).reshape(2 * count, -1)
        smoothed = np.einsum("hax,hmxy->hamy", rates, spread).reshape(2 * count, -1)
        gram = rows @ smoothed.T
        gram.flat[:: 2 * count + 1] += 1e-9 * np.trace(gram) / (2 * count)
        field = field + (smoothed.T @ np.linalg.solve(gram, missing.ravel())).reshape(size, 3)
        moved = points + np.einsum("hmxy,my->hx", moves, field)
    missing = problem.view.project(moved)[0] - places
    return offsets + field, np.hypot(missing[:, 0], missing[:, 1])
