"""What several proposals of one hand say together: a pose, how sure it is, and where the hand is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator.correcting.kinematics.angles import angles_to_rotations, rotations_to_angles
from annotator.correcting.kinematics.chain import chain_of
from annotator.correcting.solver.coordinates import ANGLES, LOG_DEPTH, PLACE, SHAPE, TURN
from annotator.correcting.solver.prior import ProposalPrior
from annotator.correcting.views.frames import MIRROR, between, moved
from annotator.correcting.views.sighting import Sighting
from annotator.hand.mesh import HandParameters
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.vision.rigs import RigCamera

TOGETHER = 0.5  # the share of a pose error's variance that proposals of the same hand have in common: one network
PLACE_SIGMA, DEPTH_SIGMA = 0.3, 0.5  # of X/Z and Y/Z, and of log Z: where the hand is, the photos say
STRAY = math.radians(70)  # a proposal whose hand is turned this far from the others' says nothing of the turn


@dataclass(frozen=True, eq=False)
class Fused:
    """parameters of the hand in the frame of `reference`; sigmas (61,), one of each coordinate of the solver."""

    reference: RigCamera
    parameters: HandParameters
    sigmas: np.ndarray


def fused(
    sightings: Sequence[Sighting], model: HandModel, prior: ProposalPrior, inflation: np.ndarray | None = None
) -> Fused:
    """The proposals of one hand (of one side), each by its uncertainty. inflation (21,): how many times more than usual
    each keypoint is doubted (`solver.labels`)."""
    reference = min(sightings, key=lambda one: one.doubt).camera
    side = sightings[0].hand.side
    doubted = np.ones(21) if inflation is None else inflation
    sigmas, weights, angles, turns, shapes, there = [], [], [], [], [], []
    for one in sightings:
        focal = math.sqrt(one.camera.K[0, 0] * one.camera.K[1, 1]) * one.scale
        typical = float(np.median(one.hand.keypoint_sigma)) * one.doubted * one.scale
        sigma = prior.sigmas(focal, typical, doubted)
        here = moved(one.hand.parameters, side, *between(one.camera, reference))
        rotations = rotation_matrices(here.pose)
        sigmas.append(sigma)
        weights.append(1.0 / sigma**2)
        turns.append(rotations[0])
        angles.append(rotations_to_angles(rotations[1:], model.anatomical_axes).ravel())
        shapes.append(here.shape)
        there.append(here)
    weight = np.array(weights)
    total = weight.sum(axis=0)
    # errors that proposals share do not average out: variance (1 - c) / sum(w) + c * count / sum(w)
    sigma = np.sqrt((1.0 - TOGETHER + TOGETHER * len(sightings)) / total)
    angle = (weight[:, ANGLES] * angles).sum(axis=0) / total[ANGLES]
    shape = (weight[:, SHAPE] * shapes).sum(axis=0) / total[SHAPE]
    turn = mean_turn(turns, weight[:, TURN.start])
    pose = np.concatenate([turn[None], angles_to_rotations(angle.reshape(15, 3), model.anatomical_axes)])
    # the rig says nothing of where one proposal alone is, nor of its size: those stay as doubtful as they are
    if len(sightings) > 1:
        sigma[PLACE], sigma[LOG_DEPTH] = PLACE_SIGMA, DEPTH_SIGMA
    sigma[SHAPE] = sigmas[0][SHAPE]
    parameters = HandParameters(rotation_vectors(pose), shape, there[0].translation, there[0].offsets * 0)
    posed = chain_of(model).pose(pose, chain_of(model).rest(shape)).keypoints
    if len(sightings) > 1:
        place = where(sightings, posed, reference, side)
        parameters = parameters.replace(translation=place)
    else:
        parameters = there[0]
    return Fused(reference, parameters, sigma)


def mean_turn(turns: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """The rotation (3,3) nearest to all (their chordal mean), without those that are far from the others."""
    count = len(turns)
    apart = np.array([[_angle(a, b) for b in turns] for a in turns])
    middle = int(np.argmin(np.median(apart, axis=1) if count > 2 else apart.sum(axis=1) / weights))
    near = apart[middle] < STRAY
    u, _, v = np.linalg.svd(np.einsum("n,nab->ab", weights * near, np.array(turns)))
    return u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arccos(np.clip((np.trace(a @ b.T) - 1) / 2, -1, 1)))


def where(sightings: Sequence[Sighting], posed: np.ndarray, reference: RigCamera, side: str) -> np.ndarray:
    """(3,) m: where the wrist is, in the (for a left hand mirrored) frame of `reference`, so that the hand with
    keypoints `posed` (21,3) m about its wrist is seen where the sightings have it: linear, every ray by its sigma."""
    hessian, gradient = np.zeros((3, 3)), np.zeros(3)
    mirror = MIRROR if side == "left" else np.ones(3)
    for one in sightings:
        R, t = between(reference, one.camera)
        known = np.isfinite(one.sigma)
        flat = one.camera.normalised(one.places[known])
        points = (posed[known] * mirror) @ R.T + t
        rows = R[None, :2] - flat[:, :, None] * R[None, 2:3]  # (n,2,3): x - u z = 0 of R (X + T) + t
        off = flat * points[:, 2:] - points[:, :2]
        focal = math.sqrt(one.camera.K[0, 0] * one.camera.K[1, 1])
        weight = (focal / one.sigma[known])[:, None]
        rows, off = (rows * weight[..., None]).reshape(-1, 3), (off * weight).ravel()
        hessian += rows.T @ rows
        gradient += rows.T @ off
    return mirror * np.linalg.solve(hessian, gradient)
