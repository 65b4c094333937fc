"""FreiHAND's own loader and hand model on exports of ours."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np

from annotator.formats import writer
from annotator.vision.camera import project
from published.mano_hands import mano_hands
from published.stand_ins import imported

SIZE = 224  # px, of its images
# what its hand model asks of chumpy, whose arrays differentiate themselves: nothing is optimised here
CHUMPY = SimpleNamespace(array=np.array, vstack=np.vstack, mean=np.mean, MatVecMult=lambda matrix, row: matrix @ row)


def check(code: Path, records: list, folder: Path) -> str:
    """`load_db_annotation`, `projectPoints`, `read_img` and `HandModel` on hands of a MANO-like file; of the free hand,
    whose export has no `training_mano.json`, what needs none."""
    import skimage.io  # noqa: F401  (with nothing stood in for)

    loader: Any = imported(code, "utils.fh_utils")
    model: Any = imported(code, "utils.model")
    from by_smplx import smplx_vertices

    keypoints: Any = model.get_keypoints_from_mesh_ch
    with mano_hands(folder) as mano:
        hands, arrays = mano.records, mano.arrays["right"]
        writer("freihand").write(hands, folder / "freihand-mano")

    def skinned(pose: np.ndarray, shape: np.ndarray) -> np.ndarray:
        pose = pose.reshape(16, 3)
        rest = (arrays["J_regressor"] @ (arrays["v_template"] + arrays["shapedirs"] @ shape))[0]
        with contextlib.redirect_stdout(io.StringIO()):
            return smplx_vertices(arrays, pose, shape) + rest

    def load_model(_path: str, ncomps: int, flat_hand_mean: bool, use_pca: bool) -> _Mano:
        assert ncomps == 45 and not use_pca
        return _Mano(skinned, arrays, arrays["hands_mean"] * (not flat_hand_mean))

    model.load_model = load_model
    model.ch = keypoints.__globals__["ch"] = CHUMPY
    with contextlib.redirect_stdout(io.StringIO()):
        rows = list(loader.load_db_annotation(str(folder / "freihand-mano"), "training"))
    assert len(rows) == len(hands), (len(rows), len(hands))
    meshes = json.loads((folder / "freihand-mano" / "training_verts.json").read_text())
    worst_mesh = worst_joints = 0.0
    for (K, mano_row, xyz), vertices, record in zip(rows, meshes, hands, strict=True):
        mirror = _mirror(record)
        joints, mesh = model.pose_hand(np.array(mano_row), np.array(K))
        own = record.vertices * mirror
        assert np.abs(np.array(vertices) - own).max() < 1e-6
        worst_mesh = max(worst_mesh, float(np.abs(mesh - own).max()))
        worst_joints = max(worst_joints, float(np.abs(joints - np.array(xyz)).max()))
    writer("freihand").write(records, folder / "freihand-free")
    K, xyz = (loader.json_load(str(folder / "freihand-free" / f"training_{name}.json")) for name in ("K", "xyz"))
    pixels = max(
        _pixels(loader, folder / "freihand-mano", [row[0] for row in rows], [row[2] for row in rows], hands),
        _pixels(loader, folder / "freihand-free", K, xyz, records),
    )
    left = sum(record.side == "left" for record in [*records, *hands])
    return (
        f"{len(hands)} hands of a MANO-like file: its hand model of K and mano gives verts within {worst_mesh:.0e} m "
        f"and xyz within {worst_joints:.0e} m; these and {len(records)} of the free hand (no mano, so no index), "
        f"{left} left: projected places within {pixels:.0e} px of the photo's, {SIZE} px images"
    )


class _Mano:
    """What its hand model asks of MANO's own code: a posed mesh that other arrays are added to."""

    def __init__(self, skinned: Callable, arrays: dict, mean: np.ndarray) -> None:
        self._skinned, self._mean = skinned, mean
        self.pose, self.betas = np.zeros(48), np.zeros(10)
        self.f, self.dd = arrays["f"], {"J_regressor": arrays["J_regressor"]}

    def __add__(self, moved: np.ndarray) -> np.ndarray:
        return self._skinned(self.pose + np.concatenate([np.zeros(3), self._mean]), self.betas) + moved


def _mirror(record: Any) -> np.ndarray:
    return np.array([-1.0 if record.side == "left" else 1.0, 1.0, 1.0])


def _pixels(loader: Any, place: Path, cameras: list, joints: list, hands: list) -> float:
    """How far its projections are from where the photos' cameras see the same joints, in photo px."""
    abouts = json.loads((place / "provenance.json").read_text())["hands"]
    worst = 0.0
    assert len(cameras) == len(joints) == len(hands) == len(abouts)
    with patch.object(loader.sample_version, "db_size", len(hands)):
        for number, (K, xyz, record) in enumerate(zip(cameras, joints, hands, strict=True)):
            assert loader.read_img(number, str(place), "training").shape == (SIZE, SIZE, 3)
            found = loader.projectPoints(xyz, K)
            to_image = np.array(abouts[number]["provenance"]["photo_to_image"])
            in_photo = np.linalg.solve(to_image[:, :2], (found - to_image[:, 2]).T).T
            seen = project(np.array(xyz) * _mirror(record), record.K)
            worst = max(worst, float(np.abs(in_photo - seen).max()))
    return worst
