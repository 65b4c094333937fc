"""What HaMeR's two formats share (Pavlakos et al. 2024): one hand as its fields.

    center (2,) px, the box's middle; scale: the longer side of the box, px (npz) or px / 200, twice (tar)
    keypoints_2d (21,3) x, y px, confidence; keypoints_3d (21,4) x, y, z m, camera frame, confidence
    right 1 or 0; hand_pose (48,), betas (10,): MANO's, and has_hand_pose, has_betas: 1 or 0 = absent

Coordinates are the photo's own, for left hands too: HaMeR's loaders flip photo, keypoints and pose where right = 0.
Confidence is the record's weight where the keypoint is visible, 0 where it is not: a proposal has at most 0.5.
keypoints_3d of a MANO hand are MANO's own joints and smplx's tips (`mano_joints`), as HaMeR's model gives them.
hand_pose is axis-angle with MANO's mean pose in it (HaMeR's layer adds none), of the hand's own side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand, ManoLabel, box_of, labels_of
from annotator.formats.mano.mano_joints import joints_as, mano_named, root_of
from annotator.hand.mesh import HandParameters
from annotator.hand.model import USER_HANDS

PER_SCALE = 200.0
_MIRROR = np.array([1.0, -1.0, -1.0])  # an axis-angle vector in a mirror that turns x round


def fields_of(record: LabelledHand) -> dict[str, Any]:
    """The record as HaMeR's fields, float32; scale in px. With no MANO pose, its fields are zeros and has_* are 0."""
    x0, y0, x1, y1 = record.box
    confidence = np.where(record.visible, record.weights, 0.0)
    points = np.zeros((21, 4))
    if record.joints is not None:
        own = confidence if record.joint_weights is None else np.minimum(record.joint_weights, record.weights)
        points = np.column_stack([joints_as(record, "smplx"), own])
    mano = mano_of(record)
    return {
        "center": np.array([(x0 + x1) / 2, (y0 + y1) / 2], np.float32),
        "scale": np.float32(max(x1 - x0, y1 - y0)),
        "right": np.float32(record.side == "right"),
        "hand_pose": np.zeros(48, np.float32) if mano is None else mano.pose.astype(np.float32),
        "has_hand_pose": np.float32(mano is not None),
        "betas": np.zeros(10, np.float32) if mano is None else mano.shape.astype(np.float32),
        "has_betas": np.float32(mano is not None),
        "keypoints_2d": np.column_stack([record.keypoints, confidence]).astype(np.float32),
        "keypoints_3d": points.astype(np.float32),
    }


def mano_of(record: LabelledHand) -> ManoLabel | None:
    """MANO's parameters of a record that has them: given ones, or its own where its hand model is MANO; else None.

    Our parameters of a left hand are its mirror image's, MANO's are its own.
    """
    if record.mano is not None:
        from annotator.formats.mano.mano_file import full_pose

        try:
            return ManoLabel(full_pose(record.mano, record.side).ravel(), record.mano.shape, record.mano.translation)
        except InputError:  # a form that only MANO's own file can turn into this one, and it is not here
            return None
    if record.parameters is None or not is_mano(record.hand_model):
        return None
    pose = record.parameters.pose * (_MIRROR if record.side == "left" else 1.0)
    wrist = record.parameters.translation * (-1.0 if record.side == "left" else 1.0, 1.0, 1.0)
    root = root_of(record.parameters.shape, record.side, record.hand_model)
    return ManoLabel(pose.ravel(), record.parameters.shape, None if root is None else wrist - root)


def is_mano(hand_model: str) -> bool:
    """Whether this is the name or digest of a MANO that the user imported."""
    return hand_model in USER_HANDS or mano_named(hand_model) is not None


def record_from(fields: dict[str, Any], identity: str, photo, provenance: dict) -> LabelledHand:
    """The record of HaMeR's fields, scale in px; keypoints with confidence 0 have no label."""
    right = float(np.ravel(fields["right"])[0])
    if right not in (0.0, 1.0):
        raise InputError(f"right is {right:g}, expected 0 or 1")
    flat, solid = _array(fields, "keypoints_2d", (21, 3)), fields.get("keypoints_3d")
    trust = np.clip(flat[:, 2], 0.0, 1.0)
    labels = labels_of(flat[:, :2], trust > 0, weights=trust)
    values: dict[str, Any] = {}
    if solid is not None:
        solid = _array(fields, "keypoints_3d", (21, 4))
        if (solid[:, 3] > 0).any():
            values = {"joints": solid[:, :3], "joint_weights": np.clip(solid[:, 3], 0.0, 1.0)}
    size = np.ravel(np.asarray(fields["scale"], np.float64))
    size = np.repeat(size, 2)[:2] if len(size) == 1 else size[:2]
    middle = _array(fields, "center", (2,))
    box = np.concatenate([middle - size / 2, middle + size / 2])
    if not (size > 0).all():
        box = box_of(labels["keypoints"][labels["weights"] > 0])
    if "hand_pose" in fields and np.ravel(fields.get("has_hand_pose", 1))[0] > 0:
        shape = fields["betas"] if np.ravel(fields.get("has_betas", 1))[0] > 0 else np.zeros(10)
        values["mano"] = ManoLabel(np.ravel(fields["hand_pose"]), np.ravel(shape))
    side = "right" if right else "left"
    return LabelledHand(id=identity, photo=photo, side=side, box=box, K=None, provenance=provenance, **labels, **values)


def parameters_from(mano: ManoLabel, side: str, translation: np.ndarray, offsets: int) -> HandParameters:
    """Our parameters of MANO's (form "full"), as `mano_of` gives them."""
    pose = mano.pose.reshape(16, 3) * (_MIRROR if side == "left" else 1.0)
    return HandParameters(pose, mano.shape, translation, np.zeros((offsets, 3)))


def _array(fields: dict, name: str, shape: tuple[int, ...]) -> np.ndarray:
    array = np.asarray(fields[name], np.float64)
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}, expected {shape}")
    return array
