"""Where the camera of a synthetic photo stands: the view of the hand and the crop round it.

The crop's own camera looks at the crop's centre (principal point 111.5, 111.5). Crops are placed by the rule
used on real photos (`Crop.from_landmarks`), with jitter; some by the tight box of the keypoints instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from annotator.vision.crops import CROP_SIZE, MIDDLE, Crop

FOCAL_RANGE = (3.0, 14.0)  # focal length over half the crop's side
NEAREST = 0.12  # m, the camera never comes closer to a joint


@dataclass(frozen=True, eq=False)
class RenderView:
    """The hand in the crop camera's frame: x_camera = rotation x_hand + translation; focal px of the 224 px
    crop; keypoints (21,2) crop px."""

    rotation: np.ndarray
    translation: np.ndarray
    focal: float
    keypoints: np.ndarray


def turn(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation matrix (3,3) about a unit axis."""
    return turns(axis, np.array([angle]))[0]


def turns(axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rotation matrices (n,3,3) about a unit axis by angles (n,)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angles = np.asarray(angles)[:, None, None]
    return np.eye(3) + np.sin(angles) * cross + (1 - np.cos(angles)) * (cross @ cross)


def random_turn(rng: np.random.Generator, sigma: float | None = None) -> np.ndarray:
    """A uniform random rotation, or (sigma, rad) a small one about a random axis."""
    if sigma is None:
        w, x, y, z = _unit(rng.normal(size=4))
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
    vector = rng.normal(0, sigma, 3)
    angle = float(np.linalg.norm(vector))
    return turn(vector / max(angle, 1e-9), angle)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


def hand_view(rng: np.random.Generator, frame: np.ndarray) -> np.ndarray:
    """Rotation (3,3) of the hand into a camera's frame; frame rows: the rest hand's radial, along, palmar
    axes.

    Half uniform over all views, half ordinary ones: palm or back toward the camera, or seen by its owner's
    eyes.
    """
    if rng.random() < 0.5:
        return random_turn(rng)
    ordinary = rng.random()
    if ordinary < 0.75:
        palm_forward = -1.0 if ordinary < 0.42 else 1.0  # camera z looks away from the viewer
        tilt, yaw = rng.normal(0, 0.4), rng.normal(0, 0.6)
    else:  # egocentric: the back toward the eyes, fingers away from them
        palm_forward, tilt, yaw = 1.0, -rng.uniform(0.3, 1.3), rng.normal(0, 0.5)
    palmar, along = np.array([0, 0, palm_forward]), np.array([0, -1.0, 0])
    target = np.stack([np.cross(along, palmar), along, palmar])  # radial = along x palmar
    base = target.T @ frame
    return turn(np.array([0, 1.0, 0]), yaw) @ turn(np.array([1.0, 0, 0]), tilt) @ base


def place(
    rng: np.random.Generator,
    joints: np.ndarray,
    rotation: np.ndarray,
    focal_range: tuple[float, float] = FOCAL_RANGE,
) -> RenderView:
    """Stand the camera off at a random distance and look at the jittered crop round the joints (21,3), rest
    frame.

    Focal lengths are log-uniform in focal_range (times half the crop), unless the hand would come too near.
    """
    ratio = math.exp(rng.uniform(*np.log(focal_range)))
    tight = rng.random() < 0.15
    margin = rng.uniform(1.2, 1.6)
    spin = math.radians(rng.uniform(-60, 60) if rng.random() < 0.1 else rng.normal(0, 12))
    grow = 1 + 0.2 * rng.uniform(-1, 1)
    shift = rng.uniform(-0.08, 0.08, 2)

    def crop_of(points: np.ndarray) -> Crop:
        crop = Crop.from_landmarks(points)
        if tight:
            c, s = math.cos(crop.angle), math.sin(crop.angle)
            axes = np.array([[c, s], [-s, c]])
            local = points @ axes.T
            low, high = local.min(axis=0), local.max(axis=0)
            centre = 0.5 * (low + high) @ axes
            return Crop(centre[0], centre[1], margin * float((high - low).max()), crop.angle + spin)
        c, s = math.cos(crop.angle), math.sin(crop.angle)
        dx, dy = crop.size * shift
        return Crop(crop.cx + c * dx - s * dy, crop.cy + s * dx + c * dy, crop.size * grow, crop.angle + spin)

    points = joints @ rotation.T
    flat = crop_of(points[:, :2])
    middle = points.mean(axis=0)
    distance = max(ratio * flat.size / 2, NEAREST + float(middle[2] - points[:, 2].min()))
    translation = np.array([-flat.cx, -flat.cy, distance - middle[2]])
    for _ in range(6):
        seen = points + translation
        crop = crop_of(seen[:, :2] / seen[:, 2:])
        # look at the crop's centre, then turn about the axis of view
        forward = _unit(np.array([crop.cx, crop.cy, 1.0]))
        axis = np.array([-forward[1], forward[0], 0.0])  # z x forward
        sine = float(np.linalg.norm(axis))
        aim = turn(axis / sine, -math.asin(sine)) if sine > 1e-9 else np.eye(3)
        aim = turn(np.array([0, 0, 1.0]), -crop.angle) @ aim
        rotation, translation = aim @ rotation, aim @ translation
        points = joints @ rotation.T
        if abs(crop.angle) < 1e-4 and sine < 1e-5:
            break
    focal = CROP_SIZE / crop.size
    seen = points + translation
    return RenderView(rotation, translation, focal, focal * seen[:, :2] / seen[:, 2:] + MIDDLE)
