"""Another hand model through a record's joints and surface: free-hand labels for code that wants MANO.

What is made smaller, over pose, shape and place of the other model: distances of its 21 joints to the record's (its own
keypoint regressor), distances of its vertices to the record's surface along the surface's normals (nearest vertex,
found again each round), and shape and pose from their means. The other model's rest pose and shape space are not ours,
so a residual of some millimetres is left, and it is reported: it is the error that the exchange costs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial import cKDTree

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand
from annotator.hand.mesh import HandParameters
from annotator.hand.model import OFFSET_LEVEL, HandModel
from annotator.hand.normals import vertex_normals
from annotator.hand.rotations import rotation_matrices

# sigmas: m, m, units of shape, rad from where the record's pose is
JOINT, SURFACE, SHAPE, BEND = 0.002, 0.003, 1.0, 0.6
FAR = 0.02  # m: what is farther from the other surface has nothing there (a wrist's stub) and does not count
ROUNDS = 3
_MIRROR = np.array([-1.0, 1.0, 1.0])


def refit_or_same(record: LabelledHand, model: HandModel) -> LabelledHand:
    """The record as a hand of `model`, what was left over in its provenance (`refit`: joints_mm, surface_mm); itself
    where it is one already. InputError: see `refit`."""
    if record.hand_model in (model.digest, model.name):
        return record
    return refit(record, model)[0]


def refit(record: LabelledHand, model: HandModel) -> tuple[LabelledHand, float, float]:
    """(the record with `model`'s mesh, parameters, joints; mean joint and mean surface residual, mm).

    Keypoints, states and weights stay: they are the label. InputError if the record has no mesh.
    """
    if record.joints is None or record.vertices is None or record.faces is None:
        raise InputError(f"hand {record.id} has no mesh to fit another hand model to")
    mirror = _MIRROR if record.side == "left" else np.ones(3)
    joints, vertices = record.joints * mirror, record.vertices * mirror
    faces = record.faces[:, ::-1] if record.side == "left" else record.faces
    normals, tree = vertex_normals(vertices, faces), cKDTree(vertices)
    sample = model.levels[OFFSET_LEVEL].indices
    pose = record.parameters.pose.copy() if record.parameters is not None else np.zeros((16, 3))
    start = np.concatenate([pose.ravel(), np.zeros(10), joints[0]])

    def placed(x: np.ndarray) -> np.ndarray:
        return model.skin(rotation_matrices(x[:48].reshape(16, 3)), x[48:58]) + x[58:]

    x = start
    if record.parameters is None:
        x[:3] = _turn(model, joints)
    for number in range(ROUNDS):
        nearest = tree.query(placed(x)[sample])[1] if number else None

        def residuals(x: np.ndarray, nearest=nearest) -> np.ndarray:
            mesh = placed(x)
            parts = [((model.joints(mesh) - joints) / JOINT).ravel(), x[48:58] / SHAPE, (x[3:48] - start[3:48]) / BEND]
            if nearest is not None:
                apart = mesh[sample] - vertices[nearest]
                along = np.einsum("na,na->n", apart, normals[nearest])
                parts.append(np.where(np.linalg.norm(apart, axis=1) < FAR, along, 0.0) / SURFACE)
            return np.concatenate(parts)

        x = least_squares(residuals, x, method="trf", max_nfev=15, x_scale="jac").x
    parameters = HandParameters(x[:48].reshape(16, 3), x[48:58], x[58:], np.zeros((model.offset_count, 3)))
    mesh = placed(x)
    joint_mm = 1000 * float(np.linalg.norm(model.joints(mesh) - joints, axis=1).mean())
    away = tree.query(mesh)[0]
    surface_mm = 1000 * float(away[away < FAR].mean()) if (away < FAR).any() else float("inf")
    left = {"hand_model": model.name, "from": record.hand_model, "joints_mm": joint_mm, "surface_mm": surface_mm}
    fitted = replace(
        record, vertices=mesh * mirror, faces=model.faces_of(record.side), joints=model.joints(mesh) * mirror,
        parameters=parameters, hand_model=model.digest, provenance=dict(record.provenance) | {"refit": left},
    )  # fmt: skip
    return fitted, joint_mm, surface_mm


def _turn(model: HandModel, joints: np.ndarray) -> np.ndarray:
    """The whole hand's rotation vector (3,) that lays the resting palm best onto these joints (Kabsch)."""
    from annotator.hand.rotations import rotation_vectors

    palm = [0, 5, 9, 13, 17]
    rest = model.joints(model.rest_vertices(np.zeros(10)))[palm]
    u, _, vt = np.linalg.svd((rest - rest.mean(0)).T @ (joints[palm] - joints[palm].mean(0)))
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    return rotation_vectors((u @ sign @ vt).T)
