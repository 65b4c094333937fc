"""Scores by the official rules of FreiHAND and HO3D, and predictions in the form their servers take.

Joints are the data set's own, with its own tip vertices, where the mesh is MANO's: those of the kinematic chain
(HO3D), or regressed from the posed mesh (FreiHAND);
the hand model's own keypoint regressor for any other mesh, which costs some tenths of a millimetre against a MANO label
(say so beside a number).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.evaluation import metrics
from annotator.evaluation.official import Official, official
from annotator.hand.joints import KEYPOINT_OF_MANO, TIPS
from annotator.hand.mano import FROM_POSED_MESH, chain_joints, in_order, tips_of
from annotator.hand.mesh import HandParameters
from annotator.hand.model import USER_HANDS, HandModel

PROTOCOLS = ("freihand", "ho3d")
_OPENGL = np.array([1.0, -1.0, -1.0])
_HO3D_ORDER = (*KEYPOINT_OF_MANO, *TIPS)
_UNALIGNED = (
    ("xyz", "mpjpe_mm", "auc_joints_unaligned"),
    ("mesh", "mpvpe_mm", "auc_vertices_unaligned"),
    ("xyz_scale_trans_al", "st_mpjpe_mm", "auc_st"),
)


def check_protocol(name: str) -> str:
    """The name itself; InputError if there is no such protocol."""
    if name not in PROTOCOLS:
        raise InputError(f"unknown protocol {name!r}: expected one of {', '.join(PROTOCOLS)}")
    return name


def protocol_joints(
    vertices: np.ndarray,
    model: HandModel,
    protocol: str,
    parameters: HandParameters | None = None,
    side: str = "right",
) -> np.ndarray:
    """The 21 joints (..., 21, 3), keypoint order, of meshes (..., V, 3), as this protocol's labels were made.

    parameters, side: of the one mesh (V, 3) of a MANO: its joints are then those of its kinematic chain where the
    labels' are; without them they are regressed from the mesh, which at bent knuckles is millimetres beside.
    """
    vertices = np.asarray(vertices, np.float64)
    if model.name not in USER_HANDS:
        return model.keypoint_regressor @ vertices
    tips = tips_of(vertices, check_protocol(protocol), side)
    if parameters is None or protocol in FROM_POSED_MESH:
        return in_order(model.joint_regressor @ vertices, tips)
    return in_order(chain_joints(model, parameters, side), tips)


def score(
    protocol: str,
    joints: np.ndarray,
    true_joints: np.ndarray,
    vertices: np.ndarray | None = None,
    true_vertices: np.ndarray | None = None,
) -> dict[str, Any]:
    """The protocol's table: `metrics.summary` (Procrustes with reflections allowed, as the official scripts do, and
    `pa_mpjpe_rotation_only_mm` without) and the official metrics before alignment, see `official`.

    joints (S,21,3), vertices (S,V,3): metres, camera frame. Vertices are scored only if both are given, of one
    topology. `mpjpe_mm`, `auc_joints_unaligned`, `mpvpe_mm`, `auc_vertices_unaligned`, `f_*_unaligned`: as they are in
    space (the official `xyz_mean3d`, ...); ho3d also: `st_mpjpe_mm`, `auc_st` with one bone's scale and the wrist
    aligned (`xyz_scale_trans_al_*`). InputError for an unknown protocol or shapes that do not fit.
    """
    compared = compare(protocol, joints, true_joints, vertices, true_vertices)
    result: dict[str, Any] = {"protocol": protocol, **metrics.summary(joints, true_joints, vertices, true_vertices)}
    for official_name, error, area in _UNALIGNED:
        if official_name in compared.errors:
            errors = compared.errors[official_name]
            result |= {error: 1000 * float(errors.mean()), area: metrics.auc(errors)}
    return result | {
        f"f_{name.removeprefix('f_score_')}mm_unaligned": float(values.mean())
        for name, values in compared.f.items()
        if name.startswith("f_score_")
    }


def compare(
    protocol: str,
    joints: np.ndarray,
    true_joints: np.ndarray,
    vertices: np.ndarray | None = None,
    true_vertices: np.ndarray | None = None,
) -> Official:
    """The official scorer's comparison, whose `scores()`, `curves()` and `text()` are the published script's."""
    joints, true_joints = np.asarray(joints, np.float64), np.asarray(true_joints, np.float64)
    if joints.shape != true_joints.shape or joints.ndim != 3 or joints.shape[1:] != (21, 3) or not len(joints):
        raise InputError(f"joints have shapes {joints.shape} and {true_joints.shape}, expected (S, 21, 3) twice")
    scaled = check_protocol(protocol) == "ho3d"
    return official(joints, true_joints, vertices, true_vertices, scaled)


def write_predictions(path: Path, protocol: str, hands: Iterable[tuple[np.ndarray, np.ndarray]]) -> int:
    """Write pred.json = [[joints, ...], [vertices, ...]] in the official form; how many hands.

    hands: (joints (21,3), vertices (V,3)), keypoint order, metres, camera frame, in the evaluation list's order.
    HO3D wants OpenGL axes and its own joint order; both are made here. Memory stays flat.
    """
    check_protocol(protocol)
    parts = [path.with_name(f".{path.name}.{name}.part") for name in ("xyz", "verts")]
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    try:
        with parts[0].open("w") as xyz, parts[1].open("w") as verts:
            for joints, vertices in hands:
                if protocol == "ho3d":
                    joints, vertices = (joints * _OPENGL)[list(_HO3D_ORDER)], vertices * _OPENGL
                for file, values in ((xyz, joints), (verts, vertices)):
                    file.write(("," if count else "") + json.dumps(np.asarray(values).tolist(), allow_nan=False))
                count += 1
        whole = path.with_name(f".{path.name}.part")
        with whole.open("w") as file:
            for start, part in zip(("[[", "],["), parts, strict=True):
                file.write(start)
                with part.open() as rows:
                    shutil.copyfileobj(rows, file)
            file.write("]]")
        whole.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return count
