"""Rendered rigs: known hands, beyond the shapes of training, seen by calibrated cameras round them.

A rig's cameras have photos of 640 x 480 px with a real lens (OpenCV's five numbers), stand 0.5 to 0.8 m from the hands
and look at them; camera k of the list is 90 degrees from its neighbour among the first four, 45 among all eight. Hands
are rendered in their crops (`annotator.synthetic`), proposed by the network with landmarks of the noise of real photos
in place of its own (on rendered photos those are far worse, see `benchmarks/mesh_truth.py`), and joined as
`Model.propose_instant` joins them. Frozen: instant i of seed S is the same on every machine.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageFilter

from annotator.correcting.simulation.simulated import Truth
from annotator.hand.definitions import frames_of
from annotator.hand.mesh import HandMesh
from annotator.hand.rotations import rotation_vectors
from annotator.learning.data.noise import simulate_landmarks
from annotator.learning.data.samples import Labels
from annotator.model import Model
from annotator.network.crop_camera import CropView, cameras
from annotator.network.hand_meshes import CachedFeatures, for_keeping, on_cpu
from annotator.network.parametric import Estimate
from annotator.synthetic import images, scene
from annotator.synthetic.generate import Studio
from annotator.synthetic.sample import visible_keypoints
from annotator.synthetic.shards import proportioned
from annotator.synthetic.view import hand_view, turn
from annotator.vision.crops import Crop
from annotator.vision.rigs import Rig, RigCamera

SEED = 902_019
BONES = 0.15  # every bone up to this share longer or shorter: no shape of the hand model has such hands
WIDTH, HEIGHT = 640, 480
AZIMUTHS = (0, 90, 180, 270, 45, 135, 225, 315)  # degrees


@dataclass(frozen=True, eq=False)
class TrueHand:
    """vertices (V,3), joints (21,3) m in the world; rotations (16,3,3) local, the first the whole hand's in the world;
    frame (3,3): rows are its radial, along and palmar axes in the world."""

    vertices: np.ndarray
    joints: np.ndarray
    rotations: np.ndarray
    frame: np.ndarray


@dataclass(frozen=True, eq=False)
class Instant:
    """A rig and its hands; proposals: camera -> a proposal for each hand, in their order; truths: the same."""

    rig: Rig
    hands: list[TrueHand]
    proposals: dict[str, list[HandMesh]]
    truths: dict[str, list[Truth]]

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        return dict.fromkeys(self.rig, (HEIGHT, WIDTH))


class World:
    """Makes instants. count: hands in each; model: what proposes."""

    def __init__(self, model: Model, seed: int = SEED, bones: float = BONES):
        self.model, self.seed, self.bones = model, seed, bones
        self.studio = Studio()

    def instants(self, number: int, views: int = 8, hands: int = 1) -> Iterator[Instant]:
        """The first `number` instants, seen by the first `views` cameras."""
        for at in range(number):
            rng = np.random.default_rng([self.seed, hands, at])
            there = [self._hand(rng, at * hands + k, k) for k in range(hands)]
            rig = rig_of(rng, views)
            proposals: dict[str, list[HandMesh]] = {name: [] for name in rig}
            truths: dict[str, list[Truth]] = {name: [] for name in rig}
            skin = scene.random_skin(rng)
            for name in rig:
                for k in range(len(there)):
                    mesh, truth = self._proposal(rng, rig[name], there, k, skin)
                    proposals[name].append(mesh)
                    truths[name].append(truth)
            yield Instant(rig, there, proposals, truths)

    def _hand(self, rng: np.random.Generator, number: int, place: int) -> TrueHand:
        """A hand near the world's origin; the second beside it."""
        studio = self.studio
        poses = studio.sampler.sample(1, rng, studio.domain.poses)
        shape = np.clip(rng.normal(0, 1, 10), -2.5, 2.5)
        rotations = np.tile(np.eye(3), (16, 1, 1))
        rotations[1:] = studio.sampler.hand.rotations(poses.angles)[0]
        rotations[0] = hand_view(rng, studio.sampler.hand.frame)
        model = proportioned(studio.model, self.seed, number, self.bones)
        vertices = model.skin(rotations, shape)
        joints = studio.model.joints(vertices)
        where = rng.normal(0, 0.02, 3) - joints.mean(axis=0)
        if place:  # beside the first, not through it
            aside = rng.normal(size=3)
            where += rng.uniform(0.16, 0.24) * aside / np.linalg.norm(aside)
        return TrueHand(vertices + where, joints + where, rotations, studio.sampler.hand.frame @ rotations[0].T)

    def _proposal(self, rng, camera: RigCamera, there: list[TrueHand], which: int, skin) -> tuple[HandMesh, Truth]:
        own = there[which]
        keypoints = camera.project(own.joints)
        tight = Crop.from_landmarks(keypoints + rng.normal(0, 2.0, (21, 2)))
        crop = Crop(*(np.array([tight.cx, tight.cy]) + rng.normal(0, 0.03, 2) * tight.size), tight.size, tight.angle)
        view = CropView.of(crop, camera.K)
        joints = view.to_view(camera.to_camera(own.joints))
        picture, visible = self._picture(rng, camera, view, there, which, joints, crop.to_crop(keypoints), skin)
        labels = _labels(crop.to_crop(keypoints), visible, joints, view)
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        hand = self._answered(picture, view, crop, camera, simulate_landmarks(labels, generator))
        rotations = own.rotations.copy()
        rotations[0] = camera.R @ rotations[0]
        truth = Truth(keypoints, visible > 0, camera.to_camera(own.vertices), camera.to_camera(own.joints),
                      frames_of(rotation_vectors(rotations)))  # fmt: skip
        return hand, truth

    def _answered(
        self, picture: torch.Tensor, view: CropView, crop: Crop, camera: RigCamera, landmarks=None
    ) -> HandMesh:
        """What the network says of a crop (1,3,224,224): with landmarks and world points given, else with its own, and
        then with its own word whether a hand is there."""
        model = self.model
        with torch.inference_mode():
            features = model.finder.features(picture)
            presence = 1.0
            if landmarks is None:
                presence = float(features.presence[0])
            else:
                there, world = landmarks
                features = features._replace(landmarks=there.to(model.device), world=world.to(model.device))
            answer = model.network.answer(features, *cameras([view], model.device))
        features, answer = for_keeping(features), on_cpu(answer)
        first = Estimate(*(f[:1] for f in answer.parametric))
        kept = CachedFeatures(features, first, view, crop)
        return CachedFeatures.with_proposal(model.hand_of(answer, 0, kept, camera.K, "right", presence, {}))

    def _picture(self, rng, camera, view, there, which, joints, keypoints, skin) -> tuple[torch.Tensor, np.ndarray]:
        """The crop (1,3,224,224) in 0..1, and which of the hand's keypoints are seen (21,)."""
        pieces = []
        for k in (which, *(k for k in range(len(there)) if k != which)):
            vertices = view.to_view(camera.to_camera(there[k].vertices))
            frame = there[k].frame @ camera.R.T @ view.rotation
            pieces += scene.hand_pieces(rng, self.studio.surface, vertices, frame, skin, other=k != which)
        colour, part, depth = self.studio.renderer.render(pieces, view.focal, *scene.random_lights(rng))
        image = images.composite(rng, colour, part, images.background(rng, skin.tone))
        image = images.degrade(rng, image)
        seen = np.asarray(Image.open(io.BytesIO(images.jpeg(image, 90))).convert("RGB"))
        tensor = torch.from_numpy(seen.copy()).permute(2, 0, 1)[None].float() / 255.0
        return tensor, visible_keypoints(part, depth, joints, keypoints)


