"""Which keypoint to correct next: where the model itself expects a correction to help most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotator.correcting.search import Settings
from annotator.correcting.solver import checked_states, problem_of
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel

CROP = 224.0


def expected_gain(
    hand: HandMesh,
    model: HandModel,
    states: Mapping[int | str, str] | Sequence[str] | None = None,
    settings: Settings | None = None,
) -> np.ndarray:
    """(21,) m^2: by how much a correction of each keypoint is expected to shrink the joints' summed variance.

    The hand's uncertainty is the solver's own Gaussian model round the hand, corrections so far included; joints are
    taken relative to their mean, so that a shift of the whole hand does not count. A keypoint is 0 if it was corrected
    or confirmed already, is occluded, or is out of frame.
    """
    settings = settings or Settings()
    known = checked_states(states)
    problem = problem_of(hand, model, hand.corrections, known, (), settings)
    scale = CROP / hand.crop_size
    _, state = problem.evaluate(problem.coordinates.start[: problem.count])
    jacobian = problem.keypoint_jacobian(state)
    in_photo = problem.view.rates(state.image) @ jacobian  # (21,2,n)
    information, _ = problem.normal_equations(state, hard=False)
    clicks = in_photo[problem.targets.joints].reshape(-1, problem.count) / settings.person
    covariance = np.linalg.inv(information + clicks.T @ clicks)
    shape = (jacobian - jacobian.mean(axis=0)).reshape(63, -1)
    seen = in_photo @ covariance  # (21,2,n)
    spread = seen @ in_photo.transpose(0, 2, 1) + settings.person**2 * np.eye(2)
    moved = shape @ seen.transpose(0, 2, 1)  # (21,63,2): how the joints go along with each keypoint
    gain = np.einsum("kji,kil,kjl->k", moved, np.linalg.inv(spread), moved)
    # The model's own sigmas say how much of this is there: a hand that is surely right gains nothing.
    expected = np.sqrt(np.einsum("kxi,kxi->k", seen, in_photo) / 2)
    gain *= np.minimum((hand.keypoint_sigma * scale / expected) ** 2, 4.0)
    done = [k for k, s in known.items() if s in ("confirmed", "occluded", "out of frame")] + list(hand.corrections)
    gain[done] = 0.0
    return gain


def next_keypoint(hand: HandMesh, model: HandModel, states=None) -> int | None:
    """The keypoint number whose correction is expected to help most; None if none is left."""
    gain = expected_gain(hand, model, states)
    return int(gain.argmax()) if gain.max() > 0 else None
