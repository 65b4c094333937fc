"""Rigs round random possible hands, and what a network would propose in each photo."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from annotator.hand.mesh import HandMesh, HandParameters
from annotator.vision.rigs import Rig, RigCamera

SIZES = {f"cam{k}": (480, 640) for k in range(8)}


def rig_of(count: int, seed: int = 0, lens=(-0.15, 0.05, 0.001, -0.001)) -> Rig:
    random, found = np.random.default_rng(seed), {}
    for k in range(count):
        turn = Rotation.from_euler(
            "yx", (360 / max(count, 3) * k + random.uniform(-8, 8), random.uniform(-5, 30)), degrees=True
        )
        focal = random.uniform(750, 900)
        K = [[focal, 0, 320 + random.normal(0, 5)], [0, focal, 240 + random.normal(0, 5)], [0, 0, 1]]
        place = [0, 0, random.uniform(0.6, 0.8)]
        found[f"cam{k}"] = RigCamera(f"cam{k}", K, turn.as_matrix(), place, lens, width=640, height=480)
    return Rig(found)


def proposal(camera, model, world, pose, shape, side, random, noise) -> HandMesh:
    """A hand whose keypoints are off by `noise` px and whose mesh is off as a proposal's is."""
    joints = camera.to_camera(world)
    keypoints = camera.project(world) + random.normal(0, noise, (21, 2))
    turned = np.array(pose) + random.normal(0, 0.1, (16, 3))
    mirror = np.array([-1.0, 1.0, 1.0]) if side == "left" else np.ones(3)
    R = mirror[:, None] * camera.R * mirror
    turned[0] = (
        Rotation.from_matrix(R) * Rotation.from_rotvec(pose[0]) * Rotation.from_rotvec(random.normal(0, 0.05, 3))
    ).as_rotvec()
    first = HandParameters(turned, shape * 0, np.zeros(3), np.zeros((model.offset_count, 3)))
    wrist = model.joints(model.vertices(first, side))[0]
    first = first.replace(translation=mirror * (joints[0] * random.uniform(0.93, 1.07) - wrist))
    vertices = model.vertices(first, side)
    low, high = keypoints.min(axis=0), keypoints.max(axis=0)
    return HandMesh(
        side=side, camera=camera.K, crop_center=(low + high) / 2, crop_size=float(1.8 * (high - low).max()),
        crop_angle=0.0, vertices=vertices, faces=model.faces_of(side), joints=model.joints(vertices),
        keypoints=keypoints, keypoint_sigma=np.full(21, max(noise, 0.5)), vertex_sigma=np.full(len(vertices), 0.008),
        confidence=0.9, parameters=first, hand_model=model.name, parametric=None,
    )  # fmt: skip
