"""What is in a synthetic photo: the hand, its forearm and sleeve, held things, a second hand, skin, cloth and
lights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.synthetic.arm import Arm
from annotator.synthetic.render import Lights, Piece
from annotator.synthetic.skin import ATTRIBUTES, PART, PART_FOREARM, PART_OBJECT, PART_OTHER, PART_SLEEVE, HandSurface
from annotator.synthetic.solids import Solid, random_axes, random_solid
from annotator.synthetic.view import random_turn

# Monk's skin tone scale (CC BY 4.0, skintone.google), sRGB
_MONK = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
MONK = np.array([[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in _MONK]) / 255.0
# photographs show more red in lighter skin than the scale's swatches
_RUDDY = np.array(
    [
        [0.90, 0.72, 0.63],
        [0.86, 0.66, 0.55],
        [0.80, 0.58, 0.46],
        [0.76, 0.57, 0.43],
        [0.66, 0.46, 0.33],
        [0.55, 0.37, 0.26],
        [0.45, 0.29, 0.21],
        [0.34, 0.22, 0.16],
        [0.25, 0.17, 0.13],
        [0.19, 0.13, 0.11],
    ]
)


def linear(colour) -> np.ndarray:
    """sRGB 0..1 to linear light (gamma 2, as the shader)."""
    return np.clip(np.asarray(colour, float), 0, 1) ** 2


@dataclass(frozen=True, eq=False)
class Skin:
    """tone (3,) sRGB; look: the shader's uniforms for skin."""

    tone: np.ndarray
    look: dict


def random_skin(rng: np.random.Generator) -> Skin:
    """Any human skin: tone along the Monk scale, lighter palms, more or less even, dry or moist, nails plain
    or painted."""
    place = rng.uniform(0, 8.8)
    low = int(place)
    blend = place - low
    ruddy = (1 - blend) * _RUDDY[low] + blend * _RUDDY[low + 1]
    monk = (1 - blend) * MONK[low] + blend * MONK[low + 1]
    tone = ruddy + (monk - ruddy) * rng.uniform(0, 0.4)
    tone = np.clip(tone * rng.lognormal(0, 0.03, 3), 0.05, 0.97)
    dark = place / 9.0
    palm_tone = tone + (np.array([0.80, 0.60, 0.50]) - tone) * (0.15 + 0.40 * dark) * rng.uniform(0.5, 1.2)
    nail = np.clip(tone * rng.uniform(0.95, 1.12) + [0.04, 0.02, 0.03], 0, 1)
    nail = nail + (np.array([0.78, 0.58, 0.53]) - nail) * 0.45 * dark
    polish = rng.random() < 0.08
    if polish:
        nail = rng.random(3) ** np.array([0.6, 1.5, 1.3])
    look = {
        "skin": 1.0,
        "base": linear(tone),
        "second": linear(palm_tone),
        "nail_colour": linear(nail),
        "nail_polish": float(polish),
        "red_amount": rng.uniform(0.1, 1.1) * (1.15 - 0.7 * dark),
        "mottle": min(rng.exponential(0.12), 0.45),
        "grain": rng.uniform(0.0, 0.10),
        "bump": rng.uniform(0.1, 1.0),
        "crease_depth": rng.uniform(0.15, 0.8),
        "gloss": rng.uniform(8, 45),
        "specular": min(rng.exponential(0.12), 0.6),
        "wrap": rng.uniform(0.05, 0.35),
        "noise_seed": rng.uniform(0, 5, 3),
    }
    return Skin(tone, look)


def random_lights(rng: np.random.Generator) -> tuple[Lights, float]:
    """Up to three lights and the light of the room, and an exposure that roughly fits them."""
    directions, colours = [], []
    count = rng.choice([1, 2, 3], p=[0.3, 0.45, 0.25])
    ambient = rng.uniform(0.12, 0.75)
    for k in range(3):
        d = rng.normal(size=3)
        d[2] = -abs(d[2]) if rng.random() < 0.85 else d[2]  # mostly from the camera's side
        if k == 0 and rng.random() < 0.5:
            d[1] -= 1.0  # from above
        directions.append(d / np.linalg.norm(d))
        strength = (1.0 if k == 0 else rng.uniform(0.1, 0.6)) if k < count else 0.0
        warmth = rng.normal(0, 0.12)
        colours.append(strength * np.array([1 + warmth, 1.0, 1 - warmth]) * rng.lognormal(0, 0.03, 3))
    shining = np.array(colours) * (1.15 - ambient)
    tint = 1 + rng.normal(0, 0.06, 3)
    sky = ambient * tint * rng.uniform(0.9, 1.3)
    ground = ambient * rng.uniform(0.35, 1.0) * (1 + rng.normal(0, 0.08, 3))
    lights = Lights(
        np.array(directions),
        shining,
        sky,
        ground,
        0.0 if rng.random() < 0.3 else rng.uniform(0.3, 1.0),
        int(count),
    )
    facing = np.maximum(-np.array(directions)[:, 2], 0.15)
    level = float(shining.mean(axis=1) @ facing + 0.5 * (sky + ground).mean())
    return lights, float(np.clip(0.85 / level, 0.5, 2.2) * rng.lognormal(0, 0.25))


