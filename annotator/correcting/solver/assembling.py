"""From a hand and what is said of it to the problem that is solved, and from the end of a search back to a hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from annotator.correcting.depth.evidence import Evidence, SecondView
from annotator.correcting.depth.surface_pairs import SurfacePairs
from annotator.correcting.solver.coordinates import SHAPE, Coordinates
from annotator.correcting.solver.descent import Descent
from annotator.correcting.solver.labels import read_labels
from annotator.correcting.solver.posterior import sharper
from annotator.correcting.solver.problem import HandProblem, Proposal, SolverCamera, Targets
from annotator.correcting.solver.search import SolverSettings
from annotator.correcting.solver.stretching import BONES, Stretched
from annotator.correcting.subjects.subject import HELD, Subject
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joint_states import UNSEEN
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.camera import project
from annotator.vision.crop_size import CROP_SIZE


def problem_of(
    hand: HandMesh,
    model: HandModel,
    corrections: Mapping[int, tuple[float, float]],
    states: Mapping[int, str],
    evidence: Sequence[Evidence | SurfacePairs],
    settings: SolverSettings,
    definition: JointDefinition | str | None = None,
    shape_of: HandMesh | None = None,
    held: Mapping[int, tuple[float, float]] | None = None,
    subject: Subject | None = None,
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
    read = definition_of(definition)
    seen_elsewhere = any(isinstance(e, SecondView) for e in evidence)
    joints, labels, accuracy, judged = read_labels(
        hand, corrections, states, settings, read, shape_of, held, seen_elsewhere
    )
    targets = Targets(joints, labels * to_view, accuracy)
    seen = np.array([k for k in range(21) if states.get(k) not in UNSEEN], dtype=int)
    places, sigma = hand.keypoints * to_view, hand.keypoint_sigma * scale
    proposal = Proposal(seen, places[seen], settings.prior.keypoint_whitening(judged.inflation * sigma, seen))
    widest = 4.0 if seen_elsewhere else settings.depth_factor
    focal = math.sqrt(hand.camera[0, 0] * hand.camera[1, 1]) * scale
    spread = settings.prior.sigmas(focal, float(np.median(sigma)), judged.inflation, judged.elsewhere)
    parameters, whitening, make = hand.parameters, None, Coordinates
    if subject is None and any(isinstance(e, SurfacePairs) for e in evidence):  # they tell how long bones are
        make, spread = Stretched, np.concatenate([spread, np.full(BONES, settings.stretch)])
    if subject is not None:
        parameters, whitening = subject.parameters(model, parameters), subject.whitening
        spread[SHAPE] = HELD * subject.sigma
    return HandProblem(
        make(model, parameters, widest, settings.shape_limit), SolverCamera.of(hand.camera, scale, left),
        targets, proposal, spread, evidence, left, settings.relation, whitening,
    )  # fmt: skip


def answer_of(
    hand: HandMesh,
    model: HandModel,
    problem: HandProblem,
    found: Descent,
    corrections: Mapping[int, tuple[float, float]],
    settings: SolverSettings,
    offsets: np.ndarray | None = None,
    missing: np.ndarray | None = None,
) -> HandMesh:
    """The hand at the end of a search, with other offsets (M,3) m if given: skinned, projected, its
    uncertainty what is left after labels that are met but for `missing` (h,) px.
    """
    parameters = problem.coordinates.parameters(found.state.placed)
    if offsets is not None:
        parameters = parameters.replace(offsets=offsets)
    vertices = model.vertices(parameters, hand.side)
    joints = model.joints(vertices)
    missing = found.state.distances if missing is None else missing
    keypoint_sigma, vertex_sigma = sharper(hand, model, problem, found.state, missing)
    return dataclasses.replace(
        hand, vertices=vertices, joints=joints, keypoints=project(joints, hand.camera), parameters=parameters,
        corrections=corrections, keypoint_sigma=keypoint_sigma, vertex_sigma=vertex_sigma,
    )  # fmt: skip
