"""Corrections of 4 keypoints in 8 % of the frames, propagated, beside the same in every frame."""

from __future__ import annotations

import sys

import numpy as np
from tables import markdown
from worlds.tracks import Studio, truth_keypoints

from annotator.evaluation import metrics
from annotator.model import Model
from annotator.tracking import track_frames
from annotator.tracking.labelling.propagating import propagated
from tracked.motion import frames_of, longest

SEEDS = range(31, 37)


def measured(model: Model, short: bool) -> dict:
    """PA-MPJPE after 4 labels in 8 % of the frames, propagated, beside 4 labels in every frame."""
    studio, rows = Studio(model.hand), []
    for seed in list(SEEDS)[: 1 if short else None]:
        count = 50 if short else 100
        one = studio.sequence(seed, count, 25.0)
        points = truth_keypoints(one) + np.random.default_rng(seed).normal(0, 1.0, (count, 21, 2))
        track = longest(track_frames(model, frames_of(one.photos, one.seconds), one.K))
        hands, full = [entry.hand for entry in track.hands], []
        for entry in track.hands:
            off = np.linalg.norm(entry.hand.keypoints - points[entry.frame], axis=1)
            labels = {int(k): tuple(points[entry.frame, k]) for k in np.argsort(-off)[:4]}
            full.append(model.refine(model.remember(one.photos[entry.frame], entry.hand), labels))
        chosen = [int((k + 0.5) * len(hands) / round(0.08 * len(hands))) for k in range(round(0.08 * len(hands)))]
        told = propagated(hands, track.seconds, {row: full[row] for row in chosen}, model.hand)
        true = one.joints[track.frames]
        rows.append([1000 * metrics.point_errors(np.array([h.joints for h in some]), true).mean()
                     for some in (hands, full, told.hands)])  # fmt: skip
        print(f"\reconomy {len(rows)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    mean = np.mean(rows, axis=0)
    result = {"PA": mean.tolist(), "above": float(100 * (mean[2] / mean[1] - 1)), "rows": np.array(rows).tolist()}
    print(markdown(["PA-MPJPE, mm", "no labels", "4 in every frame", "4 in 8 % of the frames", "above every frame"],
                   [["", *(f"{v:.2f}" for v in mean), f"{result['above']:+.1f} %"]]))  # fmt: skip
    return result