def plain_attributes(rest: np.ndarray, part: int) -> np.ndarray:
    """Attributes (n, len(ATTRIBUTES)) of vertices that are not hand."""
    attributes = np.zeros((len(rest), len(ATTRIBUTES)), np.float32)
    attributes[:, 0:3] = rest
    attributes[:, 3:6] = 9.0
    attributes[:, 6] = 1.0
    attributes[:, PART] = part
    return attributes


def hand_pieces(
    rng: np.random.Generator,
    surface: HandSurface,
    vertices: np.ndarray,
    frame: np.ndarray,
    skin: Skin,
    mirrored: bool = False,
    other: bool = False,
    sleeved: float = 0.5,
) -> list[Piece]:
    """The hand with forearm and perhaps a sleeve. vertices (V,3) posed, camera frame; frame rows: the posed
    hand's radial, along, palmar axes, camera frame. `mirrored`: the vertices are a left hand's; `other`: not
    the labelled hand; `sleeved`: the chance of a sleeve."""
    faces = surface.faces[:, ::-1] if mirrored else surface.faces
    normals = surface.normals(vertices) * (-1.0 if mirrored else 1.0)
    attributes = surface.attributes
    if other:
        attributes = attributes.copy()
        attributes[:, PART] = PART_OTHER
    arm = Arm(rng, surface, vertices, frame)
    pieces = []
    sleeve = rng.random() < sleeved
    start = rng.normal(0.02, 0.035) if rng.random() < 0.75 else rng.uniform(0.03, 0.2)
    start = max(start, -0.004)
    tube_vertices, tube_normals, tube_faces, tube_rest = arm.tube(0.0, arm.length, 0.0)
    # one surface: the seam's normals are shared
    ring = len(surface.loop)
    shared = normals[surface.loop] + tube_normals[:ring]
    shared /= np.maximum(np.linalg.norm(shared, axis=1, keepdims=True), 1e-9)
    normals[surface.loop] = shared
    tube_normals[:ring] = shared
    skin_rest = tube_rest + surface.attributes[surface.loop, :3].mean(axis=0)
    tube_attributes = plain_attributes(skin_rest, PART_OTHER if other else PART_FOREARM)
    rings = len(tube_vertices) // ring
    tube_attributes[:, 0:3] = surface.attributes[np.tile(surface.loop, rings), 0:3] + arm.shift(tube_rest)
    tube_attributes[:, ATTRIBUTES.index("palmar")] = np.tile(
        surface.attributes[surface.loop, ATTRIBUTES.index("palmar")], rings
    )
    pieces.append(Piece(vertices, normals, faces, attributes, skin.look))
    pieces.append(Piece(tube_vertices, tube_normals, tube_faces, tube_attributes, skin.look))
    if sleeve:
        look = cloth(rng)
        thick = rng.uniform(0.002, 0.012)
        v, n, f, r = arm.tube(start, arm.length, thick, wrinkle=rng.uniform(0, 0.004), rng=rng)
        pieces.append(Piece(v, n, f, plain_attributes(r, PART_OTHER if other else PART_SLEEVE), look))
        if rng.random() < 0.4:  # a cuff
            v, n, f, r = arm.tube(start, start + rng.uniform(0.01, 0.06), thick + 0.0015)
            pieces.append(
                Piece(
                    v,
                    n,
                    f,
                    plain_attributes(r, PART_OTHER if other else PART_SLEEVE),
                    cloth(rng) if rng.random() < 0.3 else look,
                )
            )
    elif rng.random() < 0.12:  # a watch or a bracelet
        where = rng.uniform(0.0, 0.04)
        v, n, f, r = arm.tube(where, where + rng.uniform(0.004, 0.025), rng.uniform(0.001, 0.003))
        look = cloth(rng)
        look.update(gloss=40.0, specular=rng.uniform(0, 0.8), bump=0.1)
        pieces.append(Piece(v, n, f, plain_attributes(r, PART_OTHER if other else PART_SLEEVE), look))
    return pieces


