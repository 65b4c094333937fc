"""One synthetic photo: everything drawn from its own seed, rendered, degraded and labelled."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from annotator.synthetic import images as synthetic_images
from annotator.synthetic import scene as synthetic_scene
from annotator.synthetic.domain import Domain, dressed, relit, turned
from annotator.synthetic.poses.drawing import KINDS
from annotator.synthetic.render import SIZE, Renderer
from annotator.synthetic.skin import HandSurface
from annotator.synthetic.solids import Solid
from annotator.synthetic.view import RenderView, hand_view, place, random_turn
from annotator.vision.crop_size import CROP_SIZE

# keypoint -> parts (1 + MANO joint; 20, 21 forearm and sleeve) that belong to the flesh round it
_FLESH = [
    {1, 20, 21},
    {1, 14},
    {1, 14, 15},
    {15, 16},
    {16},
    {1, 2},
    {2, 3},
    {3, 4},
    {4},
    {1, 5},
    {5, 6},
    {6, 7},
    {7},
    {1, 11},
    {11, 12},
    {12, 13},
    {13},
    {1, 8},
    {8, 9},
    {9, 10},
    {10},
]
FLESH = np.zeros((21, 256), bool)
for _k, _parts in enumerate(_FLESH):
    FLESH[_k, list(_parts)] = True
# m: the flesh in front of a joint is no thicker than this (wrist, thumb CMC, MCP joints, then fingers)
DEEP = np.array([0.035, 0.03, 0.027, 0.016, 0.012] + [0.025, 0.015, 0.012, 0.010] * 4)


@dataclass(frozen=True, eq=False)
class PosedHand:
    """A hand in its rest orientation, wrist joint at the origin: vertices (V,3), joints (21,3) m, frame (3,3)
    rows radial, along, palmar; kind of pose (index into KINDS) and the solid it holds, if any."""

    vertices: np.ndarray
    joints: np.ndarray
    frame: np.ndarray
    kind: int
    solid: Solid | None


@dataclass(frozen=True, eq=False)
class Sample:
    """jpeg bytes; view: the camera; visible (21,) bool; outline (112, 112) uint8: how much of each 2 x 2 px is the
    hand itself (no forearm, sleeve, or thing before it), of 255."""

    jpeg: bytes
    view: RenderView
    visible: np.ndarray
    outline: np.ndarray


def make_sample(
    renderer: Renderer,
    surface: HandSurface,
    hand: PosedHand,
    second: PosedHand,
    seed: list[int],
    domain: Domain = Domain(),
) -> Sample:
    """Render one photo of `hand`; `second` poses the other hand, if one comes into view. Deterministic in
    `seed` and `domain`."""
    for attempt in range(8):
        rng = np.random.default_rng([*seed, attempt])
        site = domain.site_of(rng, seed, hand.kind)
        rotation = turned(site, hand_view(site, hand.frame), hand.frame, domain)
        if domain.sites:  # nobody holds a hand quite like the day before
            rotation = random_turn(rng, 0.25) @ rotation
        view = place(rng, hand.joints, rotation, (domain.nearest, domain.farthest))
        colour, part, depth, skin = _render(rng, site, renderer, surface, hand, second, view, domain)
        joints = hand.joints @ view.rotation.T + view.translation
        visible = visible_keypoints(part, depth, joints, view.keypoints)
        own = np.count_nonzero((part >= 1) & (part <= 16))
        if visible.sum() >= 7 and own > 0.03 * part.size:
            break
    image = synthetic_images.composite(rng, colour, part, synthetic_images.background(site, skin.tone))
    if domain.degraded >= 1 or rng.random() < domain.degraded:
        image = synthetic_images.degrade(rng, image)
    shown = np.ones((CROP_SIZE, CROP_SIZE), bool)
    if rng.random() < 0.17:
        image = synthetic_images.photo_edge(rng, image, view.keypoints)
        shown = np.asarray(image).max(axis=-1) > 0
    return Sample(synthetic_images.jpeg(image, int(rng.integers(80, 96))), view, visible, outline_of(part, shown))


def _render(rng, site, renderer, surface, hand: PosedHand, second: PosedHand, view: RenderView, domain: Domain):
    skin = synthetic_scene.random_skin(site)
    if domain.gloves or domain.blotches:
        skin = replace(skin, look=dressed(site, skin.look, synthetic_scene.cloth(site), domain))
    lights, exposure = relit(site, *synthetic_scene.random_lights(site), domain)
    vertices = hand.vertices @ view.rotation.T + view.translation
    joints = hand.joints @ view.rotation.T + view.translation
    frame = hand.frame @ view.rotation.T
    pieces = synthetic_scene.hand_pieces(rng, surface, vertices, frame, skin, sleeved=domain.sleeve)
    kind = KINDS[hand.kind]
    if hand.solid is not None and rng.random() < domain.solid:
        solid = hand.solid.moved(view.rotation, view.translation)
        pieces.append(synthetic_scene.solid_piece(rng, solid))
    elif kind in ("pinch", "gather") and rng.random() < 0.2:
        pieces.append(synthetic_scene.solid_piece(rng, synthetic_scene.stick(rng, joints)))
    elif rng.random() < domain.stray:
        pieces.append(synthetic_scene.solid_piece(rng, synthetic_scene.stray_solid(rng, joints)))
    if rng.random() < domain.second:
        half = (CROP_SIZE / 2) * float(joints[:, 2].mean()) / view.focal
        other, other_frame, mirrored = synthetic_scene.other_hand(rng, second.vertices, second.frame, joints, half)
        pieces += synthetic_scene.hand_pieces(
            rng, surface, other, other_frame, skin, mirrored, other=True, sleeved=domain.sleeve
        )
    colour, part, depth = renderer.render(pieces, view.focal, lights, exposure)
    return colour, part, depth, skin


def outline_of(part: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """(112, 112) uint8, see `Sample`. shown: (224, 224) bool, False beyond the photo's edge."""
    size = (CROP_SIZE // 2, CROP_SIZE // 2)
    hand, share = (
        np.asarray(Image.fromarray((255 * seen).astype(np.uint8)).resize(size, Image.Resampling.BOX))
        for seen in ((part >= 1) & (part <= 16), shown)
    )
    return np.where(share > 127, hand, 0).astype(np.uint8)


def visible_keypoints(part: np.ndarray, depth: np.ndarray, joints: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """(21,) whether what the camera meets at a keypoint is the flesh round it (within 1.5 px: fingertips lie
    on the outline), and it lies in the crop."""
    column = np.rint((keypoints[:, 0] + 0.5) * SIZE / CROP_SIZE - 0.5).astype(int)
    row = np.rint((keypoints[:, 1] + 0.5) * SIZE / CROP_SIZE - 0.5).astype(int)
    seen = np.zeros(21, bool)
    for dy in (-2, 0, 2):
        for dx in (-2, 0, 2):
            x, y = column + dx, row + dy
            inside = (x >= 0) & (y >= 0) & (x < SIZE) & (y < SIZE)
            x, y = np.clip(x, 0, SIZE - 1), np.clip(y, 0, SIZE - 1)
            own = FLESH[np.arange(21), part[y, x]]
            seen |= inside & own & (depth[y, x] > joints[:, 2] - DEEP)
    return seen
