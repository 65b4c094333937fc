"""Rendered sequences: errors and jitter, frame by frame and tracked, on the same frames."""

from __future__ import annotations

import sys

import numpy as np
from tables import markdown
from worlds.tracks import Studio

from annotator.evaluation import metrics
from annotator.model import Model
from annotator.tracking import track_frames
from tracked.motion import frames_of, jitter, longest

SEEDS = range(1, 17)
KINDS = ((75, 25.0, False), (100, 60.0, False), (60, 25.0, True), (90, 60.0, True))  # frames, rate, fast
NAMES = ("PA", "root")


def measured(model: Model, short: bool) -> dict:
    """Errors and jitter, frame by frame and tracked, on the frames that both have."""
    studio, rows = Studio(model.hand), []
    for number, seed in enumerate(SEEDS):
        count, rate, fast = KINDS[number % len(KINDS)]
        if short and number >= len(KINDS):
            break
        one = studio.sequence(seed, count // (3 if short else 1), rate, fast)
        single = list(model.propose_many(one.photos, cameras=[one.K] * len(one.photos)))
        track = longest(track_frames(model, frames_of(one.photos, one.seconds), one.K))
        tracked = {entry.frame: entry.hand.joints for entry in track.hands}
        both = [k for k, hands in enumerate(single) if hands and k in tracked]
        alone = np.array([max(single[k], key=lambda hand: hand.confidence).joints for k in both])
        smooth, true = np.array([tracked[k] for k in both]), one.joints[both]
        rows.append({
            "seed": seed, "rate": rate, "fast": fast, "frames": len(one.photos), "both": len(both),
            "tracked": len(track), "side": track.side, "speed": one.speed[both].tolist(),
            "single": {name: 1000 * metrics.point_errors(alone, true, align=name == "PA").mean(1) for name in NAMES},
            "smooth": {name: 1000 * metrics.point_errors(smooth, true, align=name == "PA").mean(1) for name in NAMES},
            "jitter": [float(np.percentile(jitter(x), 95)) for x in (alone, smooth, true)],
        })  # fmt: skip
        print(f"\rrendered {number + 1} of {len(SEEDS)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    parts = {
        "all": lambda row: np.ones(row["both"], bool),
        "natural": lambda row: np.full(row["both"], not row["fast"]),
        "fast": lambda row: np.full(row["both"], row["fast"]),
    }
    sided = [row for row in rows if row["side"] == "right"]
    parts["side seen rightly"] = lambda row: np.full(row["both"], row["side"] == "right")
    parts["the same, fast"] = lambda row: np.full(row["both"], row["side"] == "right" and row["fast"])
    limit = np.quantile(np.concatenate([row["speed"] for row in rows]), 0.9)
    parts["fastest tenth of frames"] = lambda row: np.array(row["speed"]) >= limit
    table, result = [], {}
    for name, chosen in parts.items():
        cells = [name]
        for error in NAMES:
            a, b = (np.concatenate([row[way][error][chosen(row)] for row in rows]) for way in ("single", "smooth"))
            change = 100 * (b.mean() / a.mean() - 1)
            cells += [f"{a.mean():.2f}", f"{b.mean():.2f}", f"{change:+.1f} %"]
            result[f"{name} {error}"] = [float(a.mean()), float(b.mean()), float(change)]
        table.append([*cells, str(int(sum(chosen(row).sum() for row in rows)))])
    head = ["frames", *(f"{e}-MPJPE {w}" for e in ("PA", "root") for w in ("single, mm", "tracked, mm", "change")), "n"]
    print(markdown(head, table))
    worst = sorted((row["smooth"]["PA"].mean() / row["single"]["PA"].mean() - 1, row["seed"]) for row in sided)[-3:]
    result["sides wrong"] = [int(row["seed"]) for row in rows if row["side"] != "right"]
    result["worst sequences"] = [[int(seed), float(100 * change)] for change, seed in worst]
    result["jitter"] = np.median([row["jitter"] for row in rows], axis=0).tolist()
    found = sum(row["tracked"] for row in rows), sum(row["frames"] for row in rows)
    print(f"sequences tracked as left hands: {result['sides wrong']}")
    print(f"jitter p95, median over sequences, mm: single, tracked, true {result['jitter']}")
    print(
        f"{found[0]} of {found[1]} frames tracked; worst sequences (seed, change of PA): {result['worst sequences']}\n"
    )
    return result
