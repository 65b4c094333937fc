"""From labels to the likeliest hand: pose, place and shape that labels, proposal and evidence make likeliest together.

A label is what a person said of the photo, to a known accuracy; it is kept as it was set, and the mesh is not bent to
meet its last pixels. Pixels are units of the 224 px crop unless said. Everything is float64 numpy in a fixed order:
the same input gives the same answer, whatever order the labels came in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from annotator.correcting.depth.evidence import Evidence, SecondView, checked_points, depth_labels_of, evidence_of
from annotator.correcting.depth.surface_pairs import SurfacePairs, surface_pairs
from annotator.correcting.depth.surfaces import read_surface
from annotator.correcting.solver.assembling import answer_of, problem_of
from annotator.correcting.solver.coordinates import POSE_COUNT
from annotator.correcting.solver.displacement_field import displaced
from annotator.correcting.solver.labels import check_sight, checked_states
from annotator.correcting.solver.search import SolverSettings, likeliest, pinned
from annotator.correcting.strain import FREE, confidence_factor, strain_of
from annotator.correcting.subjects.subject import Subject
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joints import JOINT_NAMES, ByJoint, joint_index
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.images.depth_images import DepthImage

SURFACE_READINGS = 6  # a depth image is read through the hand, which it moves: joints first, then the skin
READINGS = 2  # how often labels are read anew through a definition, whose offsets turn with the hand


@dataclass(frozen=True)
class Solution:
    """What `solve` found.

    hand: the corrected hand; residual_px: joint number -> how far the mesh's joint, as the labeller means it, is
    from its label, crop px; feasible: no label is farther off than a plausible hand allows (pinned: every label is
    met within `SolverSettings.exact`); unmet: names of the joints that are; iterations: steps tried; shape_opened:
    whether the shape was free; strain: half the squared sigmas by which the answer differs from the proposal, pose
    and keypoints (0: nothing moved).
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
    settings: SolverSettings | None = None,
    definition: JointDefinition | str | None = None,
    exact: bool = False,
    held: Mapping[int, tuple[float, float]] | None = None,
    subject: Subject | None = None,
) -> Solution:
    """The likeliest hand given labels, proposal and evidence.

    Parameters
    ----------
    hand
        A proposal, or any hand of this model (no cached features needed).
    corrections
        Joint name or number -> (x, y) photo px, added to those the hand has (a joint named again takes the new place).
    states
        Joint -> state, or all 21: "confirmed" says that a keypoint is right where it is; "occluded" and "out of frame"
        take its place in the photo out of the reckoning, a correction's too.
    evidence
        Relations in depth, depths, second views. What a person can say of a hand's depth (`InFront`, `PalmDepths`,
        `PalmDistance`) is kept in its `depth_labels`, and counts from then on.
    definition
        Whose labels they are: how this labeller means the joints, see `hand.definitions`; None: somebody unknown.
    held
        Where "confirmed" keypoints are, if not where the hand has them: joint number -> (x, y) photo px.
    exact
        Pin the mesh: every label is met, by the pose and for the last pixels by a small field on the surface.
    subject
        Whose hand it is: its shape takes the place of the hand's own, as surely as its covariance says.

    Returns
    -------
    Solution
        Its hand's `corrections` are the labels as they were set; its `keypoints` are where the mesh's joints are.
        Where no plausible hand comes near a label, its confidence is lower (see `correcting.strain`).

    Raises
    ------
    InputError
        Unknown joints, states or definitions, and places that are not finite or far outside the camera's sight.
    """
    settings = settings or SolverSettings()
    read = definition_of(definition)
    known = checked_states(states)
    merged = dict(sorted((dict(hand.corrections) | checked_points(corrections, "correction of")).items()))
    check_sight(merged, hand.camera)
    for item in evidence:
        if not isinstance(item, Evidence):
            kinds = ", ".join(kind.__name__ for kind in get_args(Evidence))
            raise InputError(f"evidence must be one of {kinds}, got {type(item).__name__}")
    hand = hand.replace(depth_labels=hand.depth_labels.joined(depth_labels_of(evidence)))
    evidence = evidence_of(hand.depth_labels, evidence)
    images = [one for one in evidence if isinstance(one, DepthImage)]
    evidence = [one for one in evidence if not isinstance(one, DepthImage)]
    if exact and images:  # they are read through the hand that is nearest to them
        near = solve(
            hand, model, corrections, states, (*evidence, *images), settings, definition, held=held, subject=subject
        ).hand
        evidence = [*evidence, *read_through(near, images)]
    if exact:
        return _pinned(hand, model, merged, known, evidence, settings, subject)
    if evidence or images:  # it speaks of the pose: depths must not be explained by longer bones
        settings = dataclasses.replace(settings, prior=dataclasses.replace(settings.prior, pose=1.0, shape=1.0))
    if subject is not None:
        settings = dataclasses.replace(settings, prior=settings.prior.of_known_shape())
    shape_of = hand  # the hand whose bones say where the definition's joints are
    x, tried = None, 0
    readings = SURFACE_READINGS if images else READINGS if read.moves and merged else 1
    for reading in range(readings):
        surfaces = laid_through(shape_of, model, images) if reading else []
        seen = [*evidence, *(surfaces or read_through(shape_of, images))]
        problem = problem_of(hand, model, merged, known, seen, settings, read, shape_of, held, subject)
        found = likeliest(problem, problem.coordinates.start if x is None else x, settings)
        x, tried = found.x, tried + found.tried
        if reading + 1 < readings:
            shape_of = answer_of(hand, model, problem, found, merged, settings)
    answer = answer_of(hand, model, problem, found, merged, settings)
    off = read.keypoints(answer) if read.moves else answer.keypoints
    residuals = {}
    for k in problem.targets.joints.tolist():
        if k in merged:
            apart = off[k] - merged[k]
        else:
            apart = answer.keypoints[k] - (held or {}).get(k, hand.keypoints[k])
        residuals[k] = float(np.linalg.norm(apart)) * CROP_SIZE / hand.crop_size
    strained = strain_of(answer, read, settings.accuracy)
    before = confidence_factor(strain_of(hand, read, settings.accuracy))
    answer = answer.replace(confidence=min(hand.confidence / before, 1.0) * confidence_factor(strained))
    unmet = tuple(one.joint for one in strained if one.sigmas > FREE and joint_index(one.joint) in residuals)
    distance = 0.5 * float(np.sum(found.state.soft**2) + np.sum(found.state.prior**2))
    return Solution(answer, residuals, not unmet, unmet, tried, problem.count > POSE_COUNT, distance)


