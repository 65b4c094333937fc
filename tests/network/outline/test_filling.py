"""A hand whose surface fills an outline: thicker where the outline is wider, its joints where they were."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.hand import load_hand
from annotator.hand.rotations import rotation_matrices
from annotator.network.outline.boundary import LEVEL, boundary
from annotator.network.outline.filling import Filling, Placed
from annotator.vision.drawing.raster import rasterise

SIZE, STRIDE = 224, 2
PROJECTION = np.array([[900.0, 0, 111.5], [0, 900.0, 111.5], [0, 0, 1]])
TURN = rotation_matrices(np.array([0.0, 0.0, np.pi / 2])) @ rotation_matrices(np.array([np.pi / 2, 0.0, 0.0]))


@pytest.fixture(scope="module")
def filling():
    return Filling(load_hand())


def open_hand(hand, offsets) -> Placed:
    """A hand with its fingers up and its back to the camera, 0.9 m away."""
    rotations = np.tile(np.eye(3), (16, 1, 1))
    rotations[0] = TURN
    return Placed(rotations, np.zeros(10), np.array([0.0, 0.09, 0.9]), offsets)


def vertices(hand, placed: Placed) -> np.ndarray:
    return hand.skin(placed.rotations, placed.shape, placed.offsets) + placed.translation


def silhouette(hand, placed: Placed) -> np.ndarray:
    """(112, 112) share of each cell that is hand."""
    image = vertices(hand, placed) @ PROJECTION.T
    drawn = rasterise(image[:, :2] / image[:, 2:], image[:, 2], hand.faces, SIZE, SIZE)
    mask = np.zeros((SIZE, SIZE))
    mask[drawn.rows, drawn.columns] = 1
    return mask.reshape(SIZE // STRIDE, STRIDE, SIZE // STRIDE, STRIDE).mean((1, 3))


def bare_and_outside(hand, placed: Placed, truth: np.ndarray) -> tuple[float, float]:
    said, true = silhouette(hand, placed) > 0.5, truth > 0.5
    return (true & ~said).sum() / true.sum(), (said & ~true).sum() / true.sum()


def moved(hand, start: Placed, filled: Placed) -> tuple[np.ndarray, np.ndarray]:
    """(21,) mm that joints moved across the picture, as it shows them at the start's depth, and (21,) along the line of
    sight, beside all of them."""
    before, after = (hand.joints(vertices(hand, one)) for one in (start, filled))
    seen = [one[:, :2] / one[:, 2:] * before[:, 2:] for one in (before, after)]
    away = after[:, 2] - before[:, 2]
    return 1000 * np.linalg.norm(seen[1] - seen[0], axis=1), 1000 * np.abs(away - away.mean())


def grown(filling, **amounts) -> np.ndarray:
    """Offsets (M, 3) of a hand that grew, in sigmas."""
    share = np.zeros(len(filling.ways.names))
    for name, amount in amounts.items():
        share[[other.startswith(name) for other in filling.ways.names]] = amount
    return np.tensordot(share * filling.ways.sigma, filling.ways.offsets, axes=1)


@pytest.mark.parametrize("amounts", [{"across": 1.0}, {"ball": 1.0, "edge": 0.75}, {"across": -0.75, "edge": -0.5}])
def test_it_fills_the_outline_of_a_thicker_or_thinner_hand_and_leaves_the_joints(filling, amounts):
    hand = filling.hand
    none = np.zeros((hand.offset_count, 3))
    truth, start = open_hand(hand, grown(filling, **amounts)), open_hand(hand, none)
    outline = silhouette(hand, truth)
    filled = filling(start, boundary(outline, STRIDE, 2), PROJECTION)
    before, after = (sum(bare_and_outside(hand, one, outline)) for one in (start, filled))
    assert before > 0.035 and after < 0.5 * before
    sideways, along = moved(hand, start, filled)
    assert sideways.mean() < 1.5 and along.max() < 0.5


def test_longer_last_bones_reach_the_tips(filling):
    hand = filling.hand
    truth = open_hand(hand, grown(filling, along=1.0))
    start = open_hand(hand, np.zeros((hand.offset_count, 3)))
    filled = filling(start, boundary(silhouette(hand, truth), STRIDE, 2), PROJECTION)
    tips = [8, 12, 16, 20]
    was, now = (moved(hand, truth, one)[0][tips].mean() for one in (start, filled))
    assert now < 0.6 * was


def test_a_palm_that_grows_at_its_edges_leaves_its_joints(filling):
    rest = filling.hand.keypoint_regressor @ filling.ways.surface.transpose(2, 0, 1)  # (G, 21, 3)
    for name, sigma, moves, field in zip(
        filling.ways.names, filling.ways.sigma, rest, filling.ways.surface.transpose(2, 0, 1), strict=True
    ):
        if name.startswith("edge"):
            assert 1000 * sigma * np.abs(field).max() > 2.5
            assert 1000 * sigma * np.linalg.norm(moves, axis=1).max() < 0.1


def test_its_own_outline_leaves_a_hand_as_it_is(filling):
    hand = filling.hand
    start = open_hand(hand, np.zeros((hand.offset_count, 3)))
    filled = filling(start, boundary(silhouette(hand, start), STRIDE, 2), PROJECTION)
    sideways, along = moved(hand, start, filled)
    assert sideways.mean() < 0.5 and along.max() < 0.2
    assert abs(filled.translation[2] / start.translation[2] - 1) < 0.005


@pytest.mark.parametrize("kind", ["nothing", "elsewhere", "all"])
def test_an_outline_that_says_nothing_of_the_hand_changes_nothing(filling, kind):
    hand = filling.hand
    start = open_hand(hand, np.zeros((hand.offset_count, 3)))
    inside = np.full((112, 112), 1.0 if kind == "all" else 0.0)
    if kind == "elsewhere":
        inside[2:12, 2:12] = 1
    assert filling(start, boundary(inside, STRIDE, 2), PROJECTION) is start


def test_the_boundary_of_a_disc():
    rows, columns = np.mgrid[:112, :112]
    inside = 1 / (1 + np.exp(np.hypot(rows - 50, columns - 60) - 30.3)) * 2 * LEVEL
    found = boundary(inside, STRIDE)
    away = found.points - (np.array([60, 50]) * STRIDE + 0.5)
    radius = np.linalg.norm(away, axis=1)
    assert np.abs(radius - 60.6).max() < 0.1 and len(radius) > 150
    assert ((away / radius[:, None]) * found.normals).sum(1).min() > 0.99
    assert np.allclose(found.steep, LEVEL / 4, atol=0.02)  # half a cell's slope of a logistic curve
    fewer = boundary(inside, STRIDE, 2)
    assert 0.45 < len(fewer.points) / len(found.points) < 0.55
    for half in (fewer.normals[:, 0] > 0, fewer.normals[:, 1] > 0):  # both sides alike
        assert 0.45 < half.mean() < 0.55
