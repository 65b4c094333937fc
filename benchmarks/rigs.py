"""Several cameras against one: rendered rigs whose meshes are known, and a real video by two cameras.

    python benchmarks/rigs.py [--instants 60] [--two 60] [--real DATA/real/two-cameras] [--model CHECKPOINT]

Rendered (`worlds.rigs`, seed 902019): hands of proportions beyond the shape space, cameras with lenses round them; the
network's own landmarks are replaced by simulated ones (see there), whose errors are independent from photo to photo: on
real photos they are less so, and more cameras gain less. Two constants of the joining (how free bone lengths and shape
are) were chosen on its first 20 instants. Real: held-out instants of the two-camera video, against
joints triangulated from a landmark network's keypoints in both photos. Our encoder starts from that network and its
landmarks take part in joining: this is agreement, not truth. Our joints and MediaPipe's definition of them are scored.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from tables import interval, markdown
from two_cameras import BLOCK, pairs, sized
from worlds.rigs import Instant, World, blurred

import annotator
from annotator.correcting import solve
from annotator.correcting.simulation.annotators import ANNOTATORS, simulated_annotator
from annotator.correcting.views import InstantHand, Sighting, join
from annotator.correcting.views.matching import match
from annotator.evaluation import metrics
from annotator.hand.definitions import MEDIAPIPE
from annotator.learning.data.photos import KeypointPhotos
from annotator.model import Model
from annotator.vision.crops import box_round

COUNTS = (1, 2, 4, 8)


def pa(points: np.ndarray, truth: np.ndarray) -> float:
    """mm, after similarity alignment without reflection."""
    return 1000 * float(np.linalg.norm(metrics.aligned(points, truth) - truth, axis=-1).mean())


def joined(model: Model, instant: Instant, count: int) -> list[InstantHand]:
    names = list(instant.rig)[:count]
    rig = instant.rig.only(names) if count > 1 else instant.rig
    return join({n: instant.proposals[n] for n in names}, rig, model.hand, {n: instant.sizes[n] for n in names})


def by_cameras(model: Model, instants: list[Instant]) -> None:
    """Proposals alone, with 1, 2, 4 and 8 cameras."""
    rows, alone = [], 0.0
    for count in COUNTS:
        errors, joints, left, z = [], [], 0, []
        for one in instants:
            hand = joined(model, one, count)[0]
            truth = one.hands[0]
            errors.append(pa(hand.vertices, truth.vertices))
            off = np.linalg.norm(hand.joints - truth.joints, axis=1)
            joints.append(1000 * off.mean())
            z.append(np.mean((off / hand.joint_sigma) ** 2) / 3)
            left += len(hand.left_out)
        alone = alone or float(np.mean(errors))
        rows.append([count, interval(np.array(errors)), f"{100 * np.mean(errors) / alone:.0f} %",
                     interval(np.array(joints)), f"{np.sqrt(np.mean(z)):.2f}", left])  # fmt: skip
    head = ["cameras", "PA-MPVPE mm", "of one camera's", "joints in the world, mm", "error / sigma", "left out"]
    print(f"\nProposals, n = {len(instants)} instants of one hand\n\n{markdown(head, rows)}")


def labelled(model: Model, instants: list[Instant]) -> None:
    """One camera with eight labels, two with four each: each time the visible keypoint that is farthest off."""
    rows, times = [], []
    for name in ANNOTATORS:
        person = simulated_annotator(name)
        one_camera, two_cameras = [], []
        for number, one in enumerate(instants):
            random = np.random.default_rng(number)
            names = list(one.rig)[:2]
            clicks = {n: person.clicks(one.proposals[n][0], one.truths[n][0], random) for n in names}
            seen = {n: np.flatnonzero(one.truths[n][0].visible) for n in names}
            first = one.proposals[names[0]][0].replace(features=None)
            given: dict = {}
            now = first
            for _ in range(8):
                joint = _farthest(now.keypoints, clicks[names[0]], seen[names[0]], given)
                if joint is None:
                    break
                given[joint] = tuple(clicks[names[0]][joint])
                now = solve(first, model.hand, given).hand
            one_camera.append(pa(now.vertices, one.truths[names[0]][0].vertices))
            hand = joined(model, one, 2)[0]
            for _ in range(4):
                for n in names:
                    told = hand.views[n].corrections
                    joint = _farthest(hand.views[n].keypoints, clicks[n], seen[n], told)
                    if joint is not None:
                        hand = model.refine_instant(hand, {n: {joint: tuple(clicks[n][joint])}})
            two_cameras.append(pa(hand.vertices, one.hands[0].vertices))
        share = f"{100 * np.mean(two_cameras) / np.mean(one_camera):.0f} %"
        rows.append([name, interval(np.array(one_camera)), interval(np.array(two_cameras)), share])
    head = ["annotator", "one camera, 8 labels: PA-MPVPE mm", "two cameras, 4 each", "share"]
    print(f"\nLabels, n = {len(instants)}\n\n{markdown(head, rows)}")
    for one in instants:
        hand = joined(model, one, 4)[0]
        for name, view in list(hand.views.items()):
            start = time.perf_counter()
            hand = model.refine_instant(hand, {name: {8: tuple(view.keypoints[8] + 5.0)}})
            times.append(1000 * (time.perf_counter() - start))
    print(f"\nrefine_instant, 4 photos, {len(times)} calls: median {np.median(times):.0f} ms, "
          f"p95 {np.percentile(times, 95):.0f} ms")  # fmt: skip


def _farthest(keypoints: np.ndarray, clicks: np.ndarray, seen: np.ndarray, given) -> int | None:
    left = [int(k) for k in seen if k not in given]
    return max(left, key=lambda k: float(np.linalg.norm(keypoints[k] - clicks[k])), default=None)


def two_hands(model: Model, instants: list[Instant]) -> None:
    """Hands matched across photos, by geometry alone: both are right hands."""
    rows = []
    for count in (2, 4, 8):
        right, all_ = 0, 0
        for one in instants:
            names = list(one.rig)[:count]
            known = {id(hand): k for n in names for k, hand in enumerate(one.proposals[n])}
            found = match([Sighting.of(one.rig[n], hand) for n in names for hand in one.proposals[n]])
            groups = [[known[id(member.hand)] for member in hand] for hand in found]
            # a proposal is right if it lies in the largest group that is mostly of its hand
            for k in (0, 1):
                right += max((g.count(k) for g in groups if g.count(k) > len(g) / 2), default=0)
            all_ += 2 * count
        rows.append([count, f"{100 * right / all_:.2f} % of {all_}"])
    print(f"\nTwo right hands in view, n = {len(instants)} instants\n")
    print(markdown(["cameras", "proposals matched"], rows))


def covered(photo: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The photo with a grey board before the hand."""
    x0, y0, x1, y1 = (int(v) for v in box_round(points))
    photo = photo.copy()
    photo[max(y0, 0) : y1, max(x0, 0) : x1] = 110
    return photo


