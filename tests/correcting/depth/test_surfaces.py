"""A depth image moves a hand on the measured surface, whatever stands in front of it and wherever it has holes."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.correcting import solve
from annotator.correcting.depth.surfaces import read_surface
from annotator.vision.camera import project
from annotator.vision.drawing.raster import rasterise
from annotator.vision.images.depth_images import DepthImage


def seen_from_camera(truth, random, in_front=False, size=(900, 1300)):
    """The true mesh before a wall, with 3 mm noise and holes; perhaps with something in front of a part of it."""
    image = np.full(size, truth.vertices[:, 2].max() + 0.3)
    seen = rasterise(project(truth.vertices, truth.camera), truth.vertices[:, 2], truth.faces, *size)
    image[seen.rows, seen.columns] = seen.depth
    if in_front:
        rows, columns = np.mgrid[: size[0], : size[1]]
        x, y = truth.keypoints[20]
        reach = 0.25 * np.ptp(truth.keypoints, axis=0).max()
        image[np.hypot(columns - x, rows - y) < reach] = truth.vertices[:, 2].min() - 0.06
    image += random.normal(0, 0.003, size)
    image[random.random(size) < 0.3] = 0
    return DepthImage(image)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("in_front", [False, True])
def test_hands_come_to_lie_on_the_surface(make_truth, make_proposal, hand_model, side, in_front):
    before, after, distances = [], [], []
    for seed in range(8):
        truth = make_truth(seed, side)
        hand = make_proposal(truth, seed, 0.5)
        image = seen_from_camera(truth, np.random.default_rng(seed), in_front)
        found = solve(hand, hand_model, {}, evidence=[image]).hand
        before.append(np.linalg.norm(hand.joints - truth.joints, axis=1).mean())
        after.append(np.linalg.norm(found.joints - truth.joints, axis=1).mean())
        distances.append((read_surface(hand, image).distance, read_surface(found, image).distance))
    assert np.median(after) < 0.7 * np.median(before)  # where it is in space, nothing aligned
    assert np.nanmean(np.array(distances)[:, 1]) < np.nanmean(np.array(distances)[:, 0])


def test_what_sees_no_hand_changes_nothing(make_truth, hand_model):
    truth = make_truth(1)
    wall = DepthImage(np.full((900, 1300), 3.0))
    reading = read_surface(truth, wall)
    assert reading.depths is None and reading.covered == 0 and np.isnan(reading.distance)
    told, untold = (solve(truth, hand_model, {8: tuple(truth.keypoints[8] + 5)}, evidence=e).hand for e in ([wall], []))
    assert np.linalg.norm(told.vertices - untold.vertices, axis=1).max() < 0.01
