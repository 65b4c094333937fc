"""Memory over a day, shortened: many corrections and proposals in one process, as a window that stays open makes them.

    python benchmarks/memory.py [--refines 2000] [--proposals 300]

After a tenth of each (caches fill) the process's resident memory is taken, and again at the end. Prints one JSON
object; exit code 1 if either grew by 50 MB or more.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import psutil

from annotator import sample_data
from annotator.model import load_model
from annotator.vision.photos import read_photo

MOST = 50.0  # MB
KEPT = 20  # corrections after which a hand is begun anew, as people do


def grown(count: int, work: Callable[[int], None]) -> dict:
    """What `work` for 0..count-1 leaves in memory, from a tenth of it on."""
    process, began = psutil.Process(), time.perf_counter()
    levels = []
    for number in range(count):
        work(number)
        if number + 1 == max(1, count // 10) or number + 1 == count or (number + 1) % max(1, count // 10) == 0:
            gc.collect()
            levels.append(process.memory_info().rss / 1e6)
    return {"count": count, "first_mb": round(levels[0]), "last_mb": round(levels[-1]), "most_mb": round(max(levels)),
            "grown_mb": round(levels[-1] - levels[0], 1), "seconds": round(time.perf_counter() - began, 1)}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--refines", type=int, default=2000)
    parser.add_argument("--proposals", type=int, default=300)
    given = parser.parse_args()
    model, draw = load_model(device="cpu"), np.random.default_rng(0)
    photos = sample_data.photos()
    first = next(hands for path in photos if (hands := model.propose(read_photo(path))))[0]
    hand = [first]

    def refine(number: int) -> None:
        if number % KEPT == 0:
            hand[0] = first
        joint = int(draw.integers(21))
        reach = 0.05 * first.crop_size
        hand[0] = model.refine(hand[0], {joint: tuple(first.keypoints[joint] + draw.uniform(-reach, reach, 2))})

    def propose(number: int) -> None:
        photo = read_photo(photos[number % len(photos)])
        turned = np.rot90(photo, draw.integers(4)) if number >= len(photos) else photo
        model.propose(np.ascontiguousarray(turned))

    found = {"refines": grown(given.refines, refine), "proposals": grown(given.proposals, propose)}
    print(json.dumps(found))
    return 1 if any(one["grown_mb"] >= MOST for one in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