def real(model: Model, folder: Path) -> None:
    """The two-camera video: agreement with the triangulation, and with one photo spoilt."""
    rig = annotator.Rig.read(Path(annotator.__file__).parents[1] / "sample_data" / "cameras.json").metric(0.041)
    photos = KeypointPhotos(folder, held=True, jitter=False)
    table = photos.table
    zero, one = pairs(table.photo)
    block = table.group[zero].astype(int) // BLOCK
    names = ("cam0", "cam1")
    columns: dict[str, list] = {}

    def error(joints: np.ndarray, at: int) -> float:
        truth = sized(table.joints[at][None])[0]
        return 1000 * float(metrics.point_errors(joints[None], truth[None]).mean())

    def note(name: str, view, at: int) -> None:
        columns.setdefault(name, []).append(error(view.joints, at))
        columns.setdefault(f"{name}, MediaPipe's definition", []).append(error(MEDIAPIPE.joints(view), at))

    for pair in zip(zero, one, strict=True):
        shown = {n: photos.photo(k) for n, k in zip(names, pair, strict=True)}
        points = dict(zip(names, table.keypoints[list(pair)], strict=True))
        (hand, *_) = model.propose_instant(shown, rig)
        note("both photos", hand.views["cam0"], pair[0])
        for n, k in zip(names, pair, strict=True):
            other = names[1 - names.index(n)]
            (alone, *_) = model.propose(shown[n], K=rig[n].K)
            note(f"{n} alone", alone, k)
            for spoil in (blurred, covered):
                (hand, *_) = model.propose_instant({n: shown[n], other: spoil(shown[other], points[other])}, rig)
                note(f"{n} good, {other} {spoil.__name__}", hand.views[n], k)
    rows = [[name, interval(np.array(values), block)] for name, values in columns.items()]
    print(f"\nTwo-camera video, n = {len(zero)} instants, {len(np.unique(block))} blocks of {BLOCK} frames\n")
    print(markdown(["proposal", "PA-MPJPE to the triangulation, mm"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--instants", type=int, default=60)
    parser.add_argument("--two", type=int, default=60)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    model = annotator.load_model(arguments.model)
    world = World(model)
    if arguments.instants:
        instants = list(world.instants(arguments.instants))
        by_cameras(model, instants)
        labelled(model, instants[: max(arguments.instants // 2, 1)])
    if arguments.two:
        two_hands(model, list(world.instants(arguments.two, hands=2)))
    if arguments.real is not None:
        real(model, arguments.real)


if __name__ == "__main__":
    main()
