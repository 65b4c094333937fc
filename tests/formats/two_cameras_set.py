"""Two moments of a right and a left hand, seen by two cameras of a rig, as records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from annotator.formats.core.base import box_of
from annotator.vision.camera import project

TURN = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # the second camera stands to the side
POSES = {"left": (np.eye(3), np.zeros(3)), "right": (TURN, np.array([0.1, -0.05, 0.8]))}
KS = {"left": np.array([[900.0, 0, 320], [0, 910, 240], [0, 0, 1]]), "right": np.diag([800.0, 800, 1])}
KS["right"][:2, 2] = 310, 250


def instants_of(records, folder):
    """Eight records of four photos below `folder`, camera by camera."""
    own = {record.side: record for record in records}
    found = []
    for camera, (turn, shift) in POSES.items():
        for moment in range(2):
            photo = folder / f"{camera}-{moment}.png"
            Image.new("RGB", (640, 480), (20 * moment, 90, 40)).save(photo)
            for side in ("right", "left"):
                hand = own[side]
                middle = hand.joints.mean(0)
                world = hand.joints - middle + (0.05 if side == "left" else -0.05, 0.01 * moment, 0.6)
                joints = world @ turn.T + shift
                points = project(joints, KS[camera])
                rig = {"rig": "table", "instant": f"m{moment}", "camera": camera, "R": turn.tolist(),
                       "t": shift.tolist(), "hands": {name: f"{name}-{moment}-{side}" for name in POSES}}  # fmt: skip
                found.append(replace(
                    hand, id=f"{camera}-{moment}-{side}", photo=photo, K=KS[camera], joints=joints, keypoints=points,
                    box=box_of(points), vertices=None, faces=None, parameters=None, weights=np.ones(21),
                    visible=np.ones(21, bool), states=("confirmed",) * 21, provenance={"rig": rig},
                ))  # fmt: skip
    return found