def read_through(hand: HandMesh, images: Sequence[DepthImage]) -> list[Evidence]:
    """What depth images say of the joints, read through a hand as it is."""
    found = [read_surface(hand, image).depths for image in images]
    return [depths for depths in found if depths is not None]


def laid_through(hand: HandMesh, model: HandModel, images: Sequence[DepthImage]) -> list[SurfacePairs]:
    """Where depth images say that the skin is, by a hand that is near it already."""
    found = [surface_pairs(hand, model, image) for image in images]
    return [pairs for pairs in found if pairs is not None]


def _pinned(hand, model, merged, states, evidence, settings: SolverSettings, subject) -> Solution:
    """`solve` where every label is to be met."""
    problem = problem_of(hand, model, merged, states, evidence, settings, subject=subject)
    found = pinned(problem, any(isinstance(e, SecondView) for e in evidence), settings)
    offsets, distances = displaced(problem, found.state, model, settings.surface)
    residuals = {int(k): float(d) for k, d in zip(problem.targets.joints, distances, strict=True)}
    unmet = tuple(JOINT_NAMES[k] for k, d in residuals.items() if d > settings.exact)
    strain = 0.5 * float(np.sum(found.state.soft**2) + np.sum(found.state.prior**2))
    answer = answer_of(hand, model, problem, found, merged, settings, offsets, distances)
    strained = confidence_factor(strain_of(answer, definition_of(None), settings.accuracy))
    answer = answer.replace(confidence=hand.confidence * strained)
    return Solution(answer, residuals, not unmet, unmet, found.tried, problem.count > POSE_COUNT, strain)
