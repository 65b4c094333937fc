"""Benchmark 3, real 2-D: held-out photos of the digits set against the teacher, and how many hands are found at all.

    python benchmarks/real_keypoints.py DATA/real/digits [--model CHECKPOINT] [--detect 200] [--as-teacher]

The teacher is MediaPipe's network asked ten times; the network starts from its weights. This table says how near the
mesh comes to it, not to the truth. --detect: photos, drawn by hash, on which the whole of `propose` is run without a
box. --as-teacher: our joints are moved to where MediaPipe means them (measured on renders) before they are compared.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import torch
from tables import interval, markdown

from annotator.hand.definitions import MEDIAPIPE
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.teacher_joints import as_teacher
from annotator.learning.scoring import answers
from annotator.model import Model
from annotator.network.checkpoint import load_checkpoint
from annotator.vision.crops import box_round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--detect", type=int, default=200)
    parser.add_argument("--as-teacher", action="store_true")
    arguments = parser.parse_args()
    network, _ = load_checkpoint(arguments.model)
    photos = KeypointPhotos(arguments.table, held=True, jitter=False)
    run = answers(network, photos)
    truth, known = run.labels.keypoints.numpy(), run.labels.keypoint_weight.numpy() > 0.3
    box = np.ptp(truth, axis=1).max(1)
    model, rows = Model(network), []
    given = []
    for k, points in enumerate(photos.table.keypoints):
        (hand,) = model.propose(photos.photo(k), [box_round(points)], [str(photos.table.side[k])])
        seen = MEDIAPIPE.keypoints(hand) if arguments.as_teacher else hand.keypoints
        given.append(photos.crop(k).to_crop(seen))

    def read(estimate) -> np.ndarray:
        if not arguments.as_teacher:
            return estimate.keypoints
        return as_teacher(torch.from_numpy(estimate.keypoints), torch.from_numpy(estimate.joints))[0].numpy()

    for name, points in [
        ("parametric stage", read(run.estimates[0])),
        ("refined", read(run.estimates[-1])),
        ("`propose`, box given", np.array(given)),
        ("MediaPipe, one look", run.encoder_keypoints),
    ]:
        off = np.linalg.norm(points - truth, axis=-1) / box[:, None]
        each = np.array([np.mean(o[k]) for o, k in zip(off, known, strict=True) if k.any()])
        rows.append([name, len(each), interval(each, factor=100), f"{100 * np.mean(off[known] < 0.05):.1f}"])
    print(markdown(["keypoints", "n", "2-D error, % of box", "PCK@5 %"], rows))

    names = sorted(set(map(str, photos.table.photo)), key=lambda n: hashlib.sha256(n.encode()).hexdigest())
    found, close = 0, 0
    chosen = names[: arguments.detect]
    at = {str(name): k for k, name in enumerate(photos.table.photo)}
    for name in chosen:
        hands = model.propose(photos.photo(at[name]))
        found += bool(hands)
        target = photos.table.keypoints[at[name]]
        size = np.ptp(target, axis=0).max()
        close += any(np.linalg.norm(h.keypoints - target, axis=-1).mean() < 0.1 * size for h in hands)
    print(
        f"\n`propose` without a box: a hand in {found} of {len(chosen)} photos, within 10 % of the teacher in {close}"
    )


if __name__ == "__main__":
    main()
