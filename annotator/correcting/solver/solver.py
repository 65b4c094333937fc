"""Corrections to a mesh that obeys them: pose, place and, where corrections demand it, shape.

Pixels are units of the 224 px crop unless said. Everything is float64 numpy in a fixed order: the same input
gives the same answer, whatever order the corrections came in.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.evidence import Evidence, SecondView, checked_points
from annotator.correcting.solver.coordinates import POSE_COUNT, Coordinates
from annotator.correcting.solver.descent import Descent
from annotator.correcting.solver.field import displaced
from annotator.correcting.solver.posterior import sharper
from annotator.correcting.solver.problem import HandProblem, Proposal, Targets
from annotator.correcting.solver.search import Settings, search
from annotator.correcting.solver.views import View
from annotator.errors import InputError
from annotator.hand.joint_states import CONFIRMED, JOINT_STATES, UNSEEN
from annotator.hand.joints import JOINT_NAMES, ByJoint, joint_index
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.camera import project
from annotator.vision.crop_size import CROP_SIZE

STEEPEST = 5.0  # tangent of the widest angle off the camera's axis at which a correction can be met


@dataclass(frozen=True)
class Solution:
    """What `solve` found.

    hand: the corrected hand; residual_px: joint number -> how far its keypoint is from where it was put, crop
    px; feasible: every correction is met within `Settings.exact`; unmet: names of the joints that are not;
    iterations: steps tried; shape_opened: whether the shape was free; strain: half the squared sigmas by
    which the answer differs from the proposal, pose and keypoints (0: nothing moved).
    """

    hand: HandMesh
    residual_px: dict[int, float]
    feasible: bool
    unmet: tuple[str, ...]
    iterations: int
    shape_opened: bool
    strain: float

    @property
    def message(self) -> str:
        """One sentence for a person."""
        if self.feasible:
            return f"all {len(self.residual_px)} given keypoints met"
        worst = ", ".join(f"{name} {self.residual_px[joint_index(name)]:.1f} px off" for name in self.unmet)
        return f"no plausible hand has all these keypoints; this is the closest ({worst})"


def solve(
    hand: HandMesh,
    model: HandModel,
    corrections: ByJoint[Sequence[float]],
    states: ByJoint[str] | Sequence[str] | None = None,
    evidence: Sequence[Evidence] = (),
    settings: Settings | None = None,
) -> Solution:
    """The hand, moved as its uncertainty allows, so that corrected keypoints are exactly where they were put.

    hand: a proposal, or any hand of this model (no cached features needed); corrections: joint name or number
    -> (x, y) photo px, added to those the hand has (a joint named again takes the new place); states: joint
    -> state, or all 21: "confirmed" holds a keypoint where it is; "occluded" and "out of frame" take its
    place in the photo out of the reckoning, a correction's too; evidence: relations in depth, second views.
    Where no plausible hand meets the corrections the answer is the closest one, and says so. Raises
    InputError for unknown joints or states, and places that are not finite or far outside the camera's sight.
    """
    settings = settings or Settings()
    known = checked_states(states)
    merged = dict(sorted((dict(hand.corrections) | checked_points(corrections, "correction of")).items()))
    check_sight(merged, hand.camera)
    for item in evidence:
        if not isinstance(item, Evidence):
            raise InputError(f"evidence must be InFront, Depths or SecondView, got {type(item).__name__}")
    problem = problem_of(hand, model, merged, known, evidence, settings)
    found = search(problem, any(isinstance(e, SecondView) for e in evidence), settings)

    offsets, distances = displaced(problem, found.state, model, settings.surface)
    residuals = {int(k): float(d) for k, d in zip(problem.targets.joints, distances, strict=True)}
    unmet = tuple(JOINT_NAMES[k] for k, d in residuals.items() if d > settings.exact)
    strain = 0.5 * float(np.sum(found.state.soft**2) + np.sum(found.state.prior**2))
    answer = answer_of(hand, model, problem, found, merged, settings, offsets, distances)
    opened = problem.count > POSE_COUNT
    return Solution(answer, residuals, not unmet, unmet, found.tried, opened, strain)


def problem_of(
    hand: HandMesh,
    model: HandModel,
    corrections: Mapping[int, Sequence[float]],
    states: Mapping[int, str],
    evidence: Sequence[Evidence],
    settings: Settings,
) -> HandProblem:
    """What `solve` makes smaller; corrections, states and evidence are checked before."""
    if len(hand.vertices) != len(model.template) or len(hand.parameters.offsets) != model.offset_count:
        raise InputError(
            f"a hand of {len(hand.vertices)} vertices and {len(hand.parameters.offsets)} offsets is not of "
            f"hand model {model.name!r}, which has {len(model.template)} and {model.offset_count}"
        )
    scale = CROP_SIZE / hand.crop_size
    left = hand.side == "left"
    to_view = np.array([-scale if left else scale, scale])  # photo px to the solver's frame
    hard = {k: hand.keypoints[k] for k, state in states.items() if state == CONFIRMED}
    hard |= {k: place for k, place in corrections.items() if states.get(k) not in UNSEEN}
    joints = np.array(sorted(hard), dtype=int)
    targets = Targets(joints, np.array([hard[k] for k in joints], dtype=np.float64).reshape(-1, 2) * to_view)
    seen = np.array([k for k in range(21) if states.get(k) not in UNSEEN], dtype=int)
    places, sigma = hand.keypoints * to_view, hand.keypoint_sigma * scale
    strayed = settings.doubt.strayed(targets.places - places[joints], sigma[joints])
    proposal = Proposal(seen, places[seen], settings.doubt.keypoint_whitening(strayed * sigma, seen))
    widest = 4.0 if any(isinstance(e, SecondView) for e in evidence) else settings.depth_factor
    focal = math.sqrt(hand.camera[0, 0] * hand.camera[1, 1]) * scale
    return HandProblem(
        Coordinates(model, hand.parameters, widest, settings.shape_limit), View.of(hand.camera, scale, left),
        targets, proposal, settings.doubt.sigmas(focal, strayed), evidence, left, settings.relation,
    )  # fmt: skip


def answer_of(
    hand: HandMesh,
    model: HandModel,
    problem: HandProblem,
    found: Descent,
    corrections: Mapping[int, tuple[float, float]],
    settings: Settings,
    offsets: np.ndarray | None = None,
    missing: np.ndarray | None = None,
) -> HandMesh:
    """The hand at the end of a search, with other offsets (M,3) m if given: skinned, projected, its
    uncertainty what is left after corrections that are met but for `missing` (h,) px.
    """
    parameters = problem.coordinates.parameters(found.state.placed)
    if offsets is not None:
        parameters = parameters.replace(offsets=offsets)
    vertices = model.vertices(parameters, hand.side)
    joints = model.joints(vertices)
    missing = found.state.distances if missing is None else missing
    keypoint_sigma, vertex_sigma = sharper(hand, model, problem, found.state, missing, settings.person)
    return dataclasses.replace(
        hand, vertices=vertices, joints=joints, keypoints=project(joints, hand.camera), parameters=parameters,
        corrections=corrections, keypoint_sigma=keypoint_sigma, vertex_sigma=vertex_sigma,
    )  # fmt: skip


def checked_states(states: ByJoint[str] | Sequence[str] | None) -> dict[int, str]:
    """Joint number -> state; InputError for an unknown joint or state, or a sequence that is not of 21."""
    if states is None:
        return {}
    if not isinstance(states, Mapping):
        states = tuple(states)
        if len(states) != 21:
            raise InputError(f"expected 21 joint states, got {len(states)}")
        states = dict(enumerate(states))
    found = {}
    for key, state in states.items():
        if state not in JOINT_STATES:
            raise InputError(f"unknown joint state {state!r}: expected one of {', '.join(JOINT_STATES)}")
        found[joint_index(key)] = state
    return found


def check_sight(points: Mapping[int, tuple[float, float]], K: np.ndarray) -> None:
    """InputError, naming the joint, for a place (x, y) photo px that no hand in front of camera K (3,3) could be at."""
    for joint, place in points.items():
        ray = np.linalg.solve(K, np.array([*place, 1.0]))
        if not math.hypot(ray[0], ray[1]) <= STEEPEST:
            raise InputError(
                f"correction of {JOINT_NAMES[joint]}: ({place[0]:g}, {place[1]:g}) is far outside what the camera sees"
            )
