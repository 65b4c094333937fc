"""The crop's camera: from what the network says (in the crop) to metres in front of the real camera, and back.

The network thinks in a virtual camera that looks through the crop's centre with the crop's rotation. Its answer is
turned back by `CropView.rotation`; its projection into the crop goes through the real camera's matrix, so keypoints
are exact for any place of the hand in the photo (the perspective shear of off-centre hands included).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from annotator.vision.crops import CROP_SIZE, Crop

HALF = CROP_SIZE / 2
# Weak-perspective scale (crop half sides a metre) of an ordinary hand in an ordinary crop; log-scales are around it.
MEAN_SCALE = 8.0


@dataclass(frozen=True)
class CropView:
    """A crop seen by a camera.

    projection: (3, 3); crop pixel = dehomogenised(projection @ X) for X in the crop camera's frame (metres)
    rotation: (3, 3); X in the real camera's frame = rotation @ X (for a flipped crop the frame is mirrored: see `flip`)
    focal: the crop camera's focal length in crop pixels
    """

    projection: np.ndarray
    rotation: np.ndarray
    focal: float
    flip: bool

    @staticmethod
    def of(crop: Crop, camera: np.ndarray) -> CropView:
        """The view of `crop` in a photo taken with intrinsics `camera` (3, 3)."""
        camera = np.asarray(camera, np.float64)
        to_crop = np.vstack([np.asarray(crop.matrix, np.float64), [0.0, 0.0, 1.0]])
        ray = np.linalg.solve(camera, np.array([crop.cx, crop.cy, 1.0]))
        z = ray / np.linalg.norm(ray)
        # the crop's +x direction in the photo, made orthogonal to the ray, is the crop camera's x axis
        x = np.linalg.solve(camera, np.array([crop.cx + np.cos(crop.angle), crop.cy + np.sin(crop.angle), 1.0])) - ray
        x = x - z * (x @ z)
        x /= np.linalg.norm(x)
        rotation = np.stack([x, np.cross(z, x), z], axis=1)
        if crop.flip:  # the mirrored world: x of the crop camera runs the other way
            rotation = rotation * np.array([-1.0, 1.0, 1.0])
        projection = to_crop @ camera @ rotation
        projection = projection / projection[2, 2]
        # pixels a radian at the crop's centre: the Jacobian of the projection on the optical axis
        at_centre = projection[:2, :2] - np.outer(projection[:2, 2], projection[2, :2])
        focal = float(np.sqrt(abs(np.linalg.det(at_centre))))
        return CropView(projection, rotation, focal, bool(crop.flip))

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the crop camera's frame in the real camera's frame."""
        return np.asarray(points) @ self.rotation.T

    def to_view(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the real camera's frame in the crop camera's frame (the inverse of `to_camera`)."""
        return np.asarray(points) @ self.rotation


def cameras(views: Sequence[CropView], device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """projection (B, 3, 3) and focal (B,) of B views, as the network takes them."""
    projection = torch.tensor(np.stack([view.projection for view in views]), dtype=torch.float32, device=device)
    return projection, torch.tensor([view.focal for view in views], dtype=torch.float32, device=device)


def plain_projection(focal: Tensor) -> Tensor:
    """(B,) focal lengths in crop pixels -> (B, 3, 3) projections of a camera that looks straight at the crop."""
    projection = focal.new_zeros(focal.shape[0], 3, 3)
    projection[:, 0, 0] = projection[:, 1, 1] = focal
    projection[:, 0, 2] = projection[:, 1, 2] = HALF - 0.5
    projection[:, 2, 2] = 1.0
    return projection


def project(points: Tensor, projection: Tensor) -> Tensor:
    """points (B, N, 3) in the crop camera's frame, projection (B, 3, 3) -> (B, N, 2) crop pixels."""
    image = points @ projection.transpose(1, 2)
    return image[..., :2] / image[..., 2:].clamp(min=1e-3)


def translation_of(camera: Tensor, focal: Tensor) -> Tensor:
    """Crop camera (B, 3) = (log of scale over `MEAN_SCALE`, x, y in crop half sides) -> wrist position (B, 3) in m.

    As in HMR's weak-perspective camera, lifted to a perspective one: depth = focal / scale.
    """
    scale = MEAN_SCALE * torch.exp(camera[:, :1].clamp(-2.5, 2.5))
    return torch.cat([camera[:, 1:] / scale, focal[:, None] / HALF / scale], dim=1)