class Spoilt(World):
    """Instants of one hand; `spoilt` has, of the last one, what the network says of the same crops out of focus and
    partly covered, with its own landmarks: camera -> how spoilt -> proposal."""

    def instants(self, number: int, views: int = 2, hands: int = 1) -> Iterator[Instant]:
        self.spoilt: dict[str, dict[str, HandMesh]] = {}
        self._random = np.random.default_rng([self.seed, 3])
        for one in super().instants(number, views, hands):
            yield one
            self.spoilt = {}

    def _proposal(self, rng, camera: RigCamera, there: list[TrueHand], which: int, skin) -> tuple[HandMesh, Truth]:
        hand, truth = super()._proposal(rng, camera, there, which, skin)
        crop, view = hand.features.crop, hand.features.view
        points, random = crop.to_crop(truth.keypoints), self._random
        shown = (self._last[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        self.spoilt[camera.name] = {
            name: self._answered(
                torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255.0, view, crop, camera
            )
            for name, picture in (
                ("out of focus", blurred(shown, points, random.uniform(0.02, 0.08))),
                ("partly covered", partly_covered(shown, points, random.uniform(0.4, 1.0), int(random.integers(4)))),
            )
        }
        return hand, truth

    def _picture(self, *arguments) -> tuple[torch.Tensor, np.ndarray]:
        self._last, visible = super()._picture(*arguments)
        return self._last, visible


def blurred(photo: np.ndarray, points: np.ndarray, share: float = 0.06) -> np.ndarray:
    """The photo (H,W,3) uint8 out of focus, by a share of the hand's size."""
    radius = share * float(np.ptp(points, axis=0).max())
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(radius)))


