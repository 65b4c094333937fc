"""HO-3D's own reading and projecting functions and its hand model's call on exports of ours."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from annotator.formats import writer
from annotator.hand.joints import MANO_TIP_VERTICES
from annotator.vision.camera import project
from annotator.vision.photos import read_photo
from published.mano_hands import mano_hands
from published.stand_ins import imported, loaded

# MANO's order of joints in ours; tips thumb to little last
MANO_ORDER = (0, 5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3)


def check(code: Path, records: list, folder: Path) -> str:
    """`read_RGB_img`, `read_annotation`, `project_3D_points` with `vis_HO3D.py`'s order of joints, and its
    `forwardKinematics` of the parameters, on hands of the free hand and of a MANO-like file."""
    import matplotlib.pyplot  # noqa: F401  (these two with nothing stood in for)
    import skimage.io  # noqa: F401
    from by_smplx import smplx_hand

    helpers: Any = imported(code, "utils.vis_utils")
    script = _script(code)
    with mano_hands(folder) as mano:
        hands, arrays = [*records, *mano.records], mano.arrays["right"]
        writer("ho3d").write(hands, folder / "ho3d-set")

    def load_model(_path: str, ncomps: int, flat_hand_mean: bool) -> SimpleNamespace:
        assert flat_hand_mean  # its poses have MANO's mean in them
        return _Mano(lambda *values: smplx_hand("right", arrays, *values))

    script.load_model = load_model
    frames = (folder / "ho3d-set" / "train.txt").read_text().split()
    assert len(frames) == len(hands)
    pixels = metres = skinned = joint = 0.0
    for frame, record in zip(frames, hands, strict=True):
        where = str(folder / "ho3d-set"), *frame.split("/"), "train"
        picture, anno = helpers.read_RGB_img(*where), helpers.read_annotation(*where)
        shape = read_photo(record.photo).shape
        assert picture.shape == shape, (picture.shape, shape)
        places = helpers.project_3D_points(anno["camMat"], anno["handJoints3D"], is_OpenGL_coords=True)
        places = places[script.jointsMapManoToSimple]
        joints = (anno["handJoints3D"] * (1, -1, -1))[script.jointsMapManoToSimple]
        vertices = anno["handVerts"] * (1, -1, -1)
        if record.side == "left":  # mirrored with their photos
            places[:, 0] = shape[1] - 1 - places[:, 0]
            joints, vertices = joints * (-1, 1, 1), vertices * (-1, 1, 1)
        pixels = max(pixels, float(np.abs(places - project(joints, record.K)).max()))
        metres = max(metres, float(np.abs(vertices - record.vertices).max()))
        if any(record is one for one in mano.records):
            found, mesh = script.forwardKinematics(*(anno[f"hand{name}"] for name in ("Pose", "Trans", "Beta")))
            skinned = max(skinned, float(np.abs(mesh.vertices - anno["handVerts"]).max()))
            tips = mesh.vertices[list(MANO_TIP_VERTICES["ho3d"])]
            joint = max(joint, float(np.abs(np.concatenate([found, tips]) - anno["handJoints3D"]).max()))
        else:
            metres = max(metres, float(np.abs(joints - record.joints).max()))
            assert anno["handPose"] is None
    return (
        f"{len(hands)} hands ({sum(one.side == 'left' for one in hands)} left): places within {pixels:.0e} px, joints "
        f"and mesh within {metres:.0e} m; its kinematics of {len(mano.records)} hands of a MANO-like file give the "
        f"mesh within {skinned:.0e} m, the joints within {joint:.0e} m; its viewer's loop leaves out frames without an "
        f"object, as all of ours are"
    )


class _Mano(SimpleNamespace):
    """What `forwardKinematics` asks of MANO's own code: parameters that are set, then the chain's joints."""

    def __init__(self, skin: Any) -> None:
        super().__init__(fullpose=np.zeros(48), trans=np.zeros(3), betas=np.zeros(10))
        self._skin = skin

    def _skinned(self) -> tuple[np.ndarray, np.ndarray]:
        with contextlib.redirect_stdout(io.StringIO()):  # smplx warns of ten shape coefficients
            return self._skin(self.fullpose, self.betas, self.trans)

    @property
    def vertices(self) -> np.ndarray:
        return self._skinned()[0]

    @property
    def J_transformed(self) -> SimpleNamespace:  # noqa: N802  (its name)
        return SimpleNamespace(r=self._skinned()[1][list(MANO_ORDER)])


def _script(code: Path) -> Any:
    """`vis_HO3D.py`, which asks for MANO's file as soon as it is loaded."""
    with patch.object(os.path, "exists", return_value=True):
        return loaded(code / "vis_HO3D.py", "ho3d_vis")
