"""A proposal's surface fills its hand: on photos of hands before plain walls, and in what the network saw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu

from annotator.vision.camera import project
from annotator.vision.drawing.raster import rasterise
from annotator.vision.photos import read_photo

SCALE = 4  # the photos are 100 px wide: meshes are drawn on a finer grid
PLAIN = ("digit-2-IMG_1282", "digit-4-IMG_1213", "digit-5-IMG_4511", "digit-6-IMG_4741", "digit-8-IMG_1288")


def drawn(hand, height: int, width: int) -> np.ndarray:
    """(SCALE * height, SCALE * width) bool: where the mesh is."""
    image = SCALE * (project(hand.vertices, hand.camera) + 0.5) - 0.5
    seen = rasterise(image, hand.vertices[:, 2], hand.faces, SCALE * height, SCALE * width)
    mesh = np.zeros((SCALE * height, SCALE * width), bool)
    mesh[seen.rows, seen.columns] = True
    return mesh


def above_the_wrist(hand, shape) -> np.ndarray:
    points = SCALE * (hand.keypoints + 0.5) - 0.5
    axis = points[9] - points[0]
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (columns - points[0, 0]) * axis[0] + (rows - points[0, 1]) * axis[1] > 0.15 * (axis @ axis)


def cut_out(photo: np.ndarray) -> np.ndarray:
    """(H, W) bool at SCALE: the largest part that is unlike the upper border."""
    lab = rgb2lab(photo)
    border = np.median(np.concatenate([lab[:2].reshape(-1, 3), lab[:10, [0, -1]].reshape(-1, 3)]), axis=0)
    unlike = gaussian_filter(np.linalg.norm((lab - border) * (0.3, 1, 1), axis=2), 0.3)
    fine = np.kron(unlike, np.ones((SCALE, SCALE)))
    parts, _ = label(fine > threshold_otsu(unlike))
    return parts == 1 + np.argmax(np.bincount(parts.ravel())[1:])


def overlap(hand, seen: np.ndarray) -> float:
    """Intersection over union of the mesh and the hand, above the wrist."""
    above = above_the_wrist(hand, seen.shape)
    seen, mesh = seen & above, drawn(hand, seen.shape[0] // SCALE, seen.shape[1] // SCALE) & above
    return (seen & mesh).sum() / (seen | mesh).sum()


def plain_photos(sample_photos):
    return [read_photo(path) for path in sample_photos if path.stem in PLAIN]


@pytest.fixture(scope="module")
def plain(model, sample_photos):
    """(photo, its one hand) of each plain photo."""
    photos = plain_photos(sample_photos)
    assert len(photos) == len(PLAIN)
    return [(photo, *model.propose(photo)) for photo in photos]


def test_proposals_fill_their_hands(plain):
    # 0.867 of the network's own answer, 0.907 of one that fills the outline
    assert np.mean([overlap(hand, cut_out(photo)) for photo, hand in plain]) > 0.89


def test_labels_leave_the_surface_full(model, plain):
    """A corrected keypoint asks the network again: its answer fills the outline, too."""
    photo, hand = plain[2]
    moved = hand.keypoints[8] + 0.06 * hand.crop_size * np.array([1.0, 0.0])
    again = model.prompted(hand, {8: tuple(moved)})
    assert overlap(again, cut_out(photo)) > 0.93  # 0.915 if it did not


def test_a_hand_remembered_from_its_photo_is_asked_with_its_outline(model, plain):
    photo, hand = plain[0]
    again = model.remember(photo, hand.replace(features=None))
    assert again.features.features.outline is not None
    assert np.abs(again.features.proposal.vertices - hand.vertices).max() < 0.002