def partly_covered(photo: np.ndarray, points: np.ndarray, share: float, side: int) -> np.ndarray:
    """The photo with a grey board before a share of the hand, from one of four sides."""
    low, high = points.min(axis=0), points.max(axis=0)
    axis, reach = side // 2, share * (high - low)
    if side % 2:
        low[axis] = high[axis] - reach[axis]
    else:
        high[axis] = low[axis] + reach[axis]
    (x0, y0), (x1, y1) = np.maximum(low, 0).astype(int), np.maximum(high, 0).astype(int)
    photo = photo.copy()
    photo[y0:y1, x0:x1] = 110
    return photo


def rig_of(rng: np.random.Generator, views: int) -> Rig:
    """Cameras round the origin."""
    found = {}
    for k, azimuth in enumerate(AZIMUTHS):
        angle = np.radians(azimuth + rng.uniform(-8, 8))
        lift = np.radians(rng.uniform(-10, 35))
        distance = rng.uniform(0.5, 0.8)
        # the camera looks along +z at the origin, from `distance` behind it
        turned = turn(np.array([1.0, 0, 0]), lift) @ turn(np.array([0, 1.0, 0]), angle)
        focal = 1300.0 * distance * rng.uniform(0.9, 1.1)
        middle = np.array([WIDTH, HEIGHT]) / 2 + rng.normal(0, 6, 2)
        lens = (rng.uniform(-0.2, 0.1), rng.uniform(-0.1, 0.1), *rng.normal(0, 0.001, 2), 0.0)
        found[f"cam{k}"] = RigCamera(
            f"cam{k}", np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]]), turned,
            np.array([0.0, 0.0, distance]), np.array(lens), width=WIDTH, height=HEIGHT,
        )  # fmt: skip
    return Rig(dict(list(found.items())[: max(views, 2)]))


def _labels(keypoints: np.ndarray, visible: np.ndarray, joints: np.ndarray, view: CropView) -> Labels:
    one, ones = torch.ones(1), torch.ones(1, 21)
    return Labels(
        keypoints=torch.from_numpy(keypoints).float()[None], keypoint_weight=ones,
        visible=torch.from_numpy(visible.astype(np.float32))[None], joints=torch.from_numpy(joints).float()[None],
        joint_weight=ones, metric=one, projection=torch.from_numpy(view.projection).float()[None],
        focal=torch.tensor([view.focal], dtype=torch.float32), exact=one,
    )  # fmt: skip
