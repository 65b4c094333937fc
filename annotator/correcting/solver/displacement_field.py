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

from annotator.correcting.kinematics.chain import chain_of
from annotator.correcting.solver.problem import HandProblem, State
from annotator.hand.model import OFFSET_LEVEL, HandModel

SMOOTH = 0.012  # m: how far along the hand a displacement is felt
OWN = 0.1  # share of it that a vertex has for itself
NEWTON = 3


@functools.lru_cache(maxsize=4)
def _smoothed(model: HandModel) -> np.ndarray:
    """(21,M,32): for each keypoint and offset, first its share in the keypoint's 16 parts
    (`Chain.from_offsets`), then the same shares smoothed over the hand.

    Smoothing is a covariance of displacements: near vertices of the same part move together. It is a Gaussian
    of their distance at rest times how much of their skinning they share (Bhattacharyya), both positive
    semi-definite.
    """
    indices = model.levels[OFFSET_LEVEL].indices
    points, weights = model.template[indices], np.sqrt(np.maximum(model.weights[indices], 0.0))
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=-1)
    related = np.einsum("mj,nj->mn", weights, weights)
    smooth = np.exp(-0.5 * squared / SMOOTH**2) * related + OWN * np.eye(len(indices))
    shares = chain_of(model).from_offsets.transpose(1, 2, 0)  # (21,M,16)
    return np.concatenate([shares, np.einsum("nm,kmj->knj", smooth, shares)], axis=2)


def displaced(problem: HandProblem, state: State, model: HandModel, most: float) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (M,3) m, rest pose, and what is still missing (h,) px, after a field that moves each hard
    keypoint to its target, or `most` px toward it where that is farther. The pose stays; of all such fields
    the smoothest.
    """
    offsets = problem.coordinates.offsets
    joints, places = problem.targets.joints, problem.targets.places
    if not len(joints) or most <= 0:
        return offsets, state.distances
    start, length = places + state.miss, state.distances
    aims = start - state.miss * np.minimum(1.0, most / np.maximum(length, 1e-12))[:, None]

    # d keypoint = sum_m B_m o_m with B_m = sum_j share_mj G_j; the smoothest such o is smooth B^T forces.
    count, turned = len(joints), state.placed.posed.turned.reshape(16, 9)
    shares = _smoothed(model)[joints]
    size = shares.shape[1]
    moves, smoothed = (part @ turned for part in (shares[..., :16], shares[..., 16:]))  # (h,M,9) each
    moves, smoothed = moves.reshape(count, size, 3, 3), smoothed.reshape(count, size, 3, 3)
    points = state.placed.keypoints[joints]
    moved, field = points, np.zeros((size, 3))
    for _ in range(NEWTON):
        image = problem.view.project(moved)
        missing = aims - image[0]
        if np.abs(missing).max() < 1e-6:
            break
        rates = problem.view.rates(image)[:, None]  # (h,1,2,3)
        rows, held = ((rates @ part).reshape(count, size, 2, 3) for part in (moves, smoothed))
        rows, held = (part.transpose(3, 0, 2, 1).reshape(3, 2 * count, size) for part in (rows, held))
        gram = (rows @ held.transpose(0, 2, 1)).sum(axis=0)
        gram.flat[:: 2 * count + 1] += 1e-9 * np.trace(gram) / (2 * count)
        forces = np.linalg.solve(gram, missing.ravel())
        field = field + (forces @ held).T
        moved = points + np.einsum("hmxy,my->hx", moves, field)
    missing = problem.view.project(moved)[0] - places
    return offsets + field, np.hypot(missing[:, 0], missing[:, 1])
