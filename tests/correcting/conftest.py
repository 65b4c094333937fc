"""Random possible hands seen by a camera, and proposals that are off as a network's are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from annotator.correcting.kinematics.angles import angles_to_rotations, clamp_angles, rotations_to_angles
from annotator.hand.mesh import HandMesh, HandParameters, ParametricEstimate
from annotator.hand.model import HandModel
from annotator.hand.rotations import rotation_matrices, rotation_vectors
from annotator.vision.camera import project

CAMERA = np.array([[900.0, 0, 640], [0, 920, 360], [0, 0, 1]])


def hand_mesh(model: HandModel, parameters: HandParameters, side: str, crop=None) -> HandMesh:
    """The hand of these parameters; crop (centre, size) or None for one round its keypoints."""
    vertices = model.vertices(parameters, side)
    joints = model.joints(vertices)
    keypoints = project(joints, CAMERA)
    if crop is None:
        low, high = keypoints.min(axis=0), keypoints.max(axis=0)
        crop = (low + high) / 2, 1.6 * (high - low).max()
    return HandMesh(
        side=side, camera=CAMERA, crop_center=crop[0], crop_size=crop[1], crop_angle=0.0, vertices=vertices,
        faces=model.faces_of(side), joints=joints, keypoints=keypoints,
        keypoint_sigma=np.full(21, 4 * crop[1] / 224), vertex_sigma=np.full(len(vertices), 0.008),
        confidence=0.8, parameters=parameters, hand_model=model.name,
        parametric=ParametricEstimate(vertices, joints, keypoints),
    )  # fmt: skip


def possible_angles(random: np.random.Generator, model: HandModel) -> np.ndarray:
    """Joint angles (15,3) within the limits: correlated curls, a little splay, a free thumb."""
    angles = np.zeros((15, 3))
    curl = random.beta(1.2, 1.5)
    for base in (0, 3, 6, 9):
        finger = np.clip(curl + random.normal(0, 0.25), 0, 1)
        bend = np.clip(finger + random.normal(0, 0.2), 0, 1)
        angles[base : base + 3, 0] = 1.5 * finger - 0.2, 1.6 * bend, 0.9 * bend * random.uniform(0.5, 1.2)
        angles[base, 1:] = random.normal(0, (0.12, 0.04))
    angles[12] = random.uniform((-0.3, -0.2, -0.5), (0.5, 0.7, 0.1))
    angles[13:, 0] = random.uniform((-0.2, -0.3), (1.0, 1.2))
    return clamp_angles(angles, model.limits)


def any_rotation(random: np.random.Generator) -> np.ndarray:
    """A rotation (3,3), uniformly distributed."""
    q, r = np.linalg.qr(random.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0 else -q


@pytest.fixture(scope="session")
def build_hand(hand_model) -> Callable[..., HandMesh]:
    """build_hand(parameters, side="right", crop=None): the hand of these parameters, seen by the camera."""
    return lambda parameters, side="right", crop=None: hand_mesh(hand_model, parameters, side, crop)


@pytest.fixture(scope="session")
def draw_angles(hand_model) -> Callable[..., np.ndarray]:
    """draw_angles(random): joint angles (15,3) within the limits."""
    return lambda random: possible_angles(random, hand_model)


@pytest.fixture(scope="session")
def make_truth(hand_model) -> Callable[..., HandMesh]:
    """make_truth(seed, side="right"): a possible hand anywhere in view, turned anyhow, of any shape."""

    def make(seed: int, side: str = "right") -> HandMesh:
        random = np.random.default_rng(seed)
        depth = random.uniform(0.35, 0.9)
        place = np.array([random.uniform(-0.25, 0.25) * depth, random.uniform(-0.15, 0.15) * depth, depth])
        rotations = np.concatenate([
            any_rotation(random)[None],
            angles_to_rotations(possible_angles(random, hand_model), hand_model.anatomical_axes),
        ])  # fmt: skip
        parameters = HandParameters(
            rotation_vectors(rotations),
            random.normal(0, 0.8, 10),
            place,
            np.zeros((hand_model.offset_count, 3)),
        )
        return hand_mesh(hand_model, parameters, side)

    return make


@pytest.fixture(scope="session")
def make_proposal(hand_model) -> Callable[..., HandMesh]:
    """make_proposal(truth, seed, size=1): the hand as a network might have it: bends, turn, depth and shape
    are off.
    """

    def make(truth: HandMesh, seed: int, size: float = 1.0) -> HandMesh:
        random = np.random.default_rng(seed)
        was = truth.parameters
        rotations = rotation_matrices(was.pose)
        angles = rotations_to_angles(rotations[1:], hand_model.anatomical_axes)
        off = np.zeros((15, 3))
        for base in (0, 3, 6, 9, 12):
            off[base : base + 3, 0] = random.normal(0, 0.12) * np.array([0.6, 0.8, 1.0]) + random.normal(0, 0.1, 3)
            off[base, 1:] = random.normal(0, (0.05, 0.03))
        angles = clamp_angles(angles + size * off, hand_model.limits)
        rotations[0] = rotations[0] @ rotation_matrices(size * random.normal(0, 0.1, 3))
        rotations[1:] = angles_to_rotations(angles, hand_model.anatomical_axes)
        place = was.translation * np.exp(size * random.normal(0, 0.06))
        place[:2] += size * random.normal(0, 3 * truth.crop_size / 224, 2) / 900 * place[2]
        shape = was.shape * (1 - 0.5 * min(size, 1)) + size * random.normal(0, 0.3, 10)
        parameters = HandParameters(rotation_vectors(rotations), shape, place, was.offsets)
        return hand_mesh(hand_model, parameters, truth.side, (truth.crop_center, truth.crop_size))

    return make
