"""How sure the corrected hand is: what the corrections leave of the proposal's uncertainty."""

from __future__ import annotations

import functools

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from annotator.correcting.solver.problem import HandProblem, State
from annotator.hand.joints import KEYPOINT_OF_MANO
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel


def sharper(
    hand: HandMesh, model: HandModel, problem: HandProblem, state: State, missing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoint sigmas (21,) photo px and vertex sigmas (V,) m after the corrections.

    Linearised at the answer, the solver's own least squares says by which factor the corrections shrink each
    keypoint's spread in the photo and each joint's in space; the proposal's sigmas, which are calibrated,
    shrink by these factors, and a labelled joint's never below its label's accuracy. missing (h,): how far labels
    are from being met, crop px. Vertices follow the joints of the bones they hang on.
    """
    if not len(problem.targets.joints):
        return np.asarray(hand.keypoint_sigma), np.asarray(hand.vertex_sigma)
    jacobian = problem.keypoint_jacobian(state)
    in_photo = problem.view.rates(state.image) @ jacobian
    before, _ = problem.normal_equations(state, hard=False)
    clicks = in_photo[problem.targets.joints].reshape(-1, problem.count)
    miss = np.maximum(problem.targets.sigma, missing)  # a label that was not met says less
    clicks = clicks / np.repeat(miss, 2)[:, None]
    after = before + clicks.T @ clicks
    pixel = _ratio(in_photo, before, after)
    metre = _ratio(jacobian - jacobian.mean(axis=0), before, after)  # vertex sigmas are of the shape, not of the place
    floor = np.full(21, problem.targets.sigma.min())
    floor[problem.targets.joints] = problem.targets.sigma
    floor = floor * hand.crop_size / 224.0
    keypoint_sigma = np.maximum(hand.keypoint_sigma * pixel, np.minimum(hand.keypoint_sigma, floor))
    return keypoint_sigma, hand.vertex_sigma * (bones_of(model) @ metre)


def _ratio(rates: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Per keypoint, spread after over spread before, of quantities with derivatives rates (21,d,n)."""
    # By the factor's inverse, 60 x 60: LAPACK's solution for many right sides (dtrtrs) goes to threads, which takes a
    # thousand times as long as the sum itself wherever a core is busy.
    rows = rates.reshape(-1, rates.shape[-1]).T
    spreads = []
    for information in (before, after):
        factor, _ = dpotrf(information, lower=1)
        inverse, _ = dtrtri(factor, lower=1)
        half = np.tril(inverse) @ rows
        spreads.append((half * half).sum(axis=0).reshape(21, -1).sum(axis=1))
    return np.sqrt(spreads[1] / spreads[0])


@functools.lru_cache(maxsize=4)
def bones_of(model: HandModel) -> np.ndarray:
    """(V,21) weights, rows summing to one: the joints at both ends of the bones a vertex hangs on."""
    ends = np.zeros((16, 21))
    for bone, keypoint in enumerate(KEYPOINT_OF_MANO):
        if bone == 0:
            ends[0, [0, 5, 9, 13, 17]] = 0.2
        else:
            ends[bone, [keypoint, keypoint + 1]] = 0.5
    return model.weights @ ends
