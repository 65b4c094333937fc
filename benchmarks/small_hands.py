"""Which hands are found, by their size: two photos' hands, each shrunk anew, side by side on a large plain picture.

    python benchmarks/small_hands.py FOLDER [FOLDER ...] [--count 200] [--seed 11]

Photos in which the full search finds exactly one sure hand are cut round it. A hand counts as found where an answer
lies within a quarter of its crop and has its size within a factor of two; every other answer is no hand. The full
search and `--quick`; sizes are those of crops, about twice a palm.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tables import markdown

import annotator
from annotator.vision.photos import read_photo

SIZES = ((1280, 960), (1920, 1080), (960, 720), (640, 480))
BINS = (60, 80, 100, 130, 200, 400, 1000)


def sources(model, folders: list[Path], most: int = 120) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Photos with one sure hand, the middle of its crop, and its size."""
    files = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    found = []
    for file in files[:: max(1, len(files) // most)]:
        photo = read_photo(file)
        hands = [hand for hand in model.propose(photo) if hand.confidence > 0.6]
        if len(hands) == 1:
            found.append((photo, hands[0].crop_center, hands[0].crop_size))
    return found


def pasted(
    rng: np.random.Generator, photos: list, size: tuple[int, int]
) -> tuple[np.ndarray, list[tuple[float, float, float]]]:
    """A picture of two hands, left and right, and where they are: x, y, size in px."""
    width, height = size
    picture = np.full((height, width, 3), rng.integers(60, 200, 3), np.uint8)
    larger = rng.uniform(0.1, 0.5)
    smaller = max(larger * rng.uniform(0.2, 1.0), BINS[0] / width)
    truth = []
    for number, share, left in zip(
        rng.choice(len(photos), 2, replace=False), (larger, smaller), (0, width // 2), strict=True
    ):
        photo, middle, crop = photos[number]
        scale, right = share * width / crop, left + width // 2
        shape = (max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
        small = np.asarray(Image.fromarray(photo).resize(shape, Image.Resampling.LANCZOS))
        x = (left + right) / 2 + rng.uniform(-0.08, 0.08) * width
        y = height / 2 + rng.uniform(-0.15, 0.15) * height
        x0, y0 = round(x - middle[0] * scale), round(y - middle[1] * scale)
        rows, columns = slice(max(0, y0), min(height, y0 + shape[1])), slice(max(left, x0), min(right, x0 + shape[0]))
        picture[rows, columns] = small[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0]
        truth.append((x, y, share * width))
    return picture, truth


def is_found(hand: tuple[float, float, float], answers: list) -> bool:
    x, y, size = hand
    near = (
        np.hypot(a.crop_center[0] - x, a.crop_center[1] - y) < 0.25 * size and 0.5 < a.crop_size / size < 2
        for a in answers
    )
    return any(near)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    models = {"full": annotator.load_model(device="cpu"), "--quick": annotator.load_model(device="cpu", quick=True)}
    photos, rng = sources(models["full"], arguments.folders), np.random.default_rng(arguments.seed)
    made = [pasted(rng, photos, SIZES[k % len(SIZES)]) for k in range(arguments.count)]
    sizes = np.array([size for _, truth in made for *_, size in truth])
    rows = []
    for name, model in models.items():
        answers = list(model.propose_many([picture for picture, _ in made]))
        hits = np.array([is_found(hand, own) for (_, truth), own in zip(made, answers, strict=True) for hand in truth])
        by_size = [hits[(sizes >= low) & (sizes < high)] for low, high in zip(BINS, BINS[1:], strict=False)]
        rows.append(
            [
                name,
                f"{hits.mean():.1%}",
                *(f"{some.mean():.0%} of {len(some)}" if len(some) else "" for some in by_size),
                sum(map(len, answers)) - hits.sum(),
            ]
        )
    print(f"{arguments.count} pictures, {len(sizes)} hands of {len(photos)} photos, seed {arguments.seed}\n")
    print(
        markdown(
            [
                "search",
                "found",
                *(f"{low} to {high} px" for low, high in zip(BINS, BINS[1:], strict=False)),
                "no hands",
            ],
            rows,
        )
    )


if __name__ == "__main__":
    main()
