"""The 21 joints of a posed hand, or points of its skin, and their closed-form Jacobian, without skinning the mesh.

Joints are regressed from the mesh, X_k = sum_v r_kv x_v, and the mesh is linear blend skinning of a rest mesh
that is linear in shape and offsets. So the sums over vertices can be done once: with

    c_kj = sum_v r_kv w_vj (v_v - p_j),    m_kj = sum_v r_kv w_vj

(v the rest vertices, w the skinning weights, p_j bone j's joint at rest),

    X_k = t + sum_j (G_j c_kj + m_kj q_j),

G_j being bone j's rotation and q_j its joint, posed. That is exact, and costs 336 small products instead of a
mesh. A turn of joint i by the small vector w in its own frame moves everything that hangs on i about q_i:

    dX_k = (G_i w) x S_ki,   S_ki = sum_{j below or at i} (G_j c_kj + m_kj (q_j - q_i)).

A vertex is a point that is regressed from itself alone: what is said of K keypoints here holds for any points.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass

import numpy as np

from annotator.hand.joints import MANO_PARENTS
from annotator.hand.model import OFFSET_LEVEL, HandModel

# Bones in the order in which they can be placed together: the wrist, then the three rows of knuckles.
_ROWS = tuple(np.array([j for j in range(1, 16) if (j - 1) % 3 == row]) for row in range(3))
_PARENTS = np.array(MANO_PARENTS)
AT_ONCE = 21  # points in a product: BLAS spreads larger ones over threads, and rounds otherwise


def _below() -> np.ndarray:
    """(16,16): 1 where bone j (column) is bone i (row) or hangs on it."""
    below = np.eye(16)
    for j in range(1, 16):
        at = j
        while at > 0:
            at = _PARENTS[at]
            below[at, j] = 1.0
    return below


_BELOW = _below()


@dataclass(frozen=True, eq=False)
class Rest:
    """A hand of one shape and one field of offsets, at rest: all a pose needs.

    parts (16,K,3) m: c_kj above, bone first; bones (16,3) m: from the parent's joint to the bone's own.
    """

    parts: np.ndarray
    bones: np.ndarray


@dataclass(frozen=True, eq=False)
class Posed:
    """A posed hand, wrist joint at the origin: keypoints (K,3) m; turned (16,3,3), each bone's rotation from
    rest; joints (16,3) m, model order; pulled (16,K,3) m: each bone's share of each keypoint; rotations
    (16,3,3), local.
    """

    keypoints: np.ndarray
    turned: np.ndarray
    joints: np.ndarray
    pulled: np.ndarray
    rotations: np.ndarray


class Chain:
    """The kinematic chain of a hand model, its mesh summed away; `chain_of` keeps one per model.

    regressor (K,V): what each point is of the mesh's vertices; None: the 21 joints. forms (V,3,S) m: how the template
    moves with each number of shape; None: the model's ten.
    """

    def __init__(self, model: HandModel, regressor: np.ndarray | None = None, forms: np.ndarray | None = None):
        regressor = model.keypoint_regressor if regressor is None else regressor
        forms = model.shape_directions if forms is None else forms
        points, shapes = len(regressor), forms.shape[2]
        self.mass = np.zeros((16, points))  # m_kj
        parts, part_directions = np.zeros((16, points, 3)), np.zeros((16, points, 3, shapes))
        count = model.offset_count
        from_offsets = np.zeros((16, points, count))  # share of each offset in each part
        correctives = np.zeros((16, 3, points, 135)) if model.pose_directions is not None else None
        # In loops and einsum, not in one product: BLAS's last digits depend on its number of threads.
        for k, row in enumerate(regressor):
            v = np.flatnonzero(row)
            share = (row[v, None] * model.weights[v]).T
            self.mass[:, k] = share.sum(axis=1)
            parts[:, k] = np.einsum("jv,va->ja", share, model.template[v])
            part_directions[:, k] = np.einsum("jv,vab->jab", share, forms[v])
            from_offsets[:, k] = np.einsum("jv,vm->jm", share, model.levels[OFFSET_LEVEL].upsample[v])
            if correctives is not None and model.pose_directions is not None:
                correctives[:, :, k] = np.einsum("jv,vap->jap", share, model.pose_directions[v])
        self.mass_below = _BELOW @ self.mass
        self.from_offsets = from_offsets
        joints = np.einsum("jv,va->ja", model.joint_regressor, model.template)
        directions = np.einsum("jv,vab->jab", model.joint_regressor, forms)
        self._parts = parts - self.mass[..., None] * joints[:, None]
        self._part_directions = part_directions - self.mass[..., None, None] * directions[:, None]
        self._bones, self._bone_directions = np.zeros((16, 3)), np.zeros((16, 3, shapes))
        self._bones[1:] = joints[1:] - joints[_PARENTS[1:]]
        self._bone_directions[1:] = directions[1:] - directions[_PARENTS[1:]]
        # rows (bone, axis), columns (keypoint, corrective)
        self._correctives = None if correctives is None else correctives.reshape(48, -1)

    def of_points(self, rows: np.ndarray, offsets: np.ndarray) -> Chain:
        """The chain of some of the points alone, by their numbers, of hands with these offsets (M,3) m."""
        chain = copy.copy(self)
        chain.mass, chain.mass_below = self.mass[:, rows], self.mass_below[:, rows]
        chain.from_offsets = self.from_offsets[:, rows]
        chain._parts, chain._part_directions = self._parts[:, rows], self._part_directions[:, rows]
        chain._parts = chain._parts + chain.from_offsets @ offsets
        if self._correctives is not None:
            chain._correctives = self._correctives.reshape(48, -1, 135)[:, rows].reshape(48, -1)
        return chain

    def rest(self, shape: np.ndarray, offsets: np.ndarray | None = None) -> Rest:
        """The hand at rest, of shape (S,) and with offsets (M,3) m in the rest pose at mesh level
        OFFSET_LEVEL.
        """
        parts = self._parts + self._part_directions @ shape
        if offsets is not None and offsets.any():
            parts = parts + self.from_offsets @ offsets
        return Rest(parts, self._bones + self._bone_directions @ shape)

    def pose(self, rotations: np.ndarray, rest: Rest) -> Posed:
        """The hand with local rotations (16,3,3), each in its parent's frame, model order."""
        turned, joints = np.empty((16, 3, 3)), np.empty((16, 3))
        turned[0], joints[0] = rotations[0], 0.0
        for row in _ROWS:
            above = turned[_PARENTS[row]]
            turned[row] = above @ rotations[row]
            joints[row] = joints[_PARENTS[row]] + (above @ rest.bones[row, :, None])[..., 0]
        parts = rest.parts
        if self._correctives is not None:
            bent = (rotations[1:] - np.eye(3)).ravel()
            parts = parts + (self._correctives.reshape(-1, 135) @ bent).reshape(16, 3, -1).transpose(0, 2, 1)
        pulled = parts @ turned.transpose(0, 2, 1) + self.mass[..., None] * joints[:, None]
        return Posed(pulled.sum(axis=0), turned, joints, pulled, rotations)

    def levers(self, posed: Posed) -> np.ndarray:
        """S above, (16,K,3) m: a turn u of bone i (camera frame) moves keypoint k by u x S_ik."""
        pulled = posed.pulled
        parts = [pulled[:, at : at + AT_ONCE].reshape(16, -1) for at in range(0, pulled.shape[1], AT_ONCE)]
        hanging = np.concatenate([_BELOW @ part for part in parts], axis=1).reshape(pulled.shape)
        return hanging - self.mass_below[..., None] * posed.joints[:, None]

    def turn_jacobian(self, posed: Posed, rates: np.ndarray | None = None) -> np.ndarray:
        """d keypoints / d turns, (K,3,16,3): of a small vector w, rotations[i] becoming rotations[i]
        exp([w]).

        rates (16,3,3), if given, are columns dw/dp of other coordinates p; the last axis is then p's.
        """
        axes = posed.turned if rates is None else posed.turned @ rates
        by_axis = _cross(axes.transpose(0, 2, 1)[:, None], self.levers(posed)[:, :, None])  # (16,K,axis,3)
        jacobian = by_axis.transpose(1, 3, 0, 2)
        if self._correctives is not None:
            jacobian = jacobian + self._corrective_jacobian(posed, rates)
        return jacobian

    def _corrective_jacobian(self, posed: Posed, rates: np.ndarray | None) -> np.ndarray:
        # MANO's pose correctives move rest vertices with the entries of (R_i - 1), so turns act through them
        # too.
        side_by_side = posed.turned.transpose(1, 0, 2).reshape(3, 48)
        moved = (side_by_side @ self._correctives).reshape(3, -1, 15, 3, 3)
        rotations = posed.rotations[1:]
        change = np.zeros((15, 3, 3, 3))  # d R_i = R_i [w]; per joint: entries (row, column), then w's axis
        for axis, (a, b) in enumerate(((1, 2), (2, 0), (0, 1))):
            change[:, :, a, axis] = rotations[:, :, b]
            change[:, :, b, axis] = -rotations[:, :, a]
        if rates is not None:
            change = change @ rates[1:, None]
        jacobian = np.zeros((moved.shape[1], 3, 16, 3))
        jacobian[:, :, 1:] = np.einsum("xkjab,jabc->kxjc", moved, change)
        return jacobian

    def shape_jacobian(self, posed: Posed) -> np.ndarray:
        """d keypoints / d shape, (K,3,S) m per unit of shape."""
        turned = posed.turned
        joints = np.zeros(self._bone_directions.shape)
        for row in _ROWS:
            joints[row] = joints[_PARENTS[row]] + turned[_PARENTS[row]] @ self._bone_directions[row]
        moved = turned[:, None] @ self._part_directions  # (16,K,3,S)
        mass = [self.mass[:, at : at + AT_ONCE] for at in range(0, self.mass.shape[1], AT_ONCE)]
        return moved.sum(axis=0) + np.concatenate([np.tensordot(part, joints, axes=(0, 0)) for part in mass])


@functools.lru_cache(maxsize=4)
def chain_of(model: HandModel) -> Chain:
    """The chain of a hand model, made once."""
    return Chain(model)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product along the last axis, broadcasting; on small arrays faster than `np.cross`."""
    a0, a1, a2 = a[..., 0], a[..., 1], a[..., 2]
    b0, b1, b2 = b[..., 0], b[..., 1], b[..., 2]
    product = np.empty(np.broadcast_shapes(a.shape, b.shape))
    np.subtract(a1 * b2, a2 * b1, out=product[..., 0])
    np.subtract(a2 * b0, a0 * b2, out=product[..., 1])
    np.subtract(a0 * b1, a1 * b0, out=product[..., 2])
    return product
