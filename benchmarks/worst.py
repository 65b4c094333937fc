"""A picture of the worst answers: what the network gets wrong, to be looked at.

    python benchmarks/worst.py SET OUT.png [--model CHECKPOINT] [--count 20] [--of 500]

SET: a folder of rendered photos (their meshes are known) or a keypoint table of real ones (held-out part). For each
hand, worst first: the crop, the mesh over it, the mesh and the true joints from the side; above it the error after
alignment.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from annotator.evaluation import metrics
from annotator.learning.data.photos import FILE, KeypointPhotos
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.scoring import answers, hand_sized, rendered_answers
from annotator.network.checkpoint import load_checkpoint
from annotator.network.crop_camera import plain_projection
from annotator.vision.drawing.overlay import shade
from annotator.vision.drawing.skeleton import draw_skeleton

SIDE = 224
COLUMNS = 5


def from_the_side(vertices: np.ndarray, faces: np.ndarray, joints: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The mesh seen along the picture's x axis with the aligned true joints drawn over it."""
    centre = joints.mean(0)
    turn = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])
    away = np.array([0, 0, 0.6])
    K = np.array([[520.0, 0, SIDE / 2], [0, 520, SIDE / 2], [0, 0, 1]])
    picture = shade((vertices - centre) @ turn.T + away, faces, K, (SIDE, SIDE), 1.0)
    seen = (truth - centre) @ turn.T + away
    return draw_skeleton(picture, (seen[:, :2] / seen[:, 2:]) * 520 + SIDE / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--of", type=int, default=500)
    arguments = parser.parse_args()
    network, _ = load_checkpoint(arguments.model)
    if (arguments.set / FILE).exists():
        crops = KeypointPhotos(arguments.set, held=True, jitter=False)
        run = answers(network, crops, min(arguments.of, len(crops)), with_mesh=True)
    else:
        crops = RenderedCrops(arguments.set, jitter=False)
        run, _ = rendered_answers(network, crops, arguments.of)
    last, truth = run.estimates[-1], hand_sized(run.labels)
    error = 1000 * metrics.point_errors(last.joints, truth).mean(1)
    tiles = []
    for k in np.argsort(-error)[: arguments.count]:
        crop, _ = crops.sample(int(k), np.random.default_rng(0))
        focal = float(run.labels.focal[k])
        K = plain_projection(torch.tensor([focal]))[0].double().numpy()
        place = last.joints[k][0] - (network.hand.keypoint_regressor @ last.vertices[k])[0]
        vertices = last.vertices[k] + place
        drawn = draw_skeleton(shade(vertices, network.hand.faces, K, crop, 0.8), run.labels.keypoints[k].numpy())
        side = from_the_side(vertices, network.hand.faces, last.joints[k], metrics.aligned(truth[k], last.joints[k]))
        tile = Image.fromarray(np.concatenate([crop, drawn, side], 1))
        ImageDraw.Draw(tile).text((4, 4), f"{error[k]:.1f} mm", fill=(255, 40, 40))
        tiles.append(tile.resize((SIDE * 3 // 2, SIDE // 2)))
    width, height = tiles[0].size
    columns = COLUMNS if len(tiles) > COLUMNS else len(tiles)
    sheet = Image.new("RGB", (columns * width, -(-len(tiles) // columns) * height))
    for k, tile in enumerate(tiles):
        sheet.paste(tile, (k % columns * width, k // columns * height))
    sheet.save(arguments.out)
    print(
        f"{arguments.out}: mean {error.mean():.2f} mm over {len(error)} hands, the worst {arguments.count} from "
        f"{np.sort(error)[-1]:.1f} mm down"
    )


if __name__ == "__main__":
    main()
