"""From what several cameras say to one hand: proposals joined, labels in any photo, one descent over all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.solver.coordinates import Coordinates
from annotator.correcting.solver.descent import Descent, descend
from annotator.correcting.solver.problem import Proposal, SolverCamera, Targets
from annotator.correcting.solver.search import SolverSettings
from annotator.correcting.solver.stretching import BONES, Stretched
from annotator.correcting.views.frames import between
from annotator.correcting.views.fusing import Fused, fused
from annotator.correcting.views.sighting import Sighting
from annotator.correcting.views.solver.problem import InstantProblem, Photo, State
from annotator.correcting.views.solver.reading import Labels
from annotator.correcting.views.weighing import in_effect
from annotator.hand.joint_states import UNSEEN
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.rigs import RigCamera

STRAY = 2.5  # sigmas: a keypoint of a proposal that is farther from the joined hand counts less and less
ROUNDS = 2  # how often keypoints and photos are weighed anew
STEPS = 6  # most steps of each of these rounds
# Factor on a proposal's pose spread, and the sigma of shape: photos together say more of both. Where one photo counts
# for nearly all (`weighing`), its pose is as sure as it is by itself.
POSE, SHAPE = 4.0, 2.2
LENGTH = 0.15  # share: how far a bone is from the length that the shape space gives it
FARTHER = 4.0  # a hand may be nearer or farther than its rays meet by this factor
NO_LABELS = Labels(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0), np.ones(21))


@dataclass(frozen=True, eq=False)
class Found:
    """What `solved` found: the problem, where the descent ended, and the proposals' common say."""

    problem: InstantProblem
    descent: Descent
    common: Fused

    @property
    def state(self) -> State:
        return self.descent.state


def several_settings(settings: SolverSettings | None = None) -> SolverSettings:
    """The solver's settings for several photos."""
    settings = settings or SolverSettings()
    return dataclasses.replace(settings, prior=dataclasses.replace(settings.prior, pose=POSE, shape=SHAPE))


def solved(
    sightings: Sequence[Sighting],
    model: HandModel,
    labels: Mapping[str, Labels],
    states: Mapping[str, Mapping[int, str]],
    others: Mapping[str, tuple[RigCamera, HandMesh]],
    settings: SolverSettings,
    start: np.ndarray | None = None,
) -> Found:
    """The likeliest hand. sightings: of one side, those that agree; others: further photos with labels, with the camera
    and the hand as it is there; start: where to begin, coordinates of an answer to the same sightings."""
    inflation = np.ones(21)
    for told in labels.values():
        inflation = np.maximum(inflation, told.inflation)
    if len(sightings) > 1:
        share = (in_effect(sightings) - 1.0) / (len(sightings) - 1)
        pose = 1.0 + (settings.prior.pose - 1.0) * share
        settings = dataclasses.replace(settings, prior=dataclasses.replace(settings.prior, pose=pose))
    common = fused(sightings, model, settings.prior, inflation)
    # one photo alone cannot tell a long bone from one that comes nearer
    several = len(sightings) + sum(name in labels for name in others) > 1
    make = Stretched if several else Coordinates
    coordinates = make(model, common.parameters, FARTHER, settings.shape_limit)
    left = sightings[0].hand.side == "left"
    photos, sigmas = [], []
    for one in sightings:
        read = labels.get(one.camera.name, NO_LABELS)
        photos.append(_photo(one.camera, one.hand, read, common.reference, left))
        sigmas.append(one.sigma * one.scale * read.inflation)
    for name, (camera, hand) in others.items():
        if name in labels:
            photos.append(_photo(camera, hand, labels[name], common.reference, left))
    problem = InstantProblem(
        coordinates, photos, np.concatenate([common.sigmas, np.full(BONES if several else 0, LENGTH)])
    )
    _soften(problem, sightings, sigmas, states, settings, [np.ones(21)] * len(sightings))
    x = coordinates.start if start is None else start
    found = descend(problem, x, settings.most, settings.enough, settings.worth)
    for _ in range(ROUNDS if len(sightings) > 1 else 0):
        weights = [_stray(problem, found.state, k, sigma, settings) for k, sigma in enumerate(sigmas)]
        _soften(problem, sightings, sigmas, states, settings, weights)
        found = descend(problem, found.x, STEPS, settings.enough, settings.worth)
    return Found(problem, found, common)


def _photo(camera: RigCamera, hand: HandMesh, labels: Labels, reference: RigCamera, left: bool) -> Photo:
    scale = CROP_SIZE / hand.crop_size
    to_view = np.array([-scale if left else scale, scale])
    R, t = between(reference, camera)
    targets = (
        labels.targets(to_view) if len(labels.joints) else Targets(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0))
    )
    return Photo(camera.name, SolverCamera.of(camera.K, scale, left, R, t), targets, None)


def _soften(
    problem: InstantProblem,
    sightings: Sequence[Sighting],
    sigmas: Sequence[np.ndarray],
    states: Mapping[str, Mapping[int, str]],
    settings: SolverSettings,
    weights: Sequence[np.ndarray],
) -> None:
    """Put the proposals' keypoints into the problem, each doubted by its factor (21,)."""
    left = sightings[0].hand.side == "left"
    for photo, one, sigma, factor in zip(problem.photos, sightings, sigmas, weights, strict=False):
        known = states.get(one.camera.name, {})
        seen = np.array([k for k in range(21) if known.get(k) not in UNSEEN and np.isfinite(sigma[k])], dtype=int)
        if not len(seen):
            photo.soft = None
            continue
        to_view = np.array([-one.scale if left else one.scale, one.scale])
        whitening = settings.prior.keypoint_whitening(sigma * factor, seen)
        photo.soft = Proposal(seen, one.places[seen] * to_view, whitening)


def _stray(
    problem: InstantProblem, state: State, number: int, sigma: np.ndarray, settings: SolverSettings
) -> np.ndarray:
    """(21,) how much more each keypoint of a photo's proposal is to be doubted: by its own residual (Cauchy's weights),
    and by that of the whole photo, whose errors are all wider than it says where most are wide."""
    photo, seen = problem.photos[number], state.seen[number]
    factor = np.ones(21)
    if photo.soft is None:
        return factor
    joints = photo.soft.joints
    off = np.linalg.norm(seen.image[0][joints] - photo.soft.places, axis=1) / (settings.prior.keypoints * sigma[joints])
    wide = max(1.0, float(np.median(off)) / 1.2)  # 1.2: the median length of two normal errors of one sigma
    factor[joints] = wide * np.sqrt(1.0 + (off / wide / STRAY) ** 2)
    return factor


def sharpness(found: Found) -> tuple[np.ndarray, np.ndarray]:
    """The covariance (n,n) of the coordinates in sigmas, and the keypoints' derivatives (21,3,n) by them."""
    hessian, _ = found.problem.normal_equations(found.state)
    return np.linalg.inv(hessian), found.problem.keypoint_jacobian(found.state)
