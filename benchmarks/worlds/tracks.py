"""Rendered videos of one hand whose mesh is known in every frame: natural motion between drawn poses.

A sequence follows from its seed alone. Between poses a hand moves as hands do, with least jerk (Flash and Hogan 1985),
the fingers a little one after the other, and rests now and then; skin, light, camera and what lies behind stay, the
sensor's noise and the compression are new in every frame. `fast` sequences change pose several times a second, and
their frames are blurred by an open shutter.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation, Slerp

from annotator.hand.model import HandModel, load_hand
from annotator.synthetic import images, scene
from annotator.synthetic.poses.drawing import PoseSampler
from annotator.synthetic.render import SIZE, Renderer
from annotator.synthetic.skin import hand_surface
from annotator.synthetic.view import hand_view, random_turn
from annotator.vision.camera import project
from annotator.vision.crop_size import CROP_SIZE

STAGGER = 0.06  # s: how much sooner or later a finger starts
SHUTTER = 0.5  # of the time from frame to frame
BLUR = 4  # pictures that a blurred frame is the mean of


@dataclass(frozen=True, eq=False)
class Sequence:
    """photos (T, H, W, 3) uint8; seconds (T,); joints (T, 21, 3) m, camera frame; K (3, 3); speed (T,) m/s: mean speed
    of the joints beside the wrist."""

    photos: np.ndarray
    seconds: np.ndarray
    joints: np.ndarray
    K: np.ndarray
    speed: np.ndarray


class Studio:
    """What sequences are made with; made once."""

    def __init__(self, model: HandModel | None = None) -> None:
        self.model = model or load_hand()
        self.surface = hand_surface(self.model)
        self.sampler = PoseSampler(self.model)
        self.renderer = Renderer()

    def sequence(self, seed: int, count: int, rate: float, fast: bool = False) -> Sequence:
        """`count` frames, `rate` a second."""
        rng = np.random.default_rng([seed, 8191])
        seconds = np.arange(count) / rate
        motion = _Motion(rng, self.sampler, seconds[-1] + 1 / rate, fast)
        shape = np.clip(rng.normal(0, 1, 10), -2, 2)
        skin, (lights, exposure) = scene.random_skin(rng), scene.random_lights(rng)
        behind = images.background(rng, skin.tone).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        sleeve, quality, noise = int(rng.integers(1 << 31)), int(rng.integers(60, 92)), rng.uniform(1.0, 4.0)
        distance = rng.uniform(0.45, 0.8)
        focal = rng.uniform(0.95, 1.35) * CROP_SIZE * distance / 0.33
        scale = SIZE / CROP_SIZE
        K = np.array([[focal * scale, 0, (SIZE - 1) / 2], [0, focal * scale, (SIZE - 1) / 2], [0, 0, 1.0]])
        photos, joints = [], []

        def posed(at: float):
            rotations, middle = motion.at(at)
            vertices = self.model.skin(rotations, shape)
            own = self.model.joints(vertices)
            move = np.array([middle[0], middle[1], distance + middle[2]]) - own.mean(0)
            return vertices + move, own + move, rotations[0]

        for k in range(count):
            vertices, own, turn = posed(seconds[k])
            times = seconds[k] + (np.arange(BLUR) / (BLUR - 1) - 0.5) * SHUTTER / rate if fast else [seconds[k]]
            pictures, covers = [], []
            for at in times:
                vertices, _, turn = posed(float(at))
                pieces = scene.hand_pieces(
                    np.random.default_rng(sleeve), self.surface, vertices, self.sampler.hand.frame @ turn.T, skin
                )
                colour, part, _ = self.renderer.render(pieces, focal, lights, exposure)
                pictures.append(colour * (part > 0)[..., None])
                covers.append(part > 0)
            cover = np.mean(covers, axis=0)[..., None]
            photo = np.mean(pictures, axis=0) + (1 - cover) * np.asarray(behind, np.float64)
            photo = np.clip(photo + rng.normal(0, noise, photo.shape), 0, 255).astype(np.uint8)
            photos.append(np.asarray(Image.open(io.BytesIO(images.jpeg(Image.fromarray(photo), quality)))))
            joints.append(own)
        joints = np.array(joints)
        rooted = joints - joints[:, :1]
        speed = np.linalg.norm(np.gradient(rooted, seconds, axis=0), axis=-1).mean(1)
        return Sequence(np.array(photos), seconds, joints, K, speed)


class _Motion:
    """Rotations and place of a hand at any time."""

    def __init__(self, rng: np.random.Generator, sampler, duration: float, fast: bool) -> None:
        low, high = (0.16, 0.35) if fast else (0.35, 0.9)
        times = [-0.5]
        while times[-1] < duration + 0.5:
            times.append(times[-1] + rng.uniform(low, high) * (1.6 if rng.random() < 0.25 else 1.0))
        self.times = np.array(times)
        count = len(times)
        poses = sampler.sample(count, rng, {kind: 1.0 for kind in MOVED}).angles
        rest = rng.random(count) < (0.1 if fast else 0.2)  # the hand stays as it was
        for k in range(1, count):
            if rest[k]:
                poses[k] = poses[k - 1]
        self.poses, self.hand = poses, sampler.hand
        first = hand_view(rng, sampler.hand.frame)
        turns = [first]
        for k in range(1, count):
            small = 0.0 if rest[k] else (0.35 if fast else 0.3)
            turns.append(random_turn(rng, small) @ turns[-1] if small else turns[-1])
        self.turns = Slerp(self.times, Rotation.from_matrix(turns))
        reach = np.array([0.05, 0.05, 0.03])
        places = np.clip(np.cumsum(rng.normal(0, 0.5, (count, 3)) * reach * ~rest[:, None], axis=0), -reach, reach)
        self.places = places
        self.stagger = np.repeat(rng.uniform(-STAGGER, STAGGER, 5), 3) * (0.4 if fast else 1.0)

    def at(self, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        """(rotations (16, 3, 3), middle (3,) m)."""
        angles = np.empty((15, 3))
        for row in range(15):
            before, share, _ = self._way(seconds + self.stagger[row])
            angles[row] = (1 - share) * self.poses[before, row] + share * self.poses[before + 1, row]
        before, share, even = self._way(seconds)
        rotations = np.empty((16, 3, 3))
        rotations[0] = self.turns(even).as_matrix()
        rotations[1:] = self.hand.rotations(self.hand.clip(angles[None]))[0]
        return rotations, (1 - share) * self.places[before] + share * self.places[before + 1]

    def _way(self, seconds: float) -> tuple[int, float, float]:
        before = int(np.clip(np.searchsorted(self.times, seconds) - 1, 0, len(self.times) - 2))
        length = self.times[before + 1] - self.times[before]
        s = np.clip((seconds - self.times[before]) / length, 0, 1)
        share = float(s**3 * (10 - 15 * s + 6 * s * s))
        return before, share, self.times[before] + share * length


MOVED = ("curls", "open", "spread", "fist_beside", "count", "pinch", "thumbs_up", "hook", "claw", "relaxed")


def truth_keypoints(sequence: Sequence) -> np.ndarray:
    """(T, 21, 2) px."""
    return project(sequence.joints, sequence.K)


@dataclass(frozen=True, eq=False)
class Crossing:
    """Two hands: photos (T, H, W, 3) uint8; seconds (T,); keypoints (2, T, 21, 2) px; visible (2, T) bool: in the
    picture, and not behind the other one; K (3, 3)."""

    photos: np.ndarray
    seconds: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray
    K: np.ndarray


def crossing(studio: Studio, seed: int, count: int, rate: float) -> Crossing:
    """Hands of two people, both right or one of each side, that change places every few seconds, one before the
    other."""
    rng = np.random.default_rng([seed, 4099])
    seconds = np.arange(count) / rate
    motions = [_Motion(rng, studio.sampler, seconds[-1] + 1 / rate, False) for _ in range(2)]
    shapes = np.clip(rng.normal(0, 1, (2, 10)), -2, 2)
    skins, (lights, exposure) = [scene.random_skin(rng) for _ in range(2)], scene.random_lights(rng)
    left = (False, bool(rng.random() < 0.6))
    behind = images.background(rng, skins[0].tone).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    sleeves, noise, quality = rng.integers(1 << 31, size=2), rng.uniform(1.0, 3.0), int(rng.integers(70, 92))
    depths, focal, scale = (0.62, 0.74), 1.15 * CROP_SIZE, SIZE / CROP_SIZE
    K = np.array([[focal * scale, 0, (SIZE - 1) / 2], [0, focal * scale, (SIZE - 1) / 2], [0, 0, 1.0]])
    pace, phase = rng.uniform(2.5, 4.0), rng.uniform(0, np.pi)
    photos, keypoints = [], np.empty((2, count, 21, 2))
    for k, at in enumerate(seconds):
        pieces = []
        for n in range(2):
            rotations, middle = motions[n].at(at)
            vertices, frame = studio.model.skin(rotations, shapes[n]), studio.sampler.hand.frame @ rotations[0].T
            if left[n]:
                vertices, frame = vertices * (-1.0, 1.0, 1.0), frame * (-1.0, 1.0, 1.0)
            across = 0.11 * np.cos(2 * np.pi * at / pace + phase) * (1 - 2 * n)
            move = np.array([across, 0.3 * middle[1] + 0.02 * (1 - 2 * n), depths[n]])
            vertices = vertices + move - studio.model.joints(vertices).mean(0)
            keypoints[n, k] = project(studio.model.joints(vertices), K)
            own = np.random.default_rng(int(sleeves[n]))
            pieces += scene.hand_pieces(own, studio.surface, vertices, frame, skins[n], left[n])
        colour, part, _ = studio.renderer.render(pieces, focal, lights, exposure)
        photo = np.where((part > 0)[..., None], colour, np.asarray(behind))
        photo = np.clip(photo + rng.normal(0, noise, photo.shape), 0, 255).astype(np.uint8)
        photos.append(np.asarray(Image.open(io.BytesIO(images.jpeg(Image.fromarray(photo), quality)))))
    apart = np.linalg.norm(keypoints[0].mean(1) - keypoints[1].mean(1), axis=-1)
    inside = ((keypoints.mean(2) > 0) & (keypoints.mean(2) < SIZE)).all(-1)
    visible = inside & np.stack([np.ones(count, bool), apart > 0.5 * np.ptp(keypoints[1], axis=1).max(-1)])
    return Crossing(np.array(photos), seconds, keypoints, visible, K)
