"""A teacher's labels read as our joints: where it means them is measured on renders, and taken out of what it says.

MediaPipe's fingertip lies 6 mm inside the finger and its wrist 8 mm nearer the fingers than ours. A network that learns
from such labels as if they were its own joints draws hands that end before the fingertips do.
`python -m annotator.tools.own_joints` measures the offsets, and writes tables that are read so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from rich.progress import track

from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition, frames_of, turned
from annotator.hand.mesh import HandMesh
from annotator.hand.rotations import rotation_vectors
from annotator.learning.data.photos import KeypointTable
from annotator.learning.real_sets.teacher import jittered
from annotator.network.encoders.mediapipe_hand import MediaPipeHand
from annotator.synthetic.shards import SyntheticShards
from annotator.vision.crops import Crop, extract_all

SEEN = 0.05  # of the hand's box: where the median joint is farther off, the teacher saw something else
CLOSE = 0.004  # m: residual at which a hand counts half (Student's t, 4 degrees of freedom)
PASSES = 20
LOOKS = 3


@torch.inference_mode()
def measured_offsets(shards: SyntheticShards, network: MediaPipeHand, count: int | None = None) -> np.ndarray:
    """(21, 3) m: where a landmark network has its joints, against ours, in the frames of `definitions.FRAME_OF`.

    By rendered hands, whose joints are known: the offset of a joint, turned with its bone and seen in the photo, is
    fitted to what the network says of all hands that it sees rightly, robustly (depth is never asked: many turns of
    the hand see an offset from all sides). InputError where it sees fewer than 50 of them.
    """
    said, frames, visible = [], [], []
    for at in track(range(min(len(shards), count or len(shards))), "renders"):
        sample = shards[at]
        true = sample["keypoints"].astype(np.float64)
        crops = jittered(Crop.from_landmarks(true, flip=False), LOOKS, np.random.default_rng(at))
        landmarks = network(extract_all(sample["image"], crops)).landmarks[..., :2].double().numpy()
        off = np.median([c.to_photo(p) for c, p in zip(crops, landmarks, strict=True)], axis=0) - true
        if np.median(np.linalg.norm(off, axis=1)) > SEEN * np.ptp(true, axis=0).max():
            continue
        metres = sample["joints"][:, 2] / sample["focal"]
        said.append(off * metres[:, None])
        frames.append(frames_of(rotation_vectors(sample["rotations"].astype(np.float64)))[:, :2])
        visible.append(sample["visible"].astype(bool))
    if len(said) < 50:
        raise InputError(f"the landmark network sees {len(said)} of the rendered hands, too few to say what it means")
    b, A, seen = np.array(said), np.array(frames), np.array(visible)
    return np.stack([robust_offset(A[seen[:, k], k], b[seen[:, k], k]) for k in range(21)])


def robust_offset(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3,): the offset o of a joint with A (N, 2, 3) o = b (N, 2) m, by Student's t."""
    weight = np.ones(len(b))
    for _ in range(PASSES):
        offset = np.linalg.solve(
            np.einsum("n,nij,nik->jk", weight, A, A) + 1e-3 * np.eye(3), np.einsum("n,nij,ni->j", weight, A, b)
        )
        weight = 5 / (4 + (np.linalg.norm(A @ offset - b, axis=-1) / CLOSE) ** 2)
    return offset


def read_as_ours(table: KeypointTable, hands: Sequence[HandMesh], definition: JointDefinition) -> KeypointTable:
    """The table with every label where our own joint would have been set.

    hands: a proposal for each row, in the photo's frame: it says how the hand is turned and how large a millimetre is.
    """
    keypoints, joints = np.array(table.keypoints, np.float64), np.array(table.joints, np.float64)
    for at, hand in enumerate(hands):
        keypoints[at] = definition.as_ours(keypoints[at], hand)
        if table.joint_weight[at].max() > 0:
            scale = np.linalg.norm(np.ptp(joints[at], axis=0)) / np.linalg.norm(np.ptp(hand.joints, axis=0))
            joints[at] -= scale * turned(definition.offsets, hand)
    return replace(table, keypoints=keypoints, joints=joints)
