"""Benchmark 2, two cameras: held-out real frames of one hand, seen by two calibrated cameras at once.

    python benchmarks/two_cameras.py DATA/real/two-cameras [--model CHECKPOINT] [--all] [--as-teacher]

DATA/real is made by `python -m annotator.learning.real_sets`. Each camera's mesh joints are compared with the
triangulated ones, and camera 0's with camera 1's, after similarity alignment; distances are at the size of an ordinary
hand (the calibration's unit is unknown). Spread: bootstrap by blocks of one second of video. MediaPipe's world output
on the same crops stands beside it; the network starts from MediaPipe's weights and is no independent peer of it.
--all: every frame, for a model that was trained without this video. --as-teacher: our joints are moved to where
MediaPipe, whose landmarks the triangulated joints are made of, means them (measured on renders).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from tables import interval, markdown

from annotator.evaluation import metrics
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.samples import MEAN_PALM
from annotator.learning.data.teacher_joints import as_teacher
from annotator.learning.scoring import answers, hand_sized
from annotator.model import Model
from annotator.network.checkpoint import load_checkpoint
from annotator.network.crop_camera import CropView
from annotator.vision.crops import box_round

BLOCK = 30  # frames: one second


def sized(joints: np.ndarray) -> np.ndarray:
    """Joints (S, 21, 3) scaled to an ordinary palm."""
    return joints * (MEAN_PALM / np.linalg.norm(joints[:, 9] - joints[:, 0], axis=-1))[:, None, None]


def pairs(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the photos of camera 0 and of camera 1, instant by instant, where both are there."""
    at = {str(name): k for k, name in enumerate(names)}
    first = [name for name in at if name.endswith("cam0.jpg") and name.replace("cam0", "cam1") in at]
    return np.array([at[n] for n in first]), np.array([at[n.replace("cam0", "cam1")] for n in first])


def proposed(model: Model, photos: KeypointPhotos, boxes: bool) -> tuple[np.ndarray, np.ndarray]:
    """Joints (S, 21, 3) m and keypoints (S, 21, 2) crop px of the whole product's answer, as `answers` has them. boxes:
    whether it is told the hand's box; else the hand that it finds nearest to the labels counts."""
    joints, keypoints = [], []
    for k in range(len(photos)):
        points, side = photos.table.keypoints[k], str(photos.table.side[k])
        told = ([box_round(points)], [side]) if boxes else (None, None)
        hands = model.propose(photos.photo(k), *told, photos.table.K[k])
        if not hands:
            raise SystemExit(f"no hand is found in {photos.table.photo[k]}")
        hand = min(hands, key=lambda hand, points=points: np.linalg.norm(hand.keypoints - points, axis=1).mean())
        joints.append(CropView.of(photos.crop(k), photos.table.K[k]).to_view(hand.joints))
        keypoints.append(photos.crop(k).to_crop(hand.keypoints))
    return np.array(joints), np.array(keypoints)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--as-teacher", action="store_true")
    arguments = parser.parse_args()
    network, _ = load_checkpoint(arguments.model)
    photos = KeypointPhotos(arguments.table, held=None if arguments.all else True, jitter=False)
    run, model = answers(network, photos), Model(network)
    truth, block = hand_sized(run.labels), photos.table.group.astype(int) // BLOCK
    zero, one = pairs(photos.table.photo)
    box = np.ptp(run.labels.keypoints.numpy(), axis=1).max(1)
    estimates = {"parametric stage": run.estimates[0], "refined": run.estimates[-1]}
    rows = []
    for name, joints, keypoints in [
        *((name, e.joints, e.keypoints) for name, e in estimates.items()),
        ("`propose`, box given", *proposed(model, photos, True)),
        ("`propose`, hand found", *proposed(model, photos, False)),
        ("`propose --quick`, hand found", *proposed(Model(network, quick=True), photos, False)),
        ("MediaPipe's own output", run.encoder_joints, run.encoder_keypoints),
    ]:
        if arguments.as_teacher and not name.startswith("MediaPipe"):
            moved = as_teacher(torch.from_numpy(np.asarray(keypoints)), torch.from_numpy(np.asarray(joints)))
            keypoints, joints = (points.numpy() for points in moved)
        against_truth = 1000 * metrics.point_errors(joints, truth).mean(1)
        between = 1000 * metrics.point_errors(sized(joints[one]), sized(joints[zero]))
        photo = np.linalg.norm(keypoints - run.labels.keypoints.numpy(), axis=-1).mean(1) / box
        rows.append(
            [name, interval(against_truth, block), interval(photo, block, factor=100),
             f"{np.median(between):.1f}", interval(between.mean(1), block[zero])]
        )  # fmt: skip
    print(f"n = {len(truth)} photos, {len(zero)} pairs, {len(np.unique(block))} blocks of {BLOCK} frames\n")
    head = [
        "joints",
        "PA-MPJPE to the triangulated, mm",
        "2-D error, % of box",
        "between cameras: median joint mm",
        "mean mm",
    ]
    print(markdown(head, rows))


if __name__ == "__main__":
    main()
