"""What a second calibrated view is worth to a person who corrects: held-out frames of the two-camera video.

    python benchmarks/two_view_corrections.py DATA/real/two-cameras [--model CHECKPOINT] [--pairs 27]

Camera 0's photo is proposed and corrected at k keypoints; once with these alone, once with the same k keypoints in
camera 1's photo too. Compared with the triangulated joints after similarity alignment. The triangulation is made of
keypoints in both photos, of which the corrections are k: what is measured is the joints that were not clicked as well
as those that were. The calibration's unit is made metres by an ordinary palm. Bootstrap by blocks of one second.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from annotator.sample_data import cameras
from tables import better_by, interval, markdown
from two_cameras import BLOCK, pairs

import annotator
from annotator.evaluation import metrics
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.samples import MEAN_PALM
from annotator.vision.crops import box_round

COUNTS = (1, 2, 4, 8, 21)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--pairs", type=int, default=1000)
    arguments = parser.parse_args()
    model = annotator.load_model(arguments.model)
    photos = KeypointPhotos(arguments.table, held=True, jitter=False)
    table = photos.table
    zero, one = pairs(table.photo)
    (R0, t0), (R1, t1) = ((np.array(one["R"]), np.array(one["t"])) for one in map(cameras().get, ("cam0", "cam1")))
    palm = np.median(np.linalg.norm(table.joints[:, 9] - table.joints[:, 0], axis=-1))
    R, t = R1 @ R0.T, (t1 - R1 @ R0.T @ t0) * MEAN_PALM / palm
    alone, both, before, block = {k: [] for k in COUNTS}, {k: [] for k in COUNTS}, [], []
    for number, (a, b) in enumerate(zip(zero, one, strict=True)):
        if number >= arguments.pairs:
            break
        points, others = table.keypoints[a], table.keypoints[b]
        (hand,) = model.propose(photos.photo(a), [box_round(points)], ["right"], table.K[a])
        block.append(int(table.group[a]) // BLOCK)

        def error(one_hand, truth=table.joints[a] * (MEAN_PALM / palm)) -> float:
            return 1000 * float(metrics.point_errors(one_hand.joints, truth).mean())

        before.append(error(hand))
        order = np.random.default_rng(number).permutation(21)
        for k in COUNTS:
            given = sorted(int(j) for j in order[:k])
            clicks = {j: tuple(points[j]) for j in given}
            view = annotator.SecondView(table.K[b], R, t, {j: tuple(others[j]) for j in given})
            alone[k].append(error(model.refine(hand, clicks)))
            both[k].append(error(model.refine(hand, clicks, evidence=[view])))
    block = np.array(block)
    rows = [["0", interval(np.array(before), block), "", ""]]
    for k in COUNTS:
        one_view, two_views = np.array(alone[k]), np.array(both[k])
        rows.append([k, interval(one_view, block), interval(two_views, block), better_by(one_view, two_views, block)])
    print(f"n = {len(block)} instants, {len(np.unique(block))} blocks of {BLOCK} frames\n")
    print(markdown(["keypoints", "one view: PA-MPJPE mm", "two views: PA-MPJPE mm", "two views better by"], rows))


if __name__ == "__main__":
    main()
