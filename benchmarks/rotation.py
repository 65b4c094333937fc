"""The same photo turned by any angle: how far is the mesh, turned back, from the mesh of the photo as it was?

    python benchmarks/rotation.py [--photos 20] [--seed 0]

Each sample photo with one hand is turned about its middle by a random angle; the box is the upright one round the
turned keypoints. Meshes are compared wrist to wrist, in mm, mean over vertices.
"""

from __future__ import annotations

import argparse

import numpy as np
from annotator.sample_data import photos
from PIL import Image

import annotator
from annotator.vision.crops import box_round
from annotator.vision.photos import read_photo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    model, errors = annotator.load_model(), []
    for path in [p for p in photos() if "two-hands" not in p.name][: arguments.photos]:
        photo = read_photo(path)
        side = 2 * int(np.hypot(*photo.shape[:2]) / 2) + 2  # room for any angle, the photo in the middle
        canvas = np.full((side, side, 3), 127, np.uint8)
        top, left = (side - photo.shape[0]) // 2, (side - photo.shape[1]) // 2
        canvas[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
        K = np.array([[1.5 * side, 0, (side - 1) / 2], [0, 1.5 * side, (side - 1) / 2], [0, 0, 1]])
        found = model.propose(canvas, K=K)
        if len(found) != 1:
            continue
        (plain,) = model.propose(canvas, [box_round(found[0].keypoints)], [found[0].side], K)
        angle = generator.uniform(-180, 180)
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        turn = np.array([[c, s], [-s, c]])  # PIL turns counter-clockwise, y points down
        turned_photo = np.array(Image.fromarray(canvas).rotate(angle, Image.Resampling.BICUBIC, fillcolor=(127,) * 3))
        points = (plain.keypoints - (side - 1) / 2) @ turn.T + (side - 1) / 2
        (turned,) = model.propose(turned_photo, [box_round(points)], [plain.side], K)
        back = turned.vertices - turned.joints[0]
        back[:, :2] = back[:, :2] @ turn
        errors.append(1000 * np.linalg.norm(back - (plain.vertices - plain.joints[0]), axis=1).mean())
    errors = np.array(errors)
    print("| photos | median mm | 90th percentile mm | worst mm | within 3 mm |\n| --- | --- | --- | --- | --- |")
    print(
        f"| {len(errors)} | {np.median(errors):.2f} | {np.percentile(errors, 90):.2f} | {errors.max():.2f} "
        f"| {np.mean(errors < 3):.0%} |"
    )


if __name__ == "__main__":
    main()
