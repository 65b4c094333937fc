"""The numbers and curves of FreiHAND's and HO3D's published scorers, by their own names, from arrays.

Both scorers compare joints and, where the two meshes are of one topology, vertices: as they are in space, and after a
Procrustes alignment that allows reflections. HO3D's also scales each hand by one bone and lays the wrists on each
other ("scale-translation aligned"). Nothing else is aligned: `xyz_mean3d` is of absolute places.

Sources: `eval.py` of github.com/lmb-freiburg/freihand and of github.com/shreyashampali/ho3d.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.evaluation import metrics

F_THRESHOLDS = (0.005, 0.015)  # m
HIGHEST, STEPS = 0.05, 100  # of the curves, m
# HO3D scales by its joints 0 and 4, in MANO's order: the wrist and the middle finger's MCP.
SCALED_BONE = (0, 9)


def scaled_and_placed(joints: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`joints` (..., 21, 3), keypoint order, with the length of `target`'s bone from wrist to middle MCP, and its
    wrist.

    Not turned. A hand whose bone has no length is only moved, as the published scorer does.
    """
    joints, target = np.asarray(joints, np.float64), np.asarray(target, np.float64)
    near, far = SCALED_BONE
    own, wanted = (np.linalg.norm(p[..., far, :] - p[..., near, :], axis=-1)[..., None, None] for p in (joints, target))
    sized = joints / np.where(own > 0, own, 1.0) * wanted
    return sized - sized[..., :1, :] + target[..., :1, :]


@dataclass(frozen=True, eq=False)
class Official:
    """errors: distances (S, N) m by what was compared: `xyz`, `xyz_al` (HO3D: `xyz_procrustes_al`,
    `xyz_scale_trans_al`), `mesh`, `mesh_al`; f: F-score (S,) by `f_score_5`, `f_al_score_5`, ... (mm)."""

    errors: dict[str, np.ndarray]
    f: dict[str, np.ndarray]

    def scores(self) -> dict[str, float]:
        """The lines of `scores.txt`: NAME_mean3d in cm, NAME_auc3d and the F-scores 0..1."""
        found = {}
        for name, errors in self.errors.items():
            found |= {f"{name}_mean3d": 100 * float(errors.mean()), f"{name}_auc3d": metrics.auc(errors)}
        return found | {name: float(values.mean()) for name, values in self.f.items()}

    def curves(self) -> dict[str, dict[str, list[float]]]:
        """Per comparison: `thresholds` (100,) cm, and `share` (100,) of points that are at most so far off."""
        thresholds = np.linspace(0.0, HIGHEST, STEPS)
        share = {name: [float((errors <= t).mean()) for t in thresholds] for name, errors in self.errors.items()}
        return {name: {"thresholds": (100 * thresholds).tolist(), "share": values} for name, values in share.items()}

    def text(self) -> str:
        """`scores.txt` as the published scorers write it."""
        return "".join(f"{name}: {value:f}\n" for name, value in self.scores().items())


def official(
    joints: np.ndarray,
    true_joints: np.ndarray,
    vertices: np.ndarray | None = None,
    true_vertices: np.ndarray | None = None,
    scaled: bool = False,
) -> Official:
    """Compare joints (S, 21, 3) and vertices (S, V, 3), metres, camera frame, keypoint order; scaled: HO3D's way, too.

    Vertices are compared only if both are given; they must be of one topology.
    """
    pairs = {"xyz": (joints, true_joints)}
    if vertices is not None and true_vertices is not None:
        pairs["mesh"] = (vertices, true_vertices)
    errors, f = {}, {}
    for name, (found, truth) in pairs.items():
        found, truth = np.asarray(found, np.float64), np.asarray(truth, np.float64)
        moved = metrics.aligned(found, truth, reflect=True)
        errors[name] = np.linalg.norm(found - truth, axis=-1)
        # FreiHAND's script and HO3D's call the same thing differently
        word = "procrustes_al" if scaled and name == "xyz" else "al"
        errors[f"{name}_{word}"] = np.linalg.norm(moved - truth, axis=-1)
        if name == "xyz" and scaled:
            errors["xyz_scale_trans_al"] = np.linalg.norm(scaled_and_placed(found, truth) - truth, axis=-1)
        if name == "mesh":
            for threshold in F_THRESHOLDS:
                for word, points in (("f_score", found), ("f_al_score", moved)):
                    each = [metrics.f_score(a, b, threshold) for a, b in zip(points, truth, strict=True)]
                    f[f"{word}_{round(1000 * threshold)}"] = np.array(each)
    return Official(errors, f)
