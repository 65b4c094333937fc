"""Hands of a file in MANO's form (`tests/formats/mano_like.py`: MANO's own may not be passed on), for readers that run
MANO: posed, shaped and placed at random, their meshes skinned by smplx."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from annotator.formats.core.base import LabelledHand, ManoLabel, box_of
from annotator.formats.mano.mano_file import import_mano, parameters_of
from annotator.hand import load_hand
from annotator.vision.camera import project

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "formats"))

K = np.array([[700.0, 0, 322], [0, 705.0, 236], [0, 0, 1]])
WIDTH, HEIGHT = 640, 480


@dataclass(frozen=True)
class ManoHands:
    """The hands, and MANO's arrays by side."""

    records: list[LabelledHand]
    arrays: dict[str, dict[str, np.ndarray]]

    def root(self, side: str, shape: np.ndarray) -> np.ndarray:
        """(3,) m: where the wrist of a resting hand is."""
        arrays = self.arrays[side]
        return (arrays["J_regressor"] @ (arrays["v_template"] + arrays["shapedirs"] @ shape))[0]

    def record(self, name: str, side: str, label: ManoLabel, photo: Path, random: np.random.Generator) -> LabelledHand:
        """A hand of these parameters (pose "full"), its keypoints set within pixels of where the camera sees it."""
        from by_smplx import smplx_hand

        model = load_hand("mano" if side == "right" else "mano_left")
        with contextlib.redirect_stdout(io.StringIO()):  # it warns of ten shape coefficients: there are no more
            pose = label.pose.reshape(16, 3)
            vertices, _ = smplx_hand(side, self.arrays[side], pose, label.shape, label.translation)
        joints = model.joints(vertices)
        keypoints = project(joints, K) + random.normal(0, 2, (21, 2))  # labels are a person's, not the mesh's
        whole: dict[str, Any] = {"visible": np.ones(21, bool), "weights": np.ones(21)}
        return LabelledHand(
            id=name, photo=photo, side=side, box=box_of(keypoints) + (-9, -9, 9, 9), K=K, keypoints=keypoints,
            joints=joints, vertices=vertices, faces=model.faces_of(side), hand_model=model.digest, state="accepted",
            parameters=parameters_of(label, side, model), states=("corrected",) * 21, **whole,
        )  # fmt: skip


@contextmanager
def mano_hands(folder: Path, count: int = 8) -> Iterator[ManoHands]:
    """That many hands, right and left in turn, each on a photo of its own; inside it the MANO-like file is the user's
    MANO."""
    import mano_like

    with patch.dict(os.environ, {"XDG_DATA_HOME": str(folder / "mano-home")}):
        found = ManoHands([], {side: mano_like.arrays(side) for side in ("right", "left")})
        for side, arrays in found.arrays.items():
            import_mano(mano_like.write(folder / f"mano-{side}.pkl", arrays))
        random = np.random.default_rng(0)
        for number in range(count):
            place = random.normal(0, 0.03, 3) + (0, 0, 0.7)
            label = ManoLabel(random.normal(0, 0.4, 48), random.normal(size=10), place)
            photo = noise(folder / f"mano-{number}.png", random)
            found.records.append(found.record(f"mano-{number}", ("right", "left")[number % 2], label, photo, random))
        yield found


def noise(path: Path, random: np.random.Generator) -> Path:
    """A photo of nothing."""
    Image.fromarray(random.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)).save(path)
    return path
