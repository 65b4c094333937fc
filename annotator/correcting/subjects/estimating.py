"""One shape from many hands of one person.

In a single photo shape and pose explain the same things: a finger that looks short is short, or points at the camera.
What all photos share is the shape alone. So each hand is solved for its pose with the shape held, and what its labels
then still say of the shape, once its pose may give way (the Schur complement of its normal equations), is added up
over all hands, with what is known of people's hands and what a ruler said.

A proposal's keypoints are left out: they are the projection of a mesh of nearly the mean shape, and would say in every
photo again that everybody has it. Its own number for the shape counts for as much as it says (`heads`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from annotator.correcting.depth.evidence import Evidence, InFront, checked_points
from annotator.correcting.solver.assembling import problem_of
from annotator.correcting.solver.coordinates import POSE_COUNT, SHAPE
from annotator.correcting.solver.descent import AT_BOUND, descend
from annotator.correcting.solver.labels import check_sight, checked_states
from annotator.correcting.solver.prior import ProposalPrior
from annotator.correcting.solver.problem import HandProblem
from annotator.correcting.solver.search import SolverSettings
from annotator.correcting.subjects.measuring import RULER, checked_sizes, size_of
from annotator.correcting.subjects.proposed_shapes import head_evidence
from annotator.correcting.subjects.subject import Subject
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.hand.topology import SHAPE as SHAPE_COUNT

UNHEARD = 50.0  # factor on the sigmas of a proposal's own keypoints: they say nothing here, see above
SETTLED = 0.01  # standard deviations of the shape: a step below this is the last
FARTHEST = 4.0  # each number of shape stays within it


@dataclass(frozen=True)
class Sharing:
    """How hands are added up.

    people: standard deviations of each number of shape over people; heads: whether the network's own numbers count;
    pose: factor on a proposal's angle errors, see `ProposalPrior`; depth: one sigma of log depth; passes: steps of the
    shape, most: of each pose between them; robust: degrees of freedom of Student's t, by which a hand counts less that
    fits its labels worse than the others do; gross: below this weight a hand is said to contradict the others; alike:
    by how much hands say less together than if each erred on its own (one network looks at one person): it widens what
    is not known, found on rendered subjects.
    """

    people: float = 1.4
    heads: bool = True
    pose: float = 0.7
    depth: float = 1.0
    passes: int = 6
    most: int = 8
    robust: float = 6.0
    gross: float = 0.4
    alike: float = 2.0


class Vote(NamedTuple):
    """What one hand says: pose (51,) it takes, cost for each of its labels, information (10, 10) and pull (10,)."""

    pose: np.ndarray
    cost: float
    information: np.ndarray
    pull: np.ndarray


def estimate_subject(
    hands: Sequence[HandMesh],
    hand_model: HandModel,
    sizes: Mapping[str, float | None] | None = None,
    states: Sequence[ByJoint[str] | Sequence[str] | None] | None = None,
    evidence: Sequence[Sequence[Evidence]] | None = None,
    definition: JointDefinition | str | None = None,
    sharing: Sharing | None = None,
) -> Subject:
    """The one shape that hands of one person have.

    Parameters
    ----------
    hands
        Hands of one person, left and right, with their `corrections`; those without labels say nothing. A hand with
        cached features is read as the network had it before its labels.
    hand_model
        Whose shape is meant; the hands are of it.
    sizes
        What a ruler says, m: "length", from the crease of the wrist to the tip of the stretched middle finger, and
        "width", across the palm at the knuckles without the thumb. They set the metric scale: photos do not.
    states
        For each hand, joint states as `solve` takes them.
    evidence
        For each hand, what is known of its depth: second views and depths say how large a hand is, too.
    definition
        How the labeller means the joints.
    sharing
        How hands are added up.

    Returns
    -------
    Subject
        Without a single label and without sizes: the mean hand, to within what people differ.

    Raises
    ------
    InputError
        Hands of another model, lists of another length, impossible sizes, unknown joints, states or definitions.

    References
    ----------
    Bundle adjustment with the poses eliminated (B. Triggs et al. 2000); Student's t weights by iteration (K. Lange et
    al. 1989).
    """
    how, measured, read = sharing or Sharing(), checked_sizes(sizes), definition_of(definition)
    hands = list(hands)
    known = [checked_states(one) for one in _as_many(states, len(hands), "states")]
    told = [tuple(one or ()) for one in _as_many(evidence, len(hands), "evidence")]
    settings = SolverSettings(
        prior=ProposalPrior(pose=how.pose, keypoints=UNHEARD, depth=how.depth), most=how.most, depth_factor=4.0
    )
    ready = []
    for hand, states_of, evidence_of in zip(hands, known, told, strict=True):
        proposal, labels = without_labels(hand)
        check_sight(labels, hand.camera)
        ready.append((proposal, labels, states_of, evidence_of))
    speaking = [k for k, (_, labels, _, evidence_of) in enumerate(ready) if labels or evidence_of]
    shape, weights = np.zeros(SHAPE_COUNT), np.ones(len(speaking))
    poses: dict[int, np.ndarray] = {}
    heads = head_evidence([proposal for proposal, *_ in ready] if how.heads else [])
    information = np.eye(SHAPE_COUNT) / how.people**2
    for _ in range(how.passes):
        held = Subject(shape, np.eye(SHAPE_COUNT), hand_model.digest)
        votes = []
        for k in speaking:
            proposal, labels, states_of, evidence_of = ready[k]
            problem = problem_of(
                proposal, hand_model, labels, states_of, evidence_of, settings, read, subject=held
            )  # fmt: skip
            vote = _vote(problem, poses.get(k), how, max(len(labels), 1))
            poses[k] = vote.pose
            if all(isinstance(one, InFront) for one in evidence_of):
                vote = _sizeless(vote, scaling(hand_model, shape))
            votes.append(vote)
        weights = _weights(np.array([vote.cost for vote in votes]), how)
        information, pull = _added(shape, hand_model, votes, weights, measured, heads, how)
        step = np.linalg.solve(information, pull)
        shape = np.clip(shape + step, -FARTHEST, FARTHEST)
        if np.abs(step).max() < SETTLED:
            break
    covariance = _covariance(shape, hand_model, information, measured, heads[1], how)
    left_out = tuple(k for k, weight in zip(speaking, weights, strict=True) if weight < how.gross)
    return Subject(shape, covariance, hand_model.digest, len(speaking), left_out, measured)


def _added(
    shape: np.ndarray,
    hand_model: HandModel,
    votes: Sequence[Vote],
    weights: np.ndarray,
    measured: Mapping[str, float],
    heads: tuple[np.ndarray, np.ndarray],
    how: Sharing,
) -> tuple[np.ndarray, np.ndarray]:
    """All that speaks about the shape, as normal equations at `shape`: information (10, 10), pull (10,).

    heads: the shape that the network's own heads say, and how sure they are, as `head_evidence` gives them.
    """
    said, sure_of_said = heads
    information = np.eye(SHAPE_COUNT) / how.people**2
    pull = -shape / how.people**2
    information = information + sure_of_said
    pull = pull + sure_of_said @ (said - shape)
    for weight, vote in zip(weights, votes, strict=True):
        information = information + weight * vote.information
        pull = pull + weight * vote.pull
    for name, size in measured.items():
        now, rate = size_of(hand_model, shape, name)
        information = information + np.outer(rate, rate) / RULER[name] ** 2
        pull = pull + rate * (size - now) / RULER[name] ** 2
    return information, pull


def _covariance(
    shape: np.ndarray,
    hand_model: HandModel,
    information: np.ndarray,
    measured: Mapping[str, float],
    sure_of_said: np.ndarray,
    how: Sharing,
) -> np.ndarray:
    """How sure the shape is, (10, 10): hands of one person err alike, so that many of them say less than as many
    strangers."""
    sure = np.eye(SHAPE_COUNT) / how.people**2 + sure_of_said
    for name in measured:
        _, rate = size_of(hand_model, shape, name)
        sure = sure + np.outer(rate, rate) / RULER[name] ** 2
    covariance = np.linalg.inv(sure + (information - sure) / how.alike)
    return 0.5 * (covariance + covariance.T)


def without_labels(hand: HandMesh) -> tuple[HandMesh, dict[int, tuple[float, float]]]:
    """A hand as the network had it before its labels, where that is remembered; and its labels."""
    if not isinstance(hand, HandMesh):
        raise InputError(f"a subject is estimated from HandMesh, got {type(hand).__name__}")
    labels = checked_points(hand.corrections, "correction of")
    proposal = getattr(hand.features, "proposal", None) or hand
    return proposal.replace(features=None).unlabelled(), labels


def scaling(model: HandModel, shape: np.ndarray) -> np.ndarray:
    """(10,) the change of shape (10,) that comes nearest to the same hand made larger."""
    vertices = model.template + model.shape_directions @ shape
    directions = model.shape_directions.reshape(-1, SHAPE_COUNT)
    grown = (vertices - model.joints(vertices)[0]).ravel()
    return np.linalg.lstsq(directions, grown, rcond=None)[0]


def _vote(problem: HandProblem, pose: np.ndarray | None, how: Sharing, labels: int) -> Vote:
    """What a hand says of the shape at which its problem starts, its pose eliminated."""
    start = problem.coordinates.start[:POSE_COUNT] if pose is None else pose
    found = descend(problem, start, how.most, 1e-2, 1e-3)
    x, box = problem.clamp(problem.open_shape(found.x))
    _, state = problem.evaluate(x)
    hessian, gradient = problem.normal_equations(state)
    stuck = ((x <= box.low + AT_BOUND) & (gradient > 0)) | ((x >= box.high - AT_BOUND) & (gradient < 0))
    free = np.flatnonzero(~stuck[:POSE_COUNT])
    scale = problem.scale[SHAPE]
    own = hessian[SHAPE, SHAPE] - np.eye(SHAPE_COUNT)  # what holds the shape here is no evidence
    cross = hessian[SHAPE, free]
    inner = np.linalg.solve(hessian[np.ix_(free, free)], np.column_stack([cross.T, gradient[free]]))
    information = (own - cross @ inner[:, :SHAPE_COUNT]) / np.outer(scale, scale)
    pull = -(gradient[SHAPE] - cross @ inner[:, SHAPE_COUNT]) / scale
    return Vote(found.x, found.cost / labels, 0.5 * (information + information.T), pull)


def _sizeless(vote: Vote, way: np.ndarray) -> Vote:
    """A vote without what it says of the hand's size, along `way` (10,): a photo shows no size, and what its depth was
    taken to be is the mean hand's."""
    along = vote.information @ way
    amount = float(way @ along)
    if amount < 1e-12:
        return vote
    information = vote.information - np.outer(along, along) / amount
    return vote._replace(information=information, pull=vote.pull - along * float(way @ vote.pull) / amount)


def _weights(costs: np.ndarray, how: Sharing) -> np.ndarray:
    """How much each hand counts, at most 1: less if it meets its labels worse than hands of this subject do."""
    if not len(costs):
        return costs
    off = costs / max(float(np.median(costs)), 1e-9)
    return np.minimum((how.robust + 1.0) / (how.robust + off), 1.0)


def _as_many(values: Sequence | None, count: int, what: str) -> list:
    values = [None] * count if values is None else list(values)
    if len(values) != count:
        raise InputError(f"{count} hands, but {what} of {len(values)}")
    return values
