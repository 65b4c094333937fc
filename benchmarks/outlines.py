"""Does the mesh fill its hand? Photos of digits on plain backgrounds, the hand cut out of each in two ways.

    python benchmarks/outlines.py SOURCES/sign-language-digits/Dataset [--digits 13579] [--each 12] [--model CHECKPOINT]
        [--unfilled]

- flat: the hand is what is unlike the border's median colour, as in `sign_truth.py`. Where the light falls off toward
  the border, background between the fingers is taken for hand.
- smooth: the background's colour is a smooth surface (a cubic of the place), fitted away from the mesh; the hand is the
  part unlike it that the mesh lies on.

Above the wrist (15 % of the palm's length beyond it): intersection over union, share of the hand bare, share of mesh
outside; medians and means over photos. Then where bare and outside are, by the nearest vertex, in % of the hand (means,
smooth). --digits: which; filling was tuned on 02468. --unfilled: the network's answer before its surface fills the
outline that it saw.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, label
from scipy.spatial import cKDTree
from sign_truth import SIZE, cut_out, enlarged, scores
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu
from tables import markdown

import annotator
from annotator.hand.joints import KEYPOINT_OF_MANO, TIPS
from annotator.hand.mesh import HandMesh
from annotator.vision.photos import read_photo

FAR, NEAR = 14, 40  # px from the mesh: background beyond the one, the hand's surroundings up to the other
WEIGHT = np.array([0.5, 1.0, 1.0])  # of lightness and colour
PLACES = (
    "thumb's ball and edge",
    "little finger's edge",
    "heel",
    "rest of the palm",
    "fingers' sides",
    "last bones' sides",
    "beyond the tips",
)


def smooth_cut_out(photo: np.ndarray, mesh: np.ndarray, above: np.ndarray) -> np.ndarray:
    """(H, W) bool: the part unlike a smooth background that the mesh lies on."""
    lab = gaussian_filter(rgb2lab(photo), (1, 1, 0))
    rows, columns = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    terms = np.stack([columns**a * rows**b for a in range(4) for b in range(4 - a)], axis=-1).reshape(SIZE * SIZE, -1)
    colours = lab.reshape(-1, 3)
    away = distance_transform_edt(~mesh)
    known = np.flatnonzero(((away > FAR) & above).ravel())[::7]
    trust = np.ones(len(known))
    for _ in range(6):  # whatever else is in the picture loses its say
        fitted = np.linalg.lstsq(terms[known] * trust[:, None], colours[known] * trust[:, None], rcond=None)[0]
        error = np.linalg.norm((colours[known] - terms[known] @ fitted) * WEIGHT, axis=1)
        trust = 1 / (1 + (error / (3 * np.median(error) + 0.6)) ** 2)
    unlike = np.linalg.norm((colours - terms @ fitted) * WEIGHT, axis=1).reshape(SIZE, SIZE)
    inside = distance_transform_edt(mesh) > 6
    typical = np.median(unlike[inside & above])
    limit = min(threshold_otsu(np.minimum(unlike[(away < NEAR) & above], 1.5 * typical)), 0.6 * typical)
    parts, _ = label(unlike > limit)
    return parts == 1 + np.argmax(np.bincount(parts[inside], minlength=2)[1:])


def by_place(pixels: np.ndarray, image: np.ndarray, points: np.ndarray, bone: np.ndarray, side: np.ndarray):
    """How many of `pixels` (N, 2: row, column) are at each of `PLACES`. image (V, 2), points (21, 2) px; bone (V,) MANO
    joint; side (V,): where a vertex is across the palm, little finger -1, index 1."""
    counts = np.zeros(len(PLACES))
    if not len(pixels):
        return counts
    at = pixels[:, ::-1].astype(float)
    nearest = cKDTree(image).query(at)[1]
    axis = points[9] - points[0]
    along = (at - points[0]) @ axis / (axis @ axis)
    for place, vertex, height in zip(at, nearest, along, strict=True):
        own = int(bone[vertex])
        if own in (0, KEYPOINT_OF_MANO.index(1)):
            counts[2 if height < 0.25 else 0 if side[vertex] > 0.5 or own else 1 if side[vertex] < -0.5 else 3] += 1
            continue
        tip = KEYPOINT_OF_MANO[own] + 1
        if tip not in TIPS:
            counts[4] += 1
        else:
            counts[6 if (place - points[tip]) @ (points[tip] - points[tip - 1]) > 0 else 5] += 1
    return counts


def measured(photo: np.ndarray, hand: HandMesh, scale: float, bone: np.ndarray, side: np.ndarray) -> dict:
    """Scores by cut-out, and where what is bare and outside lies, as shares of the hand."""
    large, image, mesh, above, points = enlarged(photo, hand, scale)
    smooth = smooth_cut_out(large, mesh, above) & above
    found = {"flat": scores(cut_out(large) & above, mesh), "smooth": scores(smooth, mesh)}
    if found["smooth"] is not None:
        for name, pixels in (("bare", smooth & ~mesh), ("outside", mesh & ~smooth)):
            found[name] = by_place(np.argwhere(pixels), image, points, bone, side) / smooth.sum()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--digits", default="13579")
    parser.add_argument("--each", type=int, default=12)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--unfilled", action="store_true")
    options = parser.parse_args()
    model = annotator.load_model(options.model)
    if options.unfilled:
        model.records.filling = lambda placed, *_: placed
    bone, rest = model.hand.weights.argmax(1), model.hand.template
    joints = model.hand.joints(rest)
    across = joints[5] - joints[17]
    side = 2 * (rest - 0.5 * (joints[5] + joints[17])) @ across / (across @ across)
    found = []
    for digit in options.digits:
        files = sorted((options.folder / digit).glob("*.JPG"))
        for file in files[:: max(1, len(files) // options.each)][: options.each]:
            photo = read_photo(file)
            hands = model.propose(photo)
            if len(hands) == 1:
                found.append(measured(photo, hands[0], SIZE / photo.shape[0], bone, side))
    rows = []
    for name in ("flat", "smooth"):
        each = np.array([one[name] for one in found if one[name] is not None])
        middle, mean = np.median(each, axis=0), each.mean(0)
        shares = [f"{100 * a:.1f} ({100 * b:.1f})" for a, b in zip(middle[1:], mean[1:], strict=True)]
        rows.append([name, len(each), f"{middle[0]:.3f} ({mean[0]:.3f})", *shares])
    print(markdown(["cut-out", "n", "IoU: median (mean)", "hand bare, %", "mesh outside, %"], rows))
    shares = 100 * np.mean([[one["bare"], one["outside"]] for one in found if "bare" in one], axis=0)
    places = [[name, f"{bare:.2f}", f"{outside:.2f}"] for name, bare, outside in zip(PLACES, *shares, strict=True)]
    print("\n" + markdown(["where", "bare, %", "outside, %"], places))


if __name__ == "__main__":
    main()
