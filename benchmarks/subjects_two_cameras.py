"""A real hand: its shape from labelled frames, and what that is worth on frames that nobody labelled.

    python benchmarks/subjects_two_cameras.py DATA/real/two-cameras [--labelled 30]

The two-camera video (`python -m annotator.learning.real_sets`), one hand; joints triangulated from MediaPipe's
landmarks, so labels and truth share a definition that is not ours: each row says how labels are read. 2-D labels of
`labelled` frames of the training part give the shape; proposals on the held-out quarter are scored, PA-MPJPE.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tables import better_by, interval, markdown

import annotator
from annotator.evaluation.metrics import point_errors
from annotator.hand.definitions import definition_of
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.samples import MEAN_PALM
from annotator.vision.crops import box_round

BLOCK = 30  # frames: one second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--labelled", type=int, default=30)
    options = parser.parse_args()
    model = annotator.load_model(device="cpu")
    photos = KeypointPhotos(options.table, held=None, jitter=False)
    table = photos.table
    size = MEAN_PALM / np.median(np.linalg.norm(table.joints[:, 9] - table.joints[:, 0], axis=-1))
    held, taught = np.flatnonzero(table.held), np.flatnonzero(~table.held)
    labelled = np.random.default_rng(0).permutation(taught)[: options.labelled]

    def proposed(k: int):
        return model.propose(photos.photo(k), [box_round(table.keypoints[k])], [str(table.side[k])], table.K[k])[0]

    told = [
        proposed(k).replace(corrections={j: tuple(map(float, table.keypoints[k, j])) for j in range(21)})
        for k in labelled
    ]
    seen, blocks = [proposed(k) for k in held], table.group[held].astype(int) // BLOCK
    learned = annotator.learn_definition([hand.replace(corrections={}) for hand in told], table.keypoints[labelled])

    def errors(definition, subject):
        off = []
        for hand, k in zip(seen, held, strict=True):
            now = hand if subject is None else model.of_subject(hand, subject)
            off.append(1000 * float(point_errors(definition.joints(now), table.joints[k] * size).mean()))
        return np.array(off)

    rows = []
    for name, definition in (("ours", definition_of(None)), ("MediaPipe's", definition_of("mediapipe")),
                             (f"learned from the same {options.labelled}", learned)):  # fmt: skip
        subject = annotator.estimate_subject(told, model.hand, definition=definition)
        without, with_subject = errors(definition, None), errors(definition, subject)
        rows.append([name, interval(without, blocks), interval(with_subject, blocks),
                     better_by(without, with_subject, blocks)])  # fmt: skip
    print(f"n = {len(held)} held-out photos, {len(np.unique(blocks))} blocks; {options.labelled} labelled frames\n")
    print(markdown(["labels and joints read as", "without subject, mm", "with", "lower by"], rows))


if __name__ == "__main__":
    main()
