"""What a sign and a plain background say of the mesh: truth on real photos that no network made.

    python benchmarks/sign_truth.py DATA/raw/digits [--model CHECKPOINT] [--all]

A digit's sign says which fingers are straight and which fingertip the thumb's tip is on; what is unlike the background
is the hand. Photos are those of the digits' table that training holds out (--all: every one), their files named
`digit-DIGIT-...`.

- straight or bent: the sum of a finger's three bends is below 100 degrees, or not.
- tips that touch: distance of the two tips' joints, and of the nearest vertices of the two last bones. The joints are
  at the fingers' ends: pads that touch leave them about 14 mm apart on rendered pinches.
- outline: mesh and hand above the wrist (15 % of the palm's length beyond it): intersection over union, the share of
  the hand that no mesh covers, the share of mesh outside. Photos whose cut-out fails (shadows) are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, label
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu
from tables import interval, markdown

import annotator
from annotator.hand.joints import KEYPOINT_OF_MANO, TIPS
from annotator.hand.mesh import HandMesh
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.real_sets.contacts import TOUCHED, digit_of
from annotator.vision.drawing.raster import rasterise

STRAIGHT = {1: (1,), 2: (1, 2), 3: (1, 2), 4: (1, 2, 3, 4), 5: (1, 2, 3, 4), 6: (1, 2, 3), 7: (1, 2, 4), 8: (1, 3, 4),
            9: (2, 3, 4)}  # fmt: skip  # digit -> fingers but the thumb
BENT = 100.0  # degrees
SIZE = 400  # px, the photos' sides when outlines are compared
LEAST = 4000, 0.5  # px of hand, overlap: below these the cut-out failed


def bend(joints: np.ndarray, finger: int) -> float:
    """Degrees by which a finger (1..4) bends from the palm to its tip."""
    chain = joints[[0, *range(1 + 4 * finger, 5 + 4 * finger)]]
    bones = np.diff(chain, axis=0)
    bones /= np.linalg.norm(bones, axis=1, keepdims=True)
    return float(np.degrees(np.arccos(np.clip((bones[1:] * bones[:-1]).sum(1), -1, 1))).sum())


def apart(hand: HandMesh, tips: tuple[int, int], bone: np.ndarray) -> tuple[float, float]:
    """mm between two tips' joints, and between the skin of the two last bones. bone (V,): each vertex' MANO joint."""
    a, b = hand.joints[list(tips)]
    first, second = (hand.vertices[bone == KEYPOINT_OF_MANO.index(tip - 1)] for tip in tips)
    return 1000 * float(np.linalg.norm(a - b)), 1000 * float(np.linalg.norm(first[:, None] - second, axis=-1).min())


def cut_out(photo: np.ndarray) -> np.ndarray:
    """(H, W) bool: the largest part of a photo that is unlike its upper border."""
    lab = rgb2lab(photo)
    border = np.concatenate([lab[:3].reshape(-1, 3), lab[:40, :3].reshape(-1, 3), lab[:40, -3:].reshape(-1, 3)])
    unlike = gaussian_filter(np.linalg.norm((lab - np.median(border, axis=0)) * (0.5, 1, 1), axis=2), 1)
    parts, _ = label(unlike > threshold_otsu(unlike))
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])


def enlarged(
    photo: np.ndarray, hand: HandMesh, scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A photo (H, W, 3) at SIZE px, and what a hand proposed in it is there: its vertices (V, 2) px, its mesh and what
    is above its wrist, both (SIZE, SIZE) bool, its keypoints (21, 2) px. scale: SIZE over the photo's side."""
    large = np.asarray(Image.fromarray(photo).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
    K = np.array(hand.camera)
    K[:2] *= scale
    K[:2, 2] += (scale - 1) / 2
    image = hand.vertices @ K.T
    image = image[:, :2] / image[:, 2:]
    drawn = rasterise(image, hand.vertices[:, 2], hand.faces, SIZE, SIZE)
    mesh = np.zeros((SIZE, SIZE), bool)
    mesh[drawn.rows, drawn.columns] = True
    points = scale * (hand.keypoints + 0.5) - 0.5
    axis = points[9] - points[0]
    rows, columns = np.mgrid[:SIZE, :SIZE]
    above = (columns - points[0, 0]) * axis[0] + (rows - points[0, 1]) * axis[1] > 0.15 * (axis @ axis)
    return large, image, mesh & above, above, points


def scores(seen: np.ndarray, mesh: np.ndarray) -> tuple[float, float, float] | None:
    """Overlap, share bare, share outside; None where the cut-out failed."""
    overlap = (seen & mesh).sum() / max((seen | mesh).sum(), 1)
    if seen.sum() < LEAST[0] or overlap < LEAST[1]:
        return None
    return float(overlap), float((seen & ~mesh).sum() / seen.sum()), float((mesh & ~seen).sum() / seen.sum())


def outline(photo: np.ndarray, hand: HandMesh, scale: float) -> tuple[float, float, float] | None:
    """`scores` of a hand proposed in the photo before it was enlarged by `scale`."""
    large, _, mesh, above, _ = enlarged(photo, hand, scale)
    return scores(cut_out(large) & above, mesh)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    model = annotator.load_model(options.model)
    photos = KeypointPhotos(options.table, held=None if options.all else True, jitter=False)
    bone = model.hand.weights.argmax(1)
    right, outlines = [], []
    touching: dict[int, list[tuple[float, float]]] = {digit: [] for digit in TOUCHED}
    for k in range(len(photos)):
        photo, digit = photos.photo(k), digit_of(str(photos.table.photo[k]))
        hands = model.propose(photo)
        if not hands:
            continue
        hand = max(hands, key=lambda one: one.crop_size)
        if digit in STRAIGHT:
            right += [(bend(hand.joints, finger) < BENT) == (finger in STRAIGHT[digit]) for finger in range(1, 5)]
        if digit in TOUCHED:
            touching[digit].append(apart(hand, (TIPS[0], TOUCHED[digit]), bone))
        if photo.shape[0] == photo.shape[1]:
            found = outline(photo, hand, SIZE / photo.shape[0])
            outlines += [found] if found else []
    print(f"n = {len(photos)} photos; straight or bent right: {100 * np.mean(right):.2f} % of {len(right)} fingers\n")
    rows = []
    for name, pairs in [
        *((str(digit), pairs) for digit, pairs in touching.items()),
        ("all", sum(touching.values(), [])),
    ]:
        joints, gaps = np.array(pairs).T
        rows.append(
            [
                name,
                len(pairs),
                f"{np.median(joints):.1f}",
                f"{np.median(gaps):.1f}",
                f"{100 * np.mean(gaps > 8):.1f}",
            ]
        )
    print(markdown(["tips that touch in", "n", "joints apart, mm (median)", "skin apart, mm", "over 8 mm, %"], rows))
    overlap, bare, outside = np.array(outlines).T
    rows = [[len(overlap), interval(overlap, digits=3), interval(bare, factor=100), interval(outside, factor=100)]]
    print("\n" + markdown(["outlines", "IoU", "hand bare, %", "mesh outside, %"], rows))


if __name__ == "__main__":
    main()
