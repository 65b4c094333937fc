"""Keypoints by a teacher network, filtered by its agreement with itself: real photos become sparse labels.

A landmark network is asked several times, through crops that are turned, scaled, shifted and mirrored. Where its
answers agree their median is better than any one of them; where they do not, the keypoint gets a small weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from annotator.network.crop_camera import CropView
from annotator.network.encoders.mediapipe_hand import MediaPipeHand
from annotator.vision.crops import Crop, extract_all

# Share of the crop's side at which agreement counts half: 3.5 px of 224
TOLERANCE = 0.016
# MediaPipe's thumb CMC lies some 7 mm from the anatomical one (measured on real photos: the one keypoint that no hand
# model fit brings together); believed in full it would bend the whole thumb.
TRUST = np.ones(21)
TRUST[1] = 0.15


@dataclass(frozen=True)
class Taught:
    """A teacher's labels of one hand.

    keypoints (21, 2) photo px; spread (21,) px: median deviation of the answers; weight (21,) 0..1
    joints (21, 3) m in the camera's frame, centred, scale not trustworthy; joint_weight (21,)
    crop: where the hand is; presence: mean of the answers'
    """

    keypoints: np.ndarray
    spread: np.ndarray
    weight: np.ndarray
    joints: np.ndarray
    joint_weight: np.ndarray
    crop: Crop
    presence: float


def jittered(crop: Crop, count: int, generator: np.random.Generator) -> list[Crop]:
    """The crop itself and `count - 1` more, about half of them mirrored."""
    crops = [crop]
    for i in range(1, count):
        crops.append(
            Crop(
                crop.cx + crop.size * generator.normal(0, 0.025),
                crop.cy + crop.size * generator.normal(0, 0.025),
                crop.size * float(np.exp(generator.normal(0, 0.07))),
                crop.angle + generator.normal(0, 0.15),
                crop.flip != bool(i % 2),
            )
        )
    return crops


@torch.inference_mode()
def teach(
    photo: np.ndarray, crop: Crop, K: np.ndarray, network: MediaPipeHand, looks: int = 10, seed: int = 0
) -> Taught:
    """Asks `network` `looks` times about the hand in `crop` of `photo` (H, W, 3) uint8 taken with intrinsics `K`."""
    crops = jittered(crop, looks, np.random.default_rng(seed))
    out = network(extract_all(photo, crops))
    points = np.stack([c.to_photo(p) for c, p in zip(crops, out.landmarks[..., :2].double().numpy(), strict=True)])
    world = np.stack(
        [CropView.of(c, K).to_camera(w - w.mean(0)) for c, w in zip(crops, out.world.double().numpy(), strict=True)]
    )
    keypoints, joints = np.median(points, axis=0), np.median(world, axis=0)
    spread = np.median(np.linalg.norm(points - keypoints, axis=-1), axis=0)
    spread_3d = np.median(np.linalg.norm(world - joints, axis=-1), axis=0)
    presence = float(out.presence.mean())
    return Taught(
        keypoints=keypoints,
        spread=spread,
        weight=TRUST * presence / (1 + (spread / (TOLERANCE * crop.size)) ** 2),
        joints=joints,
        joint_weight=TRUST * presence / (1 + (spread_3d / 0.006) ** 2),
        crop=Crop.from_landmarks(keypoints, flip=crop.flip),
        presence=presence,
    )
