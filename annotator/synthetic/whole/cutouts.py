"""Hands cut out of renders, to be laid over any background: one hand or two that touch, bare or gloved, with forearm,
sleeve and held things, and their twins: the same hands bare and holding nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from annotator.synthetic.generate import BLOCK, Studio
from annotator.synthetic.poses.drawing import KINDS
from annotator.synthetic.render import Lights, Piece, Renderer
from annotator.synthetic.scene import (
    Skin,
    hand_pieces,
    plain_attributes,
    random_lights,
    random_skin,
    solid_piece,
    stick,
    stray_solid,
)  # fmt: skip
from annotator.synthetic.skin import PART, PART_OTHER, PART_SLEEVE, palm_frame
from annotator.synthetic.view import hand_view, place, random_turn
from annotator.synthetic.whole.gloves import Glove, random_glove
from annotator.vision.crop_size import CROP_SIZE

OTHER_HAND = 100  # parts of a second hand's own bones: this and more
SOLID_KINDS = tuple(kind for kind in KINDS if kind.startswith("grasp"))
MIDDLE = (CROP_SIZE - 1) / 2


@dataclass(frozen=True, eq=False)
class Cutout:
    """A render of `size` px. colour (S, S, 3) uint8; cover (S, S) uint8, 255 where something is; keypoints (H, 21, 2)
    px of each hand; right (H,) whether it is a right hand; shown (H,): how much of it is seen, beside it bare and
    alone in the picture, 0..1. bare: the twin's colour and cover, None if none was asked for."""

    colour: np.ndarray
    cover: np.ndarray
    keypoints: np.ndarray
    right: np.ndarray
    shown: np.ndarray
    bare: tuple[np.ndarray, np.ndarray] | None = None

    def mirrored(self) -> Cutout:
        """The same, left and right exchanged."""
        width = self.cover.shape[1]
        keypoints = self.keypoints * (-1, 1) + (width - 1, 0)
        bare = None if self.bare is None else (self.bare[0][:, ::-1], self.bare[1][:, ::-1])
        return replace(
            self, colour=self.colour[:, ::-1], cover=self.cover[:, ::-1], keypoints=keypoints, right=~self.right,
            bare=bare,
        )  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What cutouts show. Chances 0..1: glove, held (something is held, or lies in front), touching (two hands); zoom:
    least and most size beside an ordinary crop (1: the hand takes about half); twins: whether each has one."""

    glove: float = 0.0
    held: float = 0.0
    touching: float = 0.0
    zoom: tuple[float, float] = (0.5, 0.9)
    twins: bool = False


class Workshop(Studio):
    """What makes cutouts: `Studio`'s hands, and a renderer of `size` px."""

    def __init__(self, size: int = 288) -> None:
        super().__init__()
        self.renderer.release()
        self.renderer = Renderer(size)

    def cutouts(self, count: int, seed: int, wanted: Wanted) -> Iterator[Cutout]:
        """`count` of them; each follows from `seed`, its number and what is wanted."""
        shares = {kind: 1 / len(SOLID_KINDS) for kind in SOLID_KINDS} if wanted.held > 0.9 else None
        for number in range(count):
            if number % BLOCK == 0:
                rng = np.random.default_rng([seed, number, 7])
                poses = self.sampler.sample(BLOCK, rng, shares)
                shape = np.clip(rng.normal(0, 1, (BLOCK, 10)), -2.5, 2.5)
                rotations = np.tile(np.eye(3), (BLOCK, 16, 1, 1))
                rotations[:, 1:] = self.sampler.hand.rotations(poses.angles)
                vertices, joints = self._pose(rotations, shape)
            at = number % BLOCK
            other = (at + 1) % BLOCK
            hand = (vertices[at], joints[at], KINDS[int(poses.kind[at])], poses.solids[at])
            yield self._cutout(np.random.default_rng([seed, number]), hand, (vertices[other], joints[other]), wanted)

    def _cutout(self, rng: np.random.Generator, hand, second, wanted: Wanted) -> Cutout:
        vertices, joints, kind, solid = hand
        frame = self.sampler.hand.frame
        view = place(rng, joints, hand_view(rng, frame), (3.0, 14.0))
        focal = view.focal * rng.uniform(*wanted.zoom)
        # turned in the picture: a crop's hand points up, a photo's anywhere
        angle = rng.normal(0, 0.7) if rng.random() < 0.6 else rng.uniform(-np.pi, np.pi)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
        rotation, translation = turned @ view.rotation, turned @ view.translation
        vertices, joints = vertices @ rotation.T + translation, joints @ rotation.T + translation
        hands = [(vertices, joints, frame @ rotation.T, False)]
        if rng.random() < wanted.touching:
            hands.append(beside(rng, second[0], second[1], joints))
            middle = np.concatenate([hands[0][1], hands[1][1]]).mean(0)
            shift = np.array([middle[0], middle[1], 0.0]) * (1 if middle[2] > 0.1 else 0)
            hands = [(v - shift, j - shift, f, m) for v, j, f, m in hands]
            translation = translation - shift
            focal *= 0.8
        skin, (lights, exposure) = random_skin(rng), random_lights(rng)
        glove = random_glove(rng) if rng.random() < wanted.glove else None
        things = []
        if rng.random() < wanted.held:
            if solid is not None:
                things.append(solid_piece(rng, solid.moved(rotation, translation)))
            elif kind in ("pinch", "gather") or rng.random() < 0.3:
                things.append(solid_piece(rng, stick(rng, hands[0][1])))
            else:
                things.append(solid_piece(rng, stray_solid(rng, hands[0][1])))
        seed = int(rng.integers(2**31))
        sleeved = rng.choice([0.0, 1.0])
        shot = self._shot(seed, hands, skin, glove, sleeved, things, focal, lights, exposure)
        keypoints = np.stack([self._seen(j, focal) for _, j, _, _ in hands])
        right = np.array([not mirrored for *_, mirrored in hands])
        plain = self._shot(seed, hands, skin, None, sleeved, [], focal, lights, exposure)
        shown = []
        for number, one in enumerate(hands):
            if len(hands) == 1:
                alone = plain
            else:
                alone = self._shot(seed, [one], skin, None, sleeved, [], focal, lights, exposure)
            base = OTHER_HAND * number
            most = max(1, int(np.count_nonzero((alone[1] >= 1) & (alone[1] <= 16))))
            left = int(np.count_nonzero((shot[1] >= base + 1) & (shot[1] <= base + 16)))
            shown.append(left / most)
        bare = (plain[0], _cover(plain[1])) if wanted.twins else None
        cutout = Cutout(shot[0], _cover(shot[1]), keypoints, right, np.minimum(np.array(shown), 1.0), bare)
        return cutout.mirrored() if rng.random() < 0.5 else cutout

    def _shot(
        self, seed: int, hands, skin: Skin, glove: Glove | None, sleeved: float, things: list[Piece], focal: float,
        lights: Lights, exposure: float,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Colour and parts. Arms and sleeves follow from `seed`, whatever the hands wear and hold."""
        pieces: list[Piece] = []
        for number, (vertices, _, frame, mirrored) in enumerate(hands):
            rng = np.random.default_rng([seed, number])
            own = hand_pieces(rng, self.surface, vertices, frame, skin, mirrored, False, sleeved)
            if glove is not None:
                own = self._gloved(own, glove, vertices, mirrored)
            if number:
                own[0] = replace(own[0], attributes=_numbered(own[0].attributes))
                own[1:] = [replace(piece, attributes=_as_other(piece.attributes)) for piece in own[1:]]
            pieces += own
        colour, part, _ = self.renderer.render(pieces + things, focal, lights, exposure)
        return colour, part

    def _gloved(self, pieces: list[Piece], glove: Glove, vertices: np.ndarray, mirrored: bool) -> list[Piece]:
        """A hand's pieces (hand, forearm, what is worn) in a glove."""
        hand, arm, *worn = pieces
        thick = hand.vertices + glove.thick * hand.normals
        ring = len(self.surface.loop)
        rings = arm.vertices.reshape(-1, ring, 3)
        along = np.linalg.norm(rings.mean(1) - rings[0].mean(0), axis=1)
        within = max(2, int(np.searchsorted(along, glove.length)))
        grow = (glove.thick + glove.flare * np.clip(along / max(glove.length, 1e-3), 0, 1)) + 0.0006
        cuff = (rings + grow[:, None, None] * arm.normals.reshape(-1, ring, 3))[:within].reshape(-1, 3)
        faces = arm.faces[(arm.faces < within * ring).all(1)]
        rest = plain_attributes(arm.attributes[: within * ring, :3], PART_SLEEVE)
        normals = arm.normals[: within * ring]
        return [
            replace(hand, vertices=thick, look=glove.look | {"skin": 0.0}),
            arm,
            Piece(cuff, normals, faces, rest, glove.cuff | {"skin": 0.0}),
            *worn,
        ]

    def _seen(self, joints: np.ndarray, focal: float) -> np.ndarray:
        crop = focal * joints[:, :2] / joints[:, 2:] + MIDDLE
        return (crop + 0.5) * (self.renderer.size / CROP_SIZE) - 0.5


def _cover(part: np.ndarray) -> np.ndarray:
    return (part > 0) * np.uint8(255)


def _numbered(attributes: np.ndarray) -> np.ndarray:
    changed = attributes.copy()
    changed[:, PART] += OTHER_HAND
    return changed


def _as_other(attributes: np.ndarray) -> np.ndarray:
    changed = attributes.copy()
    changed[:, PART] = PART_OTHER
    return changed


def beside(rng: np.random.Generator, vertices: np.ndarray, joints: np.ndarray, first: np.ndarray):
    """A second hand (V, 3), (21, 3), rest frame, that touches or crosses a first one's joints (21, 3), camera frame:
    vertices, joints, the frame's rows, whether it is a left hand."""
    mirrored = bool(rng.random() < 0.85)
    if mirrored:
        vertices, joints = vertices * (-1.0, 1.0, 1.0), joints * (-1.0, 1.0, 1.0)
    rotation = random_turn(rng)
    vertices, joints = vertices @ rotation.T, joints @ rotation.T
    angle = rng.uniform(0, 2 * np.pi)
    reach = rng.uniform(0.045, 0.12)
    deep = rng.choice([-1, 1]) * rng.uniform(0.025, 0.07)
    offset = np.array([np.cos(angle) * reach, np.sin(angle) * reach, deep])
    shift = first.mean(0) + offset - joints.mean(0)
    shift[2] += max(0.0, 0.1 - (joints[:, 2].min() + shift[2]))
    frame = palm_frame(joints)
    if mirrored:
        frame = palm_frame(joints * (-1.0, 1.0, 1.0)) * (-1.0, 1.0, 1.0)
    return vertices + shift, joints + shift, frame, mirrored
