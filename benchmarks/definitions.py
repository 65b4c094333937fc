"""What it is worth to learn how a labeller means the joints.

    python benchmarks/definitions.py DATA/real/two-cameras [--print] [--corrections]

Real: the two-camera video, whose joints are triangulated from MediaPipe's landmarks: another definition than ours, on
a hand of another shape. It is learned on the frames of the training part and scored on the held-out quarter, from 2-D
labels, from 3-D labels, and from few hands. --print: the offsets as they stand in `annotator.hand.definitions` for
MediaPipe.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tables import interval, markdown

import annotator
import annotator.hand.definitions
from annotator.evaluation.metrics import point_errors
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.samples import MEAN_PALM
from annotator.vision.crops import box_round

BLOCK = 30
COUNTS = (0, 1, 2, 4, 8, 21)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--print", action="store_true", dest="shown")
    options = parser.parse_args()
    model = annotator.load_model(options.model)
    photos = KeypointPhotos(options.table, held=None, jitter=False)
    table = photos.table
    size = MEAN_PALM / np.median(np.linalg.norm(table.joints[:, 9] - table.joints[:, 0], axis=-1))
    hands = [
        model.propose(photos.photo(k), [box_round(table.keypoints[k])], [str(table.side[k])], table.K[k])[0]
        for k in range(len(photos))
    ]
    held, taught = np.flatnonzero(table.held), np.flatnonzero(~table.held)
    if options.shown:
        found = annotator.learn_definition([hands[k] for k in taught], table.keypoints[taught], table.joints[taught])
        print(repr(np.round(1000 * found.offsets, 1).tolist()))
        return

    def learned(rows, joints: bool):
        labels = table.joints[rows] if joints else None
        return annotator.learn_definition([hands[k] for k in rows], table.keypoints[rows], labels)

    few = np.random.default_rng(0).permutation(taught)
    ways = {
        "none": None,
        "learned from 10 hands, 2-D": learned(few[:10], False),
        "learned from 60 hands, 2-D": learned(few[:60], False),
        "learned from all, 2-D": learned(taught, False),
        "learned from 60 hands, 3-D": learned(few[:60], True),
        "learned from all, 3-D": learned(taught, True),
        "mediapipe, as shipped": annotator.hand.definitions.MEDIAPIPE,
    }
    rows, blocks = [], table.group[held].astype(int) // BLOCK
    for name, definition in ways.items():
        errors = {count: [] for count in COUNTS}
        for k in held:
            given: dict[int, tuple[float, float]] = {}
            now = hands[k]
            for count in range(22):
                if count in COUNTS:
                    now = model.refine(hands[k], given, definition=definition) if given else hands[k]
                    joints = definition.joints(now) if definition is not None else now.joints
                    errors[count].append(1000 * float(point_errors(joints, table.joints[k] * size).mean()))
                seen = definition.keypoints(now) if definition is not None else now.keypoints
                off = np.linalg.norm(seen - table.keypoints[k], axis=1)
                off[list(given)] = -1
                worst = int(off.argmax())
                given[worst] = tuple(table.keypoints[k][worst])
        cells = [interval(np.array(errors[0]), blocks), *(f"{np.mean(errors[c]):.2f}" for c in COUNTS[1:])]
        rows.append([name, *cells])
    print(f"n = {len(held)} photos, {len(np.unique(blocks))} blocks of {BLOCK} frames; PA-MPJPE mm, k true keypoints\n")
    print(markdown(["definition", *(str(c) for c in COUNTS)], rows))


if __name__ == "__main__":
    main()
