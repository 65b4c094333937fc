"""Cut-out hands, bare and gloved, and the whole photos that are made of them."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.synthetic.whole.cutouts import Wanted, Workshop
from annotator.synthetic.whole.gloves import GLOVES, random_glove
from annotator.synthetic.whole.photos import Place, backdrop, developed, extent, lay, placed


@pytest.fixture(scope="module")
def workshop():
    return Workshop(160)


def test_a_glove_hides_the_skin_and_the_twin_shows_it(workshop):
    for cutout in workshop.cutouts(3, 5, Wanted(glove=1.0, twins=True)):
        bare, cover = cutout.bare
        both = (cutout.cover > 0) & (cover > 0)
        assert both.mean() > 0.02
        # a gloved hand is a little thicker than the same hand bare, and looks otherwise
        assert np.count_nonzero(cutout.cover) >= 0.97 * np.count_nonzero(cover)
        assert np.abs(cutout.colour[both].astype(int) - bare[both]).mean() > 5
        assert np.array_equal(cutout.shown, [1.0])


def test_cutouts_follow_from_their_seed(workshop):
    first, again = (list(workshop.cutouts(2, 6, Wanted(glove=0.5, held=0.5))) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.colour, other.colour) and np.array_equal(one.keypoints, other.keypoints)


def test_keypoints_lie_on_the_hand_and_two_hands_have_theirs(workshop):
    counts = set()
    for cutout in workshop.cutouts(4, 7, Wanted(touching=0.5)):
        counts.add(len(cutout.keypoints))
        assert len(cutout.keypoints) == len(cutout.right) == len(cutout.shown)
        size = len(cutout.cover)
        x, y = np.rint(cutout.keypoints).astype(int).reshape(-1, 2).T
        inside = (x >= 0) & (y >= 0) & (x < size) & (y < size)
        assert (cutout.cover[y[inside], x[inside]] > 0).mean() > 0.9
    assert counts <= {1, 2}


def test_a_mirrored_cutout_is_the_other_hand(workshop):
    (cutout,) = workshop.cutouts(1, 8, Wanted(twins=True))
    other = cutout.mirrored()
    assert (other.right == ~cutout.right).all() and np.array_equal(other.mirrored().colour, cutout.colour)
    assert np.allclose(other.keypoints[..., 0] + cutout.keypoints[..., 0], len(cutout.cover) - 1)


def test_what_is_laid_lies_where_its_place_says(workshop):
    (cutout,) = workshop.cutouts(1, 9, Wanted())
    picture = np.zeros((300, 400, 3), np.uint8)
    white = np.where(cutout.cover[..., None] > 0, np.uint8(255), np.uint8(0)).repeat(3, axis=2)
    place = placed(np.random.default_rng(0), cutout, 120.0, (200.0, 150.0))
    lay(picture, white, cutout.cover, place)
    points = place.points(cutout.keypoints[0])
    assert np.ptp(points, axis=0).max() == pytest.approx(120.0, rel=0.01)
    x, y = np.rint(points).astype(int).T
    assert (picture[y, x, 0] > 128).mean() > 0.9
    before = picture.copy()
    lay(picture, white, cutout.cover, Place(1.0, 5000.0, 0.0))  # beside it: nothing
    assert np.array_equal(picture, before) and extent(cutout) > 0


def test_every_glove_is_drawn_and_has_its_looks():
    rng = np.random.default_rng(1)
    gloves = [random_glove(rng) for _ in range(200)]
    assert {glove.kind for glove in gloves} == set(GLOVES)
    for glove in gloves:
        assert 0 < glove.thick < 0.01 and glove.length > 0 and glove.look["skin"] == 0
        assert all(0 <= value <= 1 for value in glove.look["base"])


def test_backdrops_and_what_a_camera_makes_of_them():
    rng = np.random.default_rng(2)
    real = np.full((50, 80, 3), 77, np.uint8)
    pictures = [backdrop(rng, 64, 48, [real]) for _ in range(12)]
    assert all(picture.shape == (48, 64, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert any((picture == 77).all() for picture in pictures) and not all((p == 77).all() for p in pictures)
    seen = developed(rng, pictures[0])
    assert seen.shape == pictures[0].shape and seen.dtype == np.uint8
