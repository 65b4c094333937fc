"""Scores by the official rules of FreiHAND and HO3D, and predictions in the form their servers take.

Joints come from the mesh by the data set's own regressor: MANO's J_regressor and the set's own tip vertices where the
mesh is MANO's; the hand model's own keypoint regressor for any other mesh, which costs some tenths of a millimetre
against a MANO label (say so beside a number).
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
from annotator.hand.joints import KEYPOINT_OF_MANO, MANO_TIP_VERTICES, MANO_TO_KEYPOINTS, TIPS
from annotator.hand.model import USER_HANDS, HandModel

PROTOCOLS = ("freihand", "ho3d")
_OPENGL = np.array([1.0, -1.0, -1.0])
_HO3D_ORDER = (*KEYPOINT_OF_MANO, *TIPS)


def check_protocol(name: str) -> str:
    """The name itself; InputError if there is no such protocol."""
    if name not in PROTOCOLS:
        raise InputError(f"unknown protocol {name!r}: expected one of {', '.join(PROTOCOLS)}")
    return name


def protocol_joints(vertices: np.ndarray, model: HandModel, protocol: str) -> np.ndarray:
    """The 21 joints (..., 21, 3), keypoint order, of meshes (..., V, 3), as this protocol's labels were made."""
    vertices = np.asarray(vertices, np.float64)
    if model.name not in USER_HANDS:
        return model.keypoint_regressor @ vertices
    tips = vertices[..., list(MANO_TIP_VERTICES[check_protocol(protocol)]), :]
    joints = np.concatenate([model.joint_regressor @ vertices, tips], axis=-2)
    return joints[..., list(MANO_TO_KEYPOINTS), :]


def scale_and_place(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`points` (..., N, 3) with the centroid and the Frobenius norm of `target`, not turned (HO3D's second metric)."""
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    mean_p, mean_t = points.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    norm_p = np.linalg.norm(points - mean_p, axis=(-2, -1), keepdims=True) + 1e-12
    return (points - mean_p) / norm_p * np.linalg.norm(target - mean_t, axis=(-2, -1), keepdims=True) + mean_t


def score(
    protocol: str,
    joints: np.ndarray,
    true_joints: np.ndarray,
    vertices: np.ndarray | None = None,
    true_vertices: np.ndarray | None = None,
) -> dict[str, float]:
    """The protocol's table: `metrics.summary` (Procrustes with reflections allowed, as the official scripts do, and
    `pa_mpjpe_rotation_only_mm` without) and the metrics before alignment.

    joints (S,21,3), vertices (S,V,3): metres, camera frame. Vertices are scored only if both are given, of one
    topology. freihand: `mpjpe_mm`, `auc_joints_unaligned`, `f_*_unaligned` as they are in space; ho3d: `mpjpe_mm`
    with the wrists put together, `st_mpjpe_mm` with scale and place aligned. InputError for an unknown protocol or
    shapes that do not fit.
    """
    joints, true_joints = np.asarray(joints, np.float64), np.asarray(true_joints, np.float64)
    if joints.shape != true_joints.shape or joints.ndim != 3 or joints.shape[1:] != (21, 3) or not len(joints):
        raise InputError(f"joints have shapes {joints.shape} and {true_joints.shape}, expected (S, 21, 3) twice")
    result: dict[str, Any] = {"protocol": check_protocol(protocol)}
    result |= metrics.summary(joints, true_joints, vertices, true_vertices)
    if protocol == "freihand":
        errors = np.linalg.norm(joints - true_joints, axis=-1)
        result |= {"mpjpe_mm": 1000 * float(errors.mean()), "auc_joints_unaligned": metrics.auc(errors)}
        if vertices is not None and true_vertices is not None:
            errors = np.linalg.norm(np.asarray(vertices) - true_vertices, axis=-1)
            result |= {"mpvpe_mm": 1000 * float(errors.mean()), "auc_vertices_unaligned": metrics.auc(errors)}
            for name, threshold in (("f_5mm_unaligned", 0.005), ("f_15mm_unaligned", 0.015)):
                scores = [metrics.f_score(a, b, threshold) for a, b in zip(vertices, true_vertices, strict=True)]
                result[name] = float(np.mean(scores))
    else:
        placed = np.linalg.norm(scale_and_place(joints, true_joints) - true_joints, axis=-1)
        rooted = metrics.point_errors(joints, true_joints, align=False)
        result |= {"mpjpe_mm": 1000 * float(rooted.mean()), "st_mpjpe_mm": 1000 * float(placed.mean()),
                   "auc_st": metrics.auc(placed)}  # fmt: skip
    return result


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
