"""A real video: jitter in its quiet stretches and over all, and the time that both ways take."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from tables import markdown

from annotator.model import Model
from annotator.tracking import Follower, Frame
from annotator.tracking.following import FOLLOWING as FOLLOW
from annotator.tracking.trajectories.smoothing import SMOOTHING as SMOOTH
from annotator.tracking.video import finished
from annotator.vision.video import open_video
from tracked.motion import jitter, longest, rooted

QUIET = 0.05  # m/s: mean speed of the joints beside the wrist


def measured(model: Model, data: Path, short: bool) -> dict:
    """Jitter on a real video, and the time that both ways take, in alternating pieces."""
    video = open_video(data / "sign-language-video" / "asl_hand.25fps.mp4")
    published = json.loads((data / "sign-language-video" / "asl_hand_3d.full.json").read_text())
    photos = [video.read(int(n)) for n in video.numbers[: 75 if short else None]]
    world = np.array(published, np.float64).reshape(len(published), 21, 3)[: len(photos)]
    list(model.propose_many(photos[:2]))  # what is made once is made now
    follower, single, spent = Follower(model), [], [0.0, 0.0]
    for start in range(0, len(photos), 25):
        piece = range(start, min(start + 25, len(photos)))
        began = time.perf_counter()
        single += list(model.propose_many(photos[k] for k in piece))
        middle = time.perf_counter()
        for k in piece:
            follower.step(Frame(k, float(video.seconds[k]), photos[k]))
        spent[0] += middle - began
        spent[1] += time.perf_counter() - middle
    began = time.perf_counter()
    follower.finish()
    moments = [(k, float(video.seconds[k])) for k in range(len(photos))]
    track = longest(finished(follower.tracks(), moments, model, SMOOTH, FOLLOW))
    spent[1] += time.perf_counter() - began
    alone = np.array([hands[0].joints for hands in single])
    smooth = np.array([entry.hand.joints for entry in track.hands])
    speed = np.linalg.norm(np.gradient(rooted(world), video.seconds[: len(photos)], axis=0), axis=-1).mean(1)
    calm = np.convolve(speed, np.ones(9) / 9, mode="same")[1:-1] < QUIET
    result = {
        "frames": len(photos), "quiet": int(calm.sum()), "ms": [1000 * s / len(photos) for s in spent],
        "faster": spent[0] / spent[1], "searches": follower.searches,
        "jitter quiet": [float(np.percentile(jitter(x)[calm], 95)) for x in (alone, smooth)],
        "jitter all": [float(np.percentile(jitter(x), 95)) for x in (alone, smooth)],
        "jitter first 60": [float(np.percentile(jitter(x[:60]), 95)) for x in (alone, smooth)],
    }  # fmt: skip
    rows = [[name, *(f"{v:.2f}" for v in result[name]), f"{result[name][1] / result[name][0]:.2f}"]
            for name in ("jitter quiet", "jitter all", "jitter first 60", "ms")]  # fmt: skip
    print(markdown(["signing video", "propose", "tracked", "ratio"], rows))
    print(f"{len(photos)} frames, {result['quiet']} quiet, {follower.searches} searched\n")
    return result
