"""A network and a data set so small that a test can train: for everything that learns together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.formats import writer
from annotator.formats.core.base import LabelledHand, box_of

# the head of a recipe, up to the folder of its first data
NETWORK = """
[network]
encoder = "mediapipe-tuned"
levels = [0]
strides = [32]
hidden = 64
width = 16
[[data]]
kind = "rendered"
folder = "rendered"
"""


def made_up_set(folder: Path, count: int, labels: Callable | None = None) -> Path:
    """`count` hands of made-up keypoints in FreiHAND's layout, in folder/freihand. labels(random generator, index): 21
    states and weights; None: all confirmed."""
    rng, records = np.random.default_rng(4), []
    for index in range(count):
        photo = folder / f"{index}.png"
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(photo)
        joints = rng.normal(0, 0.03, (21, 3)) + (0, 0, 0.5)
        K = np.array([[120.0, 0, 32], [0, 120, 32], [0, 0, 1]])
        seen = joints @ K.T
        keypoints = seen[:, :2] / seen[:, 2:]
        states, weights = (("confirmed",) * 21, np.ones(21)) if labels is None else labels(rng, index)
        records.append(LabelledHand(
            id=str(index), photo=photo, side="right", box=box_of(keypoints), K=K, keypoints=keypoints,
            visible=np.ones(21, bool), states=states, weights=weights, joints=joints, vertices=joints,
            faces=[[0, 1, 2]], hand_model="made up",
        ))  # fmt: skip
    writer("freihand").write(records, folder / "freihand")
    return folder / "freihand"