def cloth(rng: np.random.Generator) -> dict:
    """Look of a cloth or a painted thing: two colours and a pattern."""

    def colour() -> np.ndarray:
        value = rng.beta(1.1, 1.3)
        return np.clip(value * (1 + rng.normal(0, 0.25, 3) * (rng.random() < 0.7)), 0.01, 0.97)

    return {
        "skin": 0.0,
        "base": linear(colour()),
        "second": linear(colour()),
        "pattern": float(rng.choice([0, 1, 2, 3, 4], p=[0.6, 0.1, 0.1, 0.05, 0.15])),
        "pattern_scale": float(np.exp(rng.uniform(np.log(25), np.log(200)))),
        "mottle": rng.uniform(0, 0.3),
        "grain": rng.uniform(0, 0.12),
        "bump": rng.uniform(0, 1.5),
        "gloss": rng.uniform(5, 60),
        "specular": min(rng.exponential(0.08), 0.7),
        "wrap": rng.uniform(0, 0.2),
        "noise_seed": rng.uniform(0, 5, 3),
    }


def solid_piece(rng: np.random.Generator, solid: Solid) -> Piece:
    """A solid in the camera frame with a random look."""
    vertices, normals, faces, local = solid.mesh()
    return Piece(vertices, normals, faces, plain_attributes(local, PART_OBJECT), cloth(rng))


def stray_solid(rng: np.random.Generator, joints: np.ndarray) -> Solid:
    """Something between the camera and a part of the hand, or just beside or behind it; joints (21,3) camera
    frame."""
    target = joints[rng.integers(21)] + rng.normal(0, 0.03, 3)
    in_front = rng.random() < 0.6
    toward = rng.uniform(0.035, 0.12) if in_front else -rng.uniform(0.05, 0.2)
    centre = target - toward * target / np.linalg.norm(target)
    solid = random_solid(rng, centre, rng.uniform(0.012, 0.04) if in_front else rng.uniform(0.02, 0.09))
    return solid


def stick(rng: np.random.Generator, joints: np.ndarray) -> Solid:
    """A pen or a stick between thumb and index tip; joints (21,3)."""
    grip = 0.5 * (joints[4] + joints[8])
    across = joints[4] - joints[8]
    across /= max(np.linalg.norm(across), 1e-9)
    axis = np.cross(across, rng.normal(size=3))
    axis /= np.linalg.norm(axis)
    axes = random_axes(rng)
    axes[0] = axis
    axes[1] = across
    axes[2] = np.cross(axis, across)
    half, radius = rng.uniform(0.04, 0.09), rng.uniform(0.0025, 0.005)
    return Solid("cylinder", grip + axis * rng.uniform(-0.7, 0.7) * half, axes, np.array([half, radius, radius]))


def other_hand(
    rng: np.random.Generator, vertices: np.ndarray, frame: np.ndarray, joints: np.ndarray, half_width: float
) -> tuple[np.ndarray, np.ndarray, bool]:
    """A second hand near the first: posed vertices (V,3) with the wrist at the origin -> camera frame.

    joints (21,3) of the labelled hand, camera frame; half_width: half of the crop at the hand's distance, m.
    Returns vertices, the second hand's frame rows, and whether it is mirrored (a left hand).
    """
    mirrored = rng.random() < 0.75
    if mirrored:
        vertices = vertices * (-1.0, 1.0, 1.0)
        frame = frame * (-1.0, 1.0, 1.0)
    rotation = random_turn(rng)
    vertices, frame = vertices @ rotation.T, frame @ rotation.T
    middle = joints.mean(axis=0)
    angle = rng.uniform(0, 2 * np.pi)
    reach = half_width * rng.uniform(0.55, 1.35)
    offset = np.array([np.cos(angle) * reach, np.sin(angle) * reach, 0.0])
    offset[2] = (
        rng.choice([-1, 1], p=[0.35, 0.65]) * rng.uniform(0.07, 0.2) if reach < half_width else rng.normal(0, 0.05)
    )
    centre = vertices.mean(axis=0)
    moved = vertices - centre + middle + offset
    nearest = moved[:, 2].min()
    if nearest < 0.1:
        moved[:, 2] += 0.1 - nearest
    return moved, frame, mirrored
