"""What depths are worth: a depth image beside the photo, and depths that a person sets.

    python benchmarks/depth.py DATA OUT [--hands 100] [--seed 3]

DATA/test and DATA/beyond are made on first use, as by `benchmarks/corrections.py` (the second set has bones up to 15 %
longer or shorter); hands are proposed with landmarks as noisy as on real photos and with the landmark network's own.

Depth images are drawn from the true meshes: 3 mm noise, 30 % holes (half of it in patches), flying pixels along edges,
a wall behind, and for every third hand an object 3 to 8 cm in front of a third of it. By hand: of the third of hands
whose fingertips are farthest off in depth, the five fingertips are set to within 5 mm of where they are, seen from the
palm, at the size at which the window shows the hand.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from corrections import LANDMARKS, SETS
from tables import better_by, interval, markdown

from annotator.correcting import PalmDepths
from annotator.evaluation.metrics import aligned
from annotator.hand.depth_labels import PALM_KEYPOINTS, depths_from_palm
from annotator.model import load_model
from annotator.rounds.trials.rendered_proposals import rendered_hands
from annotator.synthetic.generate import generate
from annotator.vision.camera import project
from annotator.vision.drawing.raster import rasterise
from annotator.vision.images.depth_images import DepthImage

TIPS = [4, 8, 12, 16, 20]
NOISE, HOLES, BY_HAND = 0.003, 0.3, 0.005  # m; share; m


def drawn(truth, hand, random: np.random.Generator, object_in_front: bool) -> DepthImage:
    """A depth camera's image of the true mesh, of the photo's own pixels."""
    reach = np.concatenate([truth.keypoints, hand.keypoints])
    width, height = (np.ceil(reach.max(axis=0) * 1.1) + 60).astype(int)
    image = np.full((height, width), truth.vertices[:, 2].mean() + random.uniform(0.12, 0.5))
    seen = rasterise(project(truth.vertices, hand.camera), truth.vertices[:, 2], hand.faces, height, width)
    image[seen.rows, seen.columns] = seen.depth
    rows, columns = np.mgrid[:height, :width]
    low, high = truth.keypoints.min(axis=0), truth.keypoints.max(axis=0)
    size = float((high - low).max())
    if object_in_front:
        middle = random.uniform(low, high)
        where = np.hypot(columns - middle[0], rows - middle[1]) < 0.33 * size
        image[where] = np.minimum(image[where], truth.vertices[:, 2].min() - random.uniform(0.03, 0.08))
    edges = np.zeros(image.shape, bool)
    edges[:, 1:] = np.abs(np.diff(image, axis=1)) > 0.02
    edges[1:] |= np.abs(np.diff(image, axis=0)) > 0.02
    image[edges] += random.uniform(-0.02, 0.1, int(edges.sum()))
    image = image + random.normal(0, NOISE, image.shape)
    image[random.random(image.shape) < HOLES / 2] = 0
    of_hand = image[int(low[1]) : int(high[1]), int(low[0]) : int(high[0])]
    while of_hand.size and (of_hand == 0).mean() < HOLES:
        middle = random.uniform(low, high)
        image[np.hypot(columns - middle[0], rows - middle[1]) < 0.06 * size] = 0
    return DepthImage(image, NOISE)


def by_hand(truth, hand, random: np.random.Generator) -> PalmDepths:
    """Five fingertips as a person puts them in the side view."""
    palm = list(PALM_KEYPOINTS)
    scale = hand.joints[palm, 2].mean() / truth.joints[palm, 2].mean()
    where = scale * depths_from_palm(truth.joints)[TIPS] + random.uniform(-BY_HAND, BY_HAND, len(TIPS))
    return PalmDepths(dict(zip(TIPS, where.tolist(), strict=True)))


def error(hand, truth) -> float:
    """PA-MPVPE, mm."""
    return 1000 * float(np.linalg.norm(aligned(hand.vertices, truth.vertices) - truth.vertices, axis=1).mean())


def in_depth(hand, truth) -> float:
    """How far fingertips are off in depth, mm, after the whole hand's alignment."""
    return 1000 * float(np.abs((aligned(hand.joints, truth.joints) - truth.joints)[TIPS, 2]).mean())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--hands", type=int, default=100)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    model = load_model(options.model)
    rows, result = [], {}
    for kind, (folder, seed, bones) in SETS.items():
        generate(options.data / folder, max(options.hands, 400), seed, bones=bones)
        for landmarks, simulated in LANDMARKS.items():
            hands = list(rendered_hands(model, options.data / folder, options.hands, simulated))
            deepest = set(np.argsort([-in_depth(hand, truth) for hand, truth in hands])[: len(hands) // 3].tolist())
            errors = {"depth image": [], "by hand": []}
            for number, (hand, truth) in enumerate(hands):
                random = np.random.default_rng([options.seed, number])
                image = drawn(truth, hand, random, number % 3 == 0)
                seen = model.refine(hand, {}, evidence=[image])
                errors["depth image"].append((error(hand, truth), error(seen, truth)))
                if number in deepest:
                    told = model.refine(hand, {}, evidence=[by_hand(truth, hand, random)])
                    errors["by hand"].append((error(hand, truth), error(told, truth)))
            for name, pairs in errors.items():
                before, after = np.array(pairs).T
                share = float(after.mean() / before.mean())
                result[f"{kind}, {landmarks}, {name}"] = {
                    "n": len(pairs), "before_mm": before.mean(), "after_mm": after.mean(), "share": share,
                }  # fmt: skip
                rows.append([name, kind, landmarks, str(len(pairs)), interval(before), interval(after),
                             better_by(before, after)])  # fmt: skip
                print("|", *rows[-1], sep=" | ", file=sys.stderr, flush=True)
    head = ["evidence", "shapes", "landmarks", "n", "PA-MPVPE before, mm", "after", "lower by"]
    print(markdown(head, rows))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "depth.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
