"""Hands of many proportions from one: bones scaled in their own frames, blended by skin weights, then PCA.

A `Skeleton` scales bone b by a 3x3 matrix A_b about its own joint; the joint farther out follows, so bones
stay joined: J'_child = J'_b + A_b (J_child - J_b), and a vertex goes to sum_b w_vb (J'_b + A_b (x_v - J_b)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.hand.building.anatomy import SPREADS
from annotator.hand.joints import FINGERS

# Bones: 0 wrist; per finger (FINGERS order) the metacarpal and its phalanges. The thumb has two phalanges.
CHAINS: dict[str, tuple[int, ...]] = {
    "thumb": (1, 2, 3),
    "index": (4, 5, 6, 7),
    "middle": (8, 9, 10, 11),
    "ring": (12, 13, 14, 15),
    "little": (16, 17, 18, 19),
}
BONE_COUNT = 20
# MANO joint of each bone: finger metacarpals belong to the wrist.
FOLD = (0, 13, 14, 15, 0, 1, 2, 3, 0, 4, 5, 6, 0, 10, 11, 12, 0, 7, 8, 9)
# Bone whose joint is the MANO joint j.
BONE_OF_MANO = (0, 5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3)


@dataclass(frozen=True)
class Skeleton:
    """A skinned hand with its metacarpals: vertices (V,3) m, weights (V,20), joints (20,3), tips (5,3) m.

    Axes: fingers along -x, thumb side +z, back of the hand +y; the wrist joint at the origin.
    """

    vertices: np.ndarray
    weights: np.ndarray
    joints: np.ndarray
    tips: np.ndarray

    def ends(self) -> np.ndarray:
        """Where each bone ends (20,3): the next joint or fingertip; for the wrist the middle MCP joint."""
        ends = np.empty((BONE_COUNT, 3))
        ends[0] = self.joints[CHAINS["middle"][1]]
        for finger, tip in zip(FINGERS, self.tips, strict=True):
            chain = CHAINS[finger]
            ends[list(chain[:-1])] = self.joints[list(chain[1:])]
            ends[chain[-1]] = tip
        return ends

    def scaled(self, palm: np.ndarray, lengths: np.ndarray, widths: np.ndarray, size: float = 1.0) -> Skeleton:
        """Scale the palm by `palm` (length, depth, width), each bone by lengths (20,) and widths (20,).

        Palm bones (wrist, finger metacarpals) take `palm` in the hand's axes and `lengths` along themselves;
        the others take `lengths` along themselves and `widths` across.
        """
        ends = self.ends()
        directions = ends - self.joints
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        along = directions[:, :, None] * directions[:, None, :]
        eye = np.eye(3)
        matrices = widths[:, None, None] * (eye - along) + lengths[:, None, None] * along
        flat = np.diag(palm)
        matrices[0] = flat
        for finger in FINGERS[1:]:
            bone = CHAINS[finger][0]
            matrices[bone] = (eye + (lengths[bone] - 1.0) * along[bone]) @ flat
        matrices *= size
        joints = np.empty_like(self.joints)
        joints[0] = self.joints[0] * size
        tips = np.empty_like(self.tips)
        for number, finger in enumerate(FINGERS):
            chain = CHAINS[finger]
            joints[chain[0]] = joints[0] + matrices[0] @ (self.joints[chain[0]] - self.joints[0])
            for bone, following in zip(chain[:-1], chain[1:], strict=True):
                joints[following] = joints[bone] + matrices[bone] @ (self.joints[following] - self.joints[bone])
            last = chain[-1]
            tips[number] = joints[last] + matrices[last] @ (self.tips[number] - self.joints[last])
        moved = np.einsum("bij,vbj->vbi", matrices, self.vertices[:, None, :] - self.joints[None]) + joints[None]
        vertices = np.einsum("vb,vbi->vi", self.weights, moved)
        return Skeleton(vertices, self.weights, joints, tips)

    def drawn(self, values: dict[str, float]) -> Skeleton:
        """The hand with relative changes `values`, keys as in anatomy.SPREADS, e.g. {"palm_width": 0.05}."""
        lengths, widths = np.ones(BONE_COUNT), np.ones(BONE_COUNT)
        for finger in FINGERS:
            phalanges = list(CHAINS[finger] if finger == "thumb" else CHAINS[finger][1:])
            if finger == "thumb":
                lengths[phalanges] = 1.0 + values.get("thumb_length", 0.0)
                widths[phalanges] = 1.0 + values.get("thumb_width", 0.0)
                continue
            own = values.get("finger_length", 0.0) + values.get(f"{finger}_length", 0.0)
            lengths[phalanges] = 1.0 + own
            widths[phalanges] = 1.0 + values.get("finger_width", 0.0)
        palm = 1.0 + np.array([values.get(k, 0.0) for k in ("palm_length", "palm_depth", "palm_width")])
        return self.scaled(palm, lengths, widths, 1.0 + values.get("size", 0.0))


def shape_space(mean: Skeleton, count: int = 400, components: int = 10, seed: int = 20100) -> dict[str, np.ndarray]:
    """Principal components of `count` drawn hands and their mirror draws about `mean`.

    Returns directions (V,3,C) and joint_directions (20,3,C), each per standard deviation (so shape ~ N(0, 1)
    is plausible; the first component is positive for larger hands), and `held`, the share of variance of each
    component.
    """
    generator = np.random.default_rng(seed)
    names = list(SPREADS)
    spreads = np.array([SPREADS[name] for name in names])
    draws = np.clip(generator.standard_normal((count, len(names))), -2.5, 2.5) * spreads
    draws = np.concatenate([draws, -draws])
    rows, joint_rows = [], []
    for draw in draws:
        hand = mean.drawn(dict(zip(names, draw, strict=True)))
        rows.append((hand.vertices - mean.vertices).ravel())
        joint_rows.append((hand.joints - mean.joints).ravel())
    data, joint_data = np.array(rows), np.array(joint_rows)
    left, singular, right = np.linalg.svd(data, full_matrices=False)
    deviation = singular[:components] / np.sqrt(len(draws))
    directions = (right[:components] * deviation[:, None]).reshape(components, -1, 3)
    scores = left[:, :components] * np.sqrt(len(draws))
    joint_directions = np.linalg.lstsq(scores, joint_data, rcond=None)[0].reshape(components, -1, 3)
    extent = np.einsum("vi,cvi->c", mean.vertices - mean.vertices.mean(axis=0), directions)
    signs = np.where(extent < 0, -1.0, 1.0)[:, None, None]
    return {
        "directions": np.moveaxis(directions * signs, 0, 2),
        "joint_directions": np.moveaxis(joint_directions * signs, 0, 2),
        "held": singular[:components] ** 2 / (singular**2).sum(),
    }
