"""Which hands of whole rendered scenes are found, by kind of scene: 1,000 of them, always the same.

    python benchmarks/scenes.py [--count 1000] [--seed 2026] [--quick] [--pictures FOLDER]

Kinds: plain (bare hands), object (hands round or behind things), glove, touching (two hands on each other), small (24
to 60 px), cut (by the photo's border). An answer is a hand's where the boxes round their keypoints overlap by 0.3
(intersection over union), one to one. Of a hand less than `SHOWN` of which is seen, behind a thing, the other hand or
the border, no answer is asked, and one is not held to be false. --pictures: the scenes with what was found, as PNG.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from tables import markdown

import annotator
from annotator.synthetic.whole.cutouts import Cutout, Wanted, Workshop
from annotator.synthetic.whole.photos import backdrop, developed, extent, lay, placed
from annotator.vision.boxes import bounds, overlap

SIZES = ((640, 480), (960, 720), (720, 960), (1280, 960))
OVERLAP = 0.3
SHOWN = 0.35
RENDER = 448  # px of a cutout
KINDS = {
    "plain": Wanted(),
    "object": Wanted(held=1.0),
    "glove": Wanted(glove=1.0),
    "touching": Wanted(touching=1.0),
    "small": Wanted(),
    "cut": Wanted(),
}


@dataclass(frozen=True, eq=False)
class Scene:
    """photo (H, W, 3) uint8; keypoints (N, 21, 2) px; right (N,); asked (N,): whether each hand has to be found."""

    kind: str
    photo: np.ndarray
    keypoints: np.ndarray
    right: np.ndarray
    asked: np.ndarray


def scene(rng: np.random.Generator, kind: str, cutouts: list[Cutout]) -> Scene:
    """A photo of these cutouts, side by side."""
    width, height = SIZES[rng.integers(len(SIZES))]
    picture = backdrop(rng, width, height)
    keypoints, right, shown = [], [], []
    room = width / len(cutouts)
    for number, cutout in enumerate(cutouts):
        pixels = rng.uniform(24, 60) if kind == "small" else np.exp(rng.uniform(np.log(0.15), np.log(0.6))) * room
        pixels = min(pixels, 0.6 * height)
        x = (number + rng.uniform(0.35, 0.65)) * room
        y = height * rng.uniform(0.3, 0.7)
        if kind == "cut":
            beyond = rng.uniform(-0.05, 0.35) * pixels
            edge = rng.integers(3)
            x = (beyond if number == 0 else width - beyond) if edge == 0 else x
            y = (beyond, height - beyond)[edge - 1] if edge else y
        place = placed(rng, cutout, pixels, (x, y))
        lay(picture, cutout.colour, cutout.cover, place)
        points = place.points(cutout.keypoints)
        inside = ((points > 0) & (points < (width - 1, height - 1))).all(-1).mean(-1)
        keypoints.append(points)
        right.append(cutout.right)
        shown.append(np.minimum(cutout.shown, np.where(inside < 0.5, 0.0, inside)))
    every = np.concatenate(shown)
    return Scene(kind, developed(rng, picture), np.concatenate(keypoints), np.concatenate(right), every >= SHOWN)


def scenes(count: int, seed: int) -> list[Scene]:
    """As many of each kind."""
    workshop, made = Workshop(RENDER), []
    for number, (kind, wanted) in enumerate(KINDS.items()):
        own = count // len(KINDS) + (number < count % len(KINDS))
        rng = np.random.default_rng([seed, number])
        many = rng.choice([1, 2, 3], own, p=[0.4, 0.4, 0.2]) if kind == "small" else rng.choice([1, 2], own)
        if kind == "touching":
            many[:] = 1
        cutouts = (one for one in workshop.cutouts(2 * int(many.sum()), seed * 10 + number, wanted) if extent(one) > 20)
        for each in many:
            made.append(scene(rng, kind, [next(cutouts) for _ in range(each)]))
    return made


def score(one: Scene, answers: list) -> tuple[list[bool], list[bool], int, int]:
    """Whether each hand asked for is found, whether each found one's side is right, answers at hands, false ones."""
    boxes = [bounds(points) for points in one.keypoints]
    left = set(range(len(boxes)))
    sides, false, hits = [], 0, set()
    for hand in sorted(answers, key=lambda hand: -hand.confidence):
        shares = {k: float(overlap(bounds(hand.keypoints), boxes[k][None])[0]) for k in left}
        best = max(shares, key=lambda k: shares[k], default=None)
        if best is None or shares[best] < OVERLAP:
            false += 1
            continue
        left.discard(best)
        hits.add(best)
        if one.asked[best]:
            sides.append((hand.side == "right") == bool(one.right[best]))
    return [k in hits for k in np.flatnonzero(one.asked)], sides, len(hits), false


def drawn(one: Scene, answers: list) -> Image.Image:
    """The scene; hands asked for green, others grey, answers red."""
    image = Image.fromarray(one.photo)
    draw = ImageDraw.Draw(image)
    for points, asked in zip(one.keypoints, one.asked, strict=True):
        draw.rectangle([float(v) for v in bounds(points)], outline=(0, 255, 0) if asked else (128, 128, 128), width=2)
    for hand in answers:
        draw.rectangle([float(v) for v in bounds(hand.keypoints)], outline=(255, 0, 0), width=2)
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--quick", action="store_true", help="the quick search")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = annotator.load_model(device="cpu", quick=options.quick)
    made = scenes(options.count, options.seed)
    answers = [model.propose(one.photo) for one in made]
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        for number, (one, own) in enumerate(zip(made, answers, strict=True)):
            drawn(one, own).save(options.pictures / f"{number:04d}-{one.kind}.png")
    rows = []
    for kind in [*KINDS, "all"]:
        told = [score(one, own) for one, own in zip(made, answers, strict=True) if kind in (one.kind, "all")]
        found, sides = ([value for one in told for value in one[k]] for k in (0, 1))
        hits, false = (sum(one[k] for one in told) for k in (2, 3))
        precision = hits / max(hits + false, 1)
        shares = [f"{np.mean(found):.1%}", f"{np.mean(sides):.1%}" if sides else "-", f"{precision:.1%}"]
        rows.append([kind, len(told), len(found), *shares, false])
    print(f"seed {options.seed}{', quick' if options.quick else ''}\n")
    print(markdown(["kind", "scenes", "hands", "found", "side", "precision", "false"], rows))


if __name__ == "__main__":
    main()
