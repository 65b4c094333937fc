"""Where MediaPipe's network would put a labelled hand's joints: its own definition, in frames made of joints alone.

The network's evidence is MediaPipe's landmarks. Simulated ones must mean what real ones mean, or a network learns from
renders that fingertips are where the landmarks are, and draws real hands that end before their fingertips do.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from annotator.hand.definitions import MEDIAPIPE
from annotator.hand.joints import PARENT
from annotator.hand.model import load_hand

PALM = (0, 1, 5, 9, 13, 17)  # joints whose frame is the palm's
THUMB = (2, 3, 4)


def joint_frames(joints: Tensor) -> Tensor:
    """(B, 21, 3) joints of right hands -> (B, 21, 3, 3): rows along the bone that ends in the joint, across it, out.

    Across: what is left of the palm's own side (fingers bend about it) or, for the thumb, of its normal.
    """
    side = joints[:, 5] - joints[:, 17]
    middle = joints[:, 9] - joints[:, 0]
    normal = torch.linalg.cross(joints[:, 5] - joints[:, 0], joints[:, 17] - joints[:, 0])
    along, across = [], []
    for joint in range(21):
        along.append(middle if joint in PALM else joints[:, joint] - joints[:, PARENT[joint]])
        across.append(normal if joint in THUMB else side)
    first = torch.nn.functional.normalize(torch.stack(along, 1), dim=-1)
    second = torch.stack(across, 1)
    second = torch.nn.functional.normalize(second - (second * first).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], 2)


@cache
def local_offsets() -> Tensor:
    """(21, 3) m: MediaPipe's joints against ours, in `joint_frames`."""
    hand = load_hand()
    rest = torch.from_numpy(hand.joints(hand.rest_vertices(np.zeros(10))))
    frames = joint_frames(rest[None])[0]
    return (frames @ torch.from_numpy(np.array(MEDIAPIPE.offsets))[..., None])[..., 0].float()


def as_teacher(keypoints: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
    """Keypoints (B, 21, 2) px and joints (B, 21, 3) m, camera frame, of right hands -> where MediaPipe means them.

    How large a millimetre is in the picture is taken from the hand as a whole.
    """
    moved = (joint_frames(joints).transpose(-1, -2) @ local_offsets().to(joints)[..., None])[..., 0]
    flat = joints[..., :2] - joints[..., :2].mean(1, keepdim=True)
    seen = keypoints - keypoints.mean(1, keepdim=True)
    scale = seen.flatten(1).norm(dim=1) / flat.flatten(1).norm(dim=1).clamp(min=1e-6)
    return keypoints + scale[:, None, None].to(keypoints) * moved[..., :2].to(keypoints), joints + moved
