"""What `propose --quick` saves and costs, beside the full search, in one interleaved run.

    python benchmarks/quick.py [FOLDER ...] [--threads 1] [--rounds 3] [--most 100]

On the sample photos and those of the folders. CPU milliseconds a photo are of the process, medians over rounds. A hand
of the full search is found again if a hand of the same side lies within a fifth of its crop of it; `mesh moved` is the
mean distance of vertices, centres laid on each other.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from annotator.sample_data import photos
from tables import markdown

import annotator
from annotator.vision.photos import read_photo

NEAR = 0.2  # of the crop


def found_again(hand, others):
    """The hand that is `hand` again, or None."""
    apart = [
        (np.linalg.norm(o.keypoints - hand.keypoints, axis=1).mean() / hand.crop_size, k)
        for k, o in enumerate(others)
        if o.side == hand.side
    ]
    return others[min(apart)[1]] if apart and min(apart)[0] < NEAR else None


def moved_mm(hand, other) -> float:
    first, second = (one.vertices - one.vertices.mean(0) for one in (hand, other))
    return 1000 * float(np.linalg.norm(first - second, axis=1).mean())


def compared(name: str, pictures: list[np.ndarray], models: dict, rounds: int) -> list[str]:
    times, answers = {"full": [], "quick": []}, {}
    for _ in range(rounds):
        for way, model in models.items():
            start = time.process_time()
            answers[way] = list(model.propose_many(pictures))
            times[way].append(1000 * (time.process_time() - start) / len(pictures))
    full, quick = (statistics.median(times[way]) for way in ("full", "quick"))
    pairs = [
        (hand, found_again(hand, others))
        for hands, others in zip(answers["full"], answers["quick"], strict=True)
        for hand in hands
    ]
    moved = [moved_mm(hand, other) for hand, other in pairs if other is not None]
    hands = sum(map(len, answers["quick"]))
    return [
        name,
        len(pictures),
        f"{full:.0f}",
        f"{quick:.0f}",
        f"{full / quick:.1f} x",
        len(pairs),
        len(moved),
        hands - len(moved),
        ", ".join(f"{v:.1f}" for v in np.percentile(moved, (50, 95, 100))),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    models = {way: annotator.load_model(device="cpu", quick=way == "quick") for way in ("full", "quick")}
    sets = {"sample photos": photos()}
    for folder in arguments.folders:
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        sets[folder.name] = files[:: max(1, len(files) // arguments.most)][: arguments.most]
    rows = [
        compared(name, [read_photo(path) for path in files], models, arguments.rounds) for name, files in sets.items()
    ]
    head = [
        "photos",
        "n",
        "full, ms",
        "quick, ms",
        "faster",
        "hands, full",
        "found again",
        "others",
        "mesh moved, mm: median, 95 %, most",
    ]
    print(markdown(head, rows))


if __name__ == "__main__":
    main()
