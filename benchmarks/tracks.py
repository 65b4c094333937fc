"""Tracked videos beside `propose` frame by frame, on the same frames in the same run:

    python benchmarks/tracks.py DATA OUT [--parts rendered,sides,signing,cameras,crossing,economy] [--short]

DATA holds `sign-language-video/` and `two-camera-hand/` as their authors publish them. Rendered sequences are made by
`tracks_world` from the seeds below, which are frozen: settings were chosen on others (101 to 112, 201 to 206).

    rendered   16 sequences, natural and fast motion, 25 and 60 frames a second: errors of joints, jitter
    sides      8 other sequences of a right hand, followed as a left one from the true place on: what its frames say,
               and as what it holds together
    signing    a real video: jitter in its quiet stretches and over all, time a frame of both ways, one after the other
    cameras    two real cameras: PA-MPJPE of one camera's joints to those that were triangulated from both
    crossing   two people's hands that cross each other: identities, and whether wrong ones are flagged
    economy    corrections of 4 keypoints in 8 % of the frames, propagated, beside the same in every frame

Quiet stretches are those in which MediaPipe's own world landmarks of the video (published beside it, not ours) move
less than `QUIET` a second; jitter is the second difference of joints beside the wrist, 95th percentile.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))

from tables import markdown  # noqa: E402
from tracks_world import Studio, crossing, truth_keypoints  # noqa: E402

from annotator.evaluation import metrics  # noqa: E402
from annotator.learning.real_sets.building import read_view  # noqa: E402
from annotator.model import Model, load_model  # noqa: E402
from annotator.tracking import Follower, Frame, track_frames  # noqa: E402
from annotator.tracking.following import FOLLOWING as FOLLOW  # noqa: E402
from annotator.tracking.following.paths import SeenHand  # noqa: E402
from annotator.tracking.following.weighing import MOST, for_right  # noqa: E402
from annotator.tracking.labelling.propagating import propagated  # noqa: E402
from annotator.tracking.siding import again, word_of  # noqa: E402
from annotator.tracking.smoothing import SMOOTHING as SMOOTH  # noqa: E402
from annotator.tracking.video import finished  # noqa: E402
from annotator.vision.crops import Crop  # noqa: E402
from annotator.vision.two_views import triangulate  # noqa: E402
from annotator.vision.video import open_video  # noqa: E402

SEEDS = range(1, 17)
KINDS = ((75, 25.0, False), (100, 60.0, False), (60, 25.0, True), (90, 60.0, True))  # frames, rate, fast
QUIET = 0.05  # m/s: mean speed of the joints beside the wrist
ECONOMY, CROSSINGS, SIDES = range(31, 37), range(41, 43), range(501, 509)


def rooted(joints: np.ndarray) -> np.ndarray:
    return joints - joints[:, :1]


def jitter(joints: np.ndarray) -> np.ndarray:
    """(T - 2, 21) mm."""
    return 1000 * np.linalg.norm(np.diff(rooted(joints), 2, axis=0), axis=-1)


def frames_of(photos, seconds) -> list[Frame]:
    return [Frame(k, float(t), photo) for k, (t, photo) in enumerate(zip(seconds, photos, strict=True))]


def longest(tracks):
    return max(tracks, key=len)


def rendered(model: Model, short: bool) -> dict:
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


NAMES = ("PA", "root")


def sides(model: Model, short: bool) -> dict:
    """How often frames that follow the wrong side, and how often what holds together in them, say the right one."""
    studio, rows = Studio(model.hand), []
    for number, seed in enumerate(list(SIDES)[: 2 if short else None]):
        count, rate, fast = KINDS[number % len(KINDS)]
        one = studio.sequence(seed, count, rate, fast)
        place, words, pairs = truth_keypoints(one)[0], [], []
        for k, photo in enumerate(one.photos):
            seen = SeenHand.of(model.answer_in(photo, [Crop.from_landmarks(place, True)], one.K)[0])
            place = seen.landmarks if seen.presence >= FOLLOW.presence else truth_keypoints(one)[k]
            words.append(word_of(seen.right, seen.presence))
            if k % (count // MOST) == 0:
                pairs.append((again(model, photo, [seen.hand], ["right"], one.K)[0], seen.hand))
        rows.append([seed, float(np.mean(words)), for_right(pairs)])
        print(f"\rsides {len(rows)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    values = np.array(rows)[:, 1:]
    head = ["followed as the wrong side", "says the right one", "least margin", "median margin"]
    names = ("its frames, log odds each", "what holds together, log")
    table = [
        [name, f"{(column > 0).sum()} of {len(rows)}", f"{column.min():.2f}", f"{np.median(column):.2f}"]
        for name, column in zip(names, values.T, strict=True)
    ]
    print(markdown(head, table))
    return {"rows": rows}


def signing(model: Model, data: Path, short: bool) -> dict:
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


def cameras(model: Model, data: Path, short: bool) -> dict:
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
    for k in range(count):
        if not (single[0][k] and single[1][k] and k in tracked[0] and k in tracked[1]):
            continue
        best = [max(hands[k], key=lambda hand: hand.confidence) for hands in single]
        if best[0].side != best[1].side:
            continue
        # the measure must favour neither way: keypoints are the means of both
        both = [(best[n].keypoints + tracked[n][k].keypoints) / 2 for n in (0, 1)]
        points, off = triangulate(views, [view.undistort(p) for view, p in zip(views, both, strict=True)])
        if float(np.median(off)) > 6:
            continue
        scale = 0.09 / max(np.linalg.norm(points[9] - points[0]), 1e-9)  # the unit of the calibration is unknown
        for n in (0, 1):
            errors[0].append(1000 * metrics.point_errors(best[n].joints[None], scale * points[None]).mean())
            errors[1].append(1000 * metrics.point_errors(tracked[n][k].joints[None], scale * points[None]).mean())
    result = {"frames": len(errors[0]), "PA": [float(np.mean(e)) for e in errors]}
    row = ["PA-MPJPE to the triangulated", *(f"{v:.2f}" for v in result["PA"]), str(result["frames"])]
    print(markdown(["two cameras", "propose, mm", "tracked, mm", "n"], [row]))
    return result


def identities(model: Model, short: bool) -> dict:
    """Two hands that cross: the share of frames in which each track is the hand that it was first; flagged swaps."""
    studio = Studio(model.hand)
    right, total, swaps, unflagged, missing = 0, 0, 0, 0, 0
    for seed in list(CROSSINGS)[: 1 if short else None]:
        world = crossing(studio, seed, 100 if short else 375, 25.0)
        tracks = track_frames(model, frames_of(world.photos, world.seconds), world.K)
        owners: dict[int, int] = {}
        seen = np.zeros((2, len(world.photos)), bool)
        for track in tracks:
            before = None
            flagged = False
            for entry in track.hands:
                apart = np.linalg.norm(world.keypoints[:, entry.frame] - entry.hand.keypoints, axis=-1).mean(-1)
                flagged = flagged or bool(entry.reasons)
                owner = int(apart.argmin())
                if (
                    entry.kind == "seen"
                    and apart[owner] < 0.5 * np.ptp(world.keypoints[owner, entry.frame], axis=0).max()
                ):
                    first = owners.setdefault(track.id, owner)
                    right, total = right + (owner == first), total + 1
                    seen[owner, entry.frame] = True
                    if before is not None and owner != before:
                        swaps += 1
                        unflagged += not flagged
                        flagged = False
                    before = owner
        missing += int((~seen & world.visible).sum())
    result = {
        "frames": total,
        "right": right / max(total, 1),
        "swaps": swaps,
        "unflagged": unflagged,
        "missing": missing,
    }
    head = ["two hands crossing", "hands tracked", "the right one", "swaps", "not flagged", "visible, not tracked"]
    shown = [str(total), f"{100 * result['right']:.1f} %", str(swaps), str(unflagged), str(missing)]
    print(markdown(head, [["", *shown]]))
    return result


def economy(model: Model, short: bool) -> dict:
    """PA-MPJPE after 4 labels in 8 % of the frames, propagated, beside 4 labels in every frame."""
    studio, rows = Studio(model.hand), []
    for seed in list(ECONOMY)[: 1 if short else None]:
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


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parts", default="rendered,sides,signing,cameras,crossing,economy")
    parser.add_argument("--short", action="store_true", help="a quick look: few and short sequences")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model = load_model(device="cpu")
    ways = {
        "rendered": lambda: rendered(model, options.short),
        "sides": lambda: sides(model, options.short),
        "signing": lambda: signing(model, options.data, options.short),
        "cameras": lambda: cameras(model, options.data, options.short),
        "crossing": lambda: identities(model, options.short),
        "economy": lambda: economy(model, options.short),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "tracks.json"
    results = json.loads(file.read_text()) if file.is_file() else {}
    for part in options.parts.split(","):
        results[part] = ways[part]()
        file.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
