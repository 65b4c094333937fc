"""Which keypoint to correct next: where the model itself expects a correction to help most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.correcting.accuracy import label_sigma
from annotator.correcting.solver.assembling import problem_of
from annotator.correcting.solver.coordinates import PLACE, TURN
from annotator.correcting.solver.labels import checked_states
from annotator.correcting.solver.search import SolverSettings
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joint_states import CONFIRMED, UNSEEN
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.crop_size import CROP_SIZE


def expected_gain(
    hand: HandMesh,
    model: HandModel,
    states: ByJoint[str] | Sequence[str] | None = None,
    settings: SolverSettings | None = None,
    disagreement: np.ndarray | None = None,
    definition: JointDefinition | str | None = None,
) -> np.ndarray:
    """(21,) m^2: by how much a correction of each keypoint is expected to shrink the joints' summed variance.

    The hand's uncertainty is the solver's own Gaussian model round the hand, corrections so far included;
    where the whole hand lies and how it is turned does not count, as in errors after alignment. A keypoint is
    0 if it was corrected or confirmed already, is occluded, or is out of frame.

    A label is as good as whoever would give it: definition, as in `solve`. One that says little of where the joint is
    (an unknown person's wrist) gains little.

    disagreement (21,) photo px: what else speaks against each keypoint (answers on other views that lie elsewhere), as
    a standard deviation independent of the network's own.
    """
    settings = settings or SolverSettings()
    known = checked_states(states)
    read = definition_of(definition)
    accuracy = label_sigma(hand, read, settings.accuracy)
    problem = problem_of(hand, model, hand.corrections, known, (), settings, read)
    scale = CROP_SIZE / hand.crop_size
    _, state = problem.evaluate(problem.coordinates.start[: problem.count])
    jacobian = problem.keypoint_jacobian(state)
    in_photo = problem.view.rates(state.image) @ jacobian  # (21,2,n)
    information, _ = problem.normal_equations(state, hard=False)
    clicks = (in_photo[problem.targets.joints] / problem.targets.sigma[:, None, None]).reshape(-1, problem.count)
    covariance = np.linalg.inv(information + clicks.T @ clicks)
    shape = jacobian - jacobian.mean(axis=0)
    shape[..., TURN] = 0.0
    shape[..., PLACE] = 0.0
    shape = shape.reshape(63, -1)
    seen = in_photo @ covariance  # (21,2,n)
    spread = seen @ in_photo.transpose(0, 2, 1)
    # The network's own sigmas are calibrated, the solver's spread is not: a keypoint's spread is brought to
    # its sigma.
    factor = hand.keypoint_sigma * scale / np.sqrt(np.trace(spread, axis1=1, axis2=2) / 2)
    moved = factor[:, None, None] * (shape @ seen.transpose(0, 2, 1))  # (21,63,2): how joints go along with a keypoint
    spread = factor[:, None, None] ** 2 * spread + accuracy[:, None, None] ** 2 * np.eye(2)
    gain = np.einsum("kji,kil,kjl->k", moved, np.linalg.inv(spread), moved)
    if disagreement is not None:  # the variance that a correction would take is so many times what was thought
        gain *= 1 + (np.asarray(disagreement) / hand.keypoint_sigma) ** 2
    done = [k for k, s in known.items() if s in (CONFIRMED, *UNSEEN)] + list(hand.corrections)
    gain[done] = 0.0
    return gain


def next_keypoint(
    hand: HandMesh, model: HandModel, states=None, disagreement: np.ndarray | None = None, definition=None
) -> int | None:
    """The keypoint number whose correction is expected to help most; None if none is left. As in `expected_gain`."""
    gain = expected_gain(hand, model, states, disagreement=disagreement, definition=definition)
    return int(gain.argmax()) if gain.max() > 0 else None
