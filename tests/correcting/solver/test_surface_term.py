"""Measured skin pulls as it says: points and Jacobian are the mesh's, and an arm or a thing in front move no hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from annotator.correcting import solve
from annotator.correcting.depth.surface_pairs import SurfacePairs, surface_pairs
from annotator.correcting.depth.surfaces import read_surface
from annotator.correcting.solver.coordinates import Coordinates
from annotator.correcting.solver.stretching import STRETCH, Stretched, directions
from annotator.correcting.solver.surface_term import SurfaceTerm
from annotator.hand.building.proportions import random_bone_lengths, with_bone_lengths
from annotator.hand.mesh import HandParameters
from annotator.vision.camera import project
from annotator.vision.drawing.raster import rasterise
from annotator.vision.images.depth_images import DepthImage

SIZE = (900, 1300)


def with_correctives(model):
    moved = 1e-3 * np.random.default_rng(3).normal(size=(len(model.template), 3, 135))
    return dataclasses.replace(model, pose_directions=moved)


def drawn_pairs(random, count):
    vertices = np.sort(random.choice(count, 40, replace=False))
    normals = random.normal(size=(40, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return SurfacePairs(vertices, random.normal(0, 0.05, (40, 3)), normals, random.uniform(0.001, 0.01, 40))


def placed_by(make, model, random):
    parameters = HandParameters(
        random.normal(0, 0.2, (16, 3)), random.normal(0, 0.5, 10), np.array([0.02, -0.03, 0.6]),
        random.normal(0, 0.002, (model.offset_count, 3)),
    )  # fmt: skip
    coordinates = make(model, parameters, 4.0, 3.0)
    x = coordinates.start.copy()
    if make is Stretched:
        x[STRETCH] = random.uniform(-0.1, 0.1, 20)
    return coordinates, coordinates.clamp(x)[0]


@pytest.mark.parametrize("make", [Coordinates, Stretched])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("corrected", [False, True])
def test_points_and_rows_are_those_of_the_skin(hand_model, make, mirrored, corrected):
    random = np.random.default_rng(5)
    model = with_correctives(hand_model) if corrected else hand_model
    coordinates, x = placed_by(make, model, random)
    pairs = drawn_pairs(random, len(model.template))
    term, placed = SurfaceTerm(coordinates, pairs, mirrored), coordinates.place(x)

    longer = model
    if make is Stretched:
        longer = dataclasses.replace(model, template=model.template + directions(model) @ x[STRETCH])
    vertices = longer.skin(placed.rotations, x[51:61], coordinates.offsets) + coordinates.translation(x)
    vertices = vertices * ([-1, 1, 1] if mirrored else [1, 1, 1])
    wanted = ((vertices[pairs.vertices] - pairs.places) * pairs.directions).sum(1) / pairs.sigma
    np.testing.assert_allclose(term.residual(placed), wanted, atol=1e-8)

    rows, _ = term.rows(placed, np.ones(coordinates.count))
    for k in range(coordinates.count):
        step = np.zeros(len(x))
        step[k] = 1e-6
        there, before = (term.residual(coordinates.place(x + sign * step)) for sign in (1, -1))
        np.testing.assert_allclose(rows[:, k], (there - before) / 2e-6, atol=2e-3, rtol=1e-4)


def seen_by_camera(truth, image=None):
    """The true mesh as a depth camera without any fault sees it, before what `image` has."""
    image = np.full(SIZE, truth.vertices[:, 2].max() + 0.3) if image is None else image
    seen = rasterise(project(truth.vertices, truth.camera), truth.vertices[:, 2], truth.faces, *SIZE)
    image[seen.rows, seen.columns] = np.minimum(image[seen.rows, seen.columns], seen.depth)
    return image


def test_a_hand_is_not_seen_through(make_truth):
    """A flat thing in front agrees with more pixels than a bent hand behind it, but nobody sees through a hand."""
    truth = make_truth(3)
    image = seen_by_camera(truth)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    low, high = truth.keypoints.min(0), truth.keypoints.max(0)
    middle, reach = (low + high) / 2, 0.33 * (high - low).max()
    image[np.hypot(columns - middle[0], rows - middle[1]) < reach] = truth.vertices[:, 2].min() - 0.06
    reading = read_surface(truth, DepthImage(image))
    off = [reading.depths.depths[k] - truth.joints[k, 2] for k in reading.depths.depths]
    assert np.median(np.abs(off)) < 0.006


@pytest.mark.parametrize("side", ["right", "left"])
def test_an_arm_behind_the_wrist_draws_no_hand_down(make_truth, hand_model, side):
    moved = []
    for seed in range(4):
        truth = make_truth(seed, side)
        stump = truth.vertices[hand_model.before_wrist < -0.01]
        along = truth.joints[0] - truth.joints[9]
        along /= np.linalg.norm(along)
        arm = np.concatenate([stump + step * along for step in np.linspace(0, 0.15, 60)])
        image = np.full(SIZE, truth.vertices[:, 2].max() + 0.3)
        pixels = np.rint(project(arm, truth.camera)).astype(int)
        for dx in range(-4, 5):
            for dy in range(-4, 5):
                x, y = np.clip(pixels + (dx, dy), 0, np.array(SIZE[::-1]) - 1).T
                np.minimum.at(image, (y, x), arm[:, 2])
        with_arm = solve(truth, hand_model, {}, evidence=[DepthImage(seen_by_camera(truth, image))]).hand
        moved.append((with_arm.joints[[0, 5, 9, 13, 17]] - truth.joints[[0, 5, 9, 13, 17]]) @ along)
    assert np.abs(np.median(moved)) < 0.002


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_longer_finger_is_seen(make_truth, make_proposal, hand_model, side):
    """Bones that no shape has: the mesh comes to lie on what was measured all the same."""
    before, after = [], []
    for seed in range(6):
        plain = make_truth(seed, side)
        longer = with_bone_lengths(hand_model, random_bone_lengths(np.random.default_rng(seed), 0.15))
        vertices = longer.vertices(plain.parameters, side)
        joints = hand_model.joints(vertices)
        truth = plain.replace(vertices=vertices, joints=joints, keypoints=project(joints, plain.camera))
        hand = make_proposal(plain, seed, 0.5)
        image = DepthImage(seen_by_camera(truth))
        found = solve(hand, hand_model, {}, evidence=[image]).hand
        before.append(np.linalg.norm(hand.vertices - truth.vertices, axis=1).mean())
        after.append(np.linalg.norm(found.vertices - truth.vertices, axis=1).mean())
    assert np.median(after) < 0.4 * np.median(before)


def test_too_little_says_nothing(make_truth, hand_model):
    truth = make_truth(1)
    assert surface_pairs(truth, hand_model, DepthImage(np.full(SIZE, 3.0))) is None
    beside = np.zeros(SIZE)
    beside[:5, :5] = 0.5
    assert surface_pairs(truth, hand_model, DepthImage(beside)) is None
