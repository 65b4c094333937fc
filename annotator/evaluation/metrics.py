"""Metrics as the official FreiHAND and HO3D scorers compute them, with our own stricter alignment beside.

Their Procrustes alignment allows reflections, so a mirrored hand scores 0 mm; `reflect=False` does not.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree


def aligned(points: np.ndarray, target: np.ndarray, reflect: bool = False) -> np.ndarray:
    """`points` (..., N, 3) after the best similarity transform onto `target` (..., N, 3).

    Centroids subtracted, divided by the Frobenius norms, orthogonal Procrustes, scaled back (FreiHAND's scorer).
    reflect: True allows det(R) = -1 as the official scripts do.
    """
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    mean_p, mean_t = points.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    p, t = points - mean_p, target - mean_t
    norm_p = np.linalg.norm(p, axis=(-2, -1), keepdims=True) + 1e-12
    norm_t = np.linalg.norm(t, axis=(-2, -1), keepdims=True)
    u, s, vt = np.linalg.svd(np.swapaxes(p / norm_p, -2, -1) @ (t / (norm_t + 1e-12)))
    if not reflect:
        sign = np.sign(np.linalg.det(u @ vt))
        s = s.copy()
        s[..., -1] *= sign
        u = u.copy()
        u[..., :, -1] *= sign[..., None]
    return (p / norm_p) @ (u @ vt) * s.sum(-1)[..., None, None] * norm_t + mean_t


def point_errors(points: np.ndarray, target: np.ndarray, align: bool = True, reflect: bool = False) -> np.ndarray:
    """(..., N) distances, after alignment or after subtracting the first point (the wrist)."""
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    if align:
        points = aligned(points, target, reflect)
    else:
        points, target = points - points[..., :1, :], target - target[..., :1, :]
    return np.linalg.norm(points - target, axis=-1)


def f_score(points: np.ndarray, target: np.ndarray, threshold: float) -> float:
    """F-score of one aligned pair (N, 3): nearest neighbours both ways, strict '<' (Knapitsch 2017, FreiHAND)."""
    forward, _ = cKDTree(points).query(target)
    backward, _ = cKDTree(target).query(points)
    recall, precision = np.mean(forward < threshold), np.mean(backward < threshold)
    return 0.0 if recall + precision == 0 else float(2 * recall * precision / (recall + precision))


def pck(errors: np.ndarray, threshold: float) -> float:
    """Share of keypoints whose error is at most `threshold`."""
    return float(np.mean(np.asarray(errors) <= threshold))


def auc(errors: np.ndarray, low: float = 0.0, high: float = 0.05, steps: int = 100) -> float:
    """Area under the PCK curve over `linspace(low, high, steps)`, normalised; per keypoint, then the mean.

    errors: (S, N) metres of S samples and N keypoints.
    """
    thresholds = np.linspace(low, high, steps)
    curve = (np.asarray(errors)[..., None] <= thresholds).mean(0)  # (N, steps)
    return float(np.mean(np.trapezoid(curve, thresholds, axis=-1) / (high - low)))


def summary(
    joints: np.ndarray,
    true_joints: np.ndarray,
    vertices: np.ndarray | None = None,
    true_vertices: np.ndarray | None = None,
) -> dict[str, float]:
    """The table of a data set: mm for errors, shares for the rest. Joints and vertices get their own alignment.

    joints (S, 21, 3), vertices (S, V, 3): metres.
    """
    official = point_errors(joints, true_joints, reflect=True)
    result = {
        "n": int(len(joints)),
        "pa_mpjpe_mm": 1000 * float(official.mean()),
        "pa_mpjpe_rotation_only_mm": 1000 * float(point_errors(joints, true_joints).mean()),
        "mpjpe_wrist_mm": 1000 * float(point_errors(joints, true_joints, align=False).mean()),
        "auc_joints": auc(official),
    }
    if vertices is not None and true_vertices is not None:
        moved = aligned(vertices, true_vertices, reflect=True)
        errors = np.linalg.norm(moved - true_vertices, axis=-1)
        result |= {
            "pa_mpvpe_mm": 1000 * float(errors.mean()),
            "auc_vertices": auc(errors),
            "f_5mm": float(np.mean([f_score(a, b, 0.005) for a, b in zip(moved, true_vertices, strict=True)])),
            "f_15mm": float(np.mean([f_score(a, b, 0.015) for a, b in zip(moved, true_vertices, strict=True)])),
        }
    return result


def keypoint_summary(keypoints: np.ndarray, truth: np.ndarray, known: np.ndarray, box: np.ndarray) -> dict[str, float]:
    """2-D error: keypoints, truth (S, 21, 2) px; known (S, 21) bool; box (S,) px, the larger side of the hand's box."""
    errors = np.linalg.norm(keypoints - truth, axis=-1) / np.asarray(box)[:, None]
    errors = errors[np.asarray(known, bool)]
    return {
        "error_over_box": float(errors.mean()),
        "median_over_box": float(np.median(errors)),
        "pck_05": pck(errors, 0.05),
        "pck_10": pck(errors, 0.10),
    }
