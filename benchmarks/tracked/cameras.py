"""Two real cameras: PA-MPJPE of one camera's joints to those that were triangulated from both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tables import markdown

from annotator.evaluation import metrics
from annotator.evaluation.bootstrap import paired
from annotator.learning.real_sets.building import read_view
from annotator.model import Model
from annotator.tracking import track_frames
from annotator.vision.rigs.triangulation import triangulate
from annotator.vision.video import open_video
from tracked.motion import frames_of, longest

TOGETHER = 15  # frames that lie so close are one draw of the bootstrap


def measured(model: Model, data: Path, short: bool) -> dict:
    """PA-MPJPE of one camera's joints to the triangulated ones (from both cameras' keypoints)."""
    folder = data / "two-camera-hand"
    views = [read_view(folder / "legacy" / "camera_parameters", n) for n in (0, 1)]
    videos = [open_video(folder / "media" / f"cam{n}_test.mp4") for n in (0, 1)]
    count = min(60 if short else 240, *(len(v) for v in videos))
    photos = [[video.read(k) for k in range(count)] for video in videos]
    single = [list(model.propose_many(p, cameras=[v.K] * count)) for p, v in zip(photos, views, strict=True)]
    tracks = [longest(track_frames(model, frames_of(p, videos[n].seconds[:count]), views[n].K))
              for n, p in enumerate(photos)]  # fmt: skip
    tracked = [{entry.frame: entry.hand for entry in track.hands} for track in tracks]
    errors: list[list[float]] = [[], []]
    blocks = []
    for k in range(count):
        if not (single[0][k] and single[1][k] and k in tracked[0] and k in tracked[1]):
            continue
        best = [max(hands[k], key=lambda hand: hand.confidence) for hands in single]
        if best[0].side != best[1].side:
            continue
        # the measure must favour neither way: keypoints are the means of both
        both = [(best[n].keypoints + tracked[n][k].keypoints) / 2 for n in (0, 1)]
        ideal = np.array([view.ideal(p) for view, p in zip(views, both, strict=True)])
        points, _, off = triangulate(views, ideal, np.ones(ideal.shape[:2]))
        if np.isnan(points).any() or float(np.median(off.max(0))) > 6:
            continue
        scale = 0.09 / max(np.linalg.norm(points[9] - points[0]), 1e-9)  # the unit of the calibration is unknown
        for n in (0, 1):
            blocks.append(k // TOGETHER)
            errors[0].append(1000 * metrics.point_errors(best[n].joints[None], scale * points[None]).mean())
            errors[1].append(1000 * metrics.point_errors(tracked[n][k].joints[None], scale * points[None]).mean())
    change = paired(np.array(errors[0]), np.array(errors[1]), np.array(blocks))
    result = {"frames": len(errors[0]), "PA": [change.before, change.after], "change": [change.low, change.high]}
    row = ["PA-MPJPE to the triangulated", *(f"{v:.2f}" for v in result["PA"])]
    row += [f"{change.low:+.2f} .. {change.high:+.2f}", str(result["frames"])]
    print(markdown(["two cameras", "propose, mm", "tracked, mm", "95 % of the change", "n"], [row]))
    return result
