"""The map between photo and crop, and the pictures it gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.detection.palms.palm_detector import Palm
from annotator.errors import InputError
from annotator.vision.crops import CROP_SIZE, Crop, extract_all, upright_angle
from annotator.vision.photos import read_photo

crops = st.builds(
    Crop,
    cx=st.floats(-500, 5000),
    cy=st.floats(-500, 5000),
    size=st.floats(5, 4000),
    angle=st.floats(-7, 7),
    flip=st.booleans(),
)
places = st.tuples(st.floats(-1000, 6000), st.floats(-1000, 6000))


@given(crops, places)
def test_there_and_back_is_the_same_place(crop, place):
    assert np.abs(crop.to_photo(crop.to_crop(place)) - place).max() < 1e-9
    shown = crop.to_crop(crop.to_photo(place))
    assert np.abs(shown - place).max() < 1e-9


@given(crops, places)
def test_matrix_and_inverse_say_what_the_maps_say(crop, place):
    scale = max(1.0, CROP_SIZE / crop.size)
    assert np.abs(crop.matrix @ (*place, 1) - crop.to_crop(place)).max() < 1e-9 * scale
    assert np.abs(crop.inverse @ (*place, 1) - crop.to_photo(place)).max() < 1e-8


@given(crops, places, st.integers(10, 4000))
def test_mirrored_crop_shows_the_mirrored_place_at_the_same_spot(crop, place, width):
    there = crop.mirrored(width).to_crop((width - 1 - place[0], place[1]))
    assert np.abs(there - crop.to_crop(place)).max() < 1e-7


def test_a_crop_means_what_it_says():
    crop = Crop(100, 50, 224, math.pi / 2)  # the crop's x axis points down in the photo
    assert np.allclose(crop.to_crop((100, 50)), (111.5, 111.5))
    assert np.allclose(crop.to_crop((100, 60)), (121.5, 111.5))
    assert np.allclose(crop.flipped().to_crop((100, 60)), (101.5, 111.5))
    assert np.allclose(Crop(0, 0, 448).to_crop((2, -4)), (112.5, 109.5))


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(60, 80), (97, 61), (300, 401)]),
    st.one_of(st.floats(-20, 420), st.integers(0, 400)),
    st.one_of(st.floats(-20, 320), st.integers(0, 300)),
    st.floats(20, 2500),
    st.floats(-4, 4),
    st.booleans(),
)
def test_flip_law(seed, shape, cx, cy, size, angle, flip):
    """The mirrored crop of the mirrored photo is the same picture; the flipped crop is its mirror image."""
    photo = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    crop = Crop(cx, cy, size, angle, flip)
    picture = crop.extract(photo)
    assert picture.shape == (CROP_SIZE, CROP_SIZE, 3) and picture.dtype == np.float32
    assert np.abs(crop.mirrored(shape[1]).extract(photo[:, ::-1]) - picture).max() < 5e-5
    assert np.abs(crop.flipped().extract(photo)[:, ::-1] - picture).max() < 5e-5


def test_the_plain_crop_is_the_photo_itself(photo_file):
    photo = read_photo(photo_file)
    crop = Crop(100 + 111.5, 300 + 111.5, 224)
    assert np.abs(crop.extract(photo) - photo[300:524, 100:324] / np.float32(255)).max() < 5e-5
    turned = crop.turned(math.pi / 2)
    assert np.abs(turned.extract(photo) - np.rot90(crop.extract(photo))).max() < 1e-6


@pytest.mark.parametrize("size", [150, 300, 500, 900, 2600])
def test_a_drawn_spot_appears_where_the_map_says(size):
    rows, columns = np.mgrid[:1200, :1600]
    spot = np.array([870.3, 410.6])
    radius = size / 30
    light = 255 * np.exp(-((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / (2 * radius**2))
    photo = np.repeat(light[..., None], 3, axis=2).round().astype(np.uint8)
    crop = Crop(spot[0] + size / 7, spot[1] - size / 9, size, 0.7, flip=True)
    picture = crop.extract(photo)[..., 0]
    y, x = np.mgrid[:CROP_SIZE, :CROP_SIZE]
    middle = np.array([(x * picture).sum(), (y * picture).sum()]) / picture.sum()
    assert np.abs(middle - crop.to_crop(spot)).max() < 0.05


@pytest.mark.parametrize("size", [450, 700, 1200, 3000])
def test_shrinking_averages_instead_of_aliasing(size):
    """White noise shrunk by s keeps a deviation of about 1/s of its own; plain sampling would keep it all."""
    photo = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), dtype=np.uint8)
    inside = Crop(750, 750, size, 0.4).extract(photo)[80:144, 80:144]
    shrink = size / CROP_SIZE
    assert inside.std() < 0.3 * 1.35 / shrink
    assert abs(inside.mean() - 0.5) < 0.02


def test_outside_is_black_and_far_away_is_allowed():
    photo = np.full((50, 60, 3), 255, np.uint8)
    picture = Crop(30, 25, 600).extract(photo)
    assert picture[0, 0].max() == 0 and picture[111, 111].min() > 0.99
    assert Crop(1e6, 0, 100).extract(photo).max() == 0
    assert Crop(-3000, 100, 2000).extract(photo).max() == 0


def test_batches_of_crops(photo_file):
    photo = read_photo(photo_file)
    two = [Crop(300, 500, 400, 0.3), Crop(200, 700, 100, flip=True)]
    batch = extract_all(photo, two)
    assert tuple(batch.shape) == (2, 3, CROP_SIZE, CROP_SIZE)
    assert np.array_equal(batch[1].permute(1, 2, 0).numpy(), two[1].extract(photo))
    assert tuple(extract_all(photo, []).shape) == (0, 3, CROP_SIZE, CROP_SIZE)
    assert two[0].extract(photo, 96).shape == (96, 96, 3)


def upright_hand() -> np.ndarray:
    """21 keypoints of a flat right hand, fingers up, wrist at the origin, about 100 px tall."""
    fingers = [(-30, -25, -0.6), (-18, -55, -0.2), (-3, -58, 0.0), (11, -54, 0.15), (24, -46, 0.35)]
    points = [(0.0, 0.0)]
    for x, y, lean in fingers:
        points += [(x + k * 12 * math.sin(lean), y - k * 12 * math.cos(lean)) for k in range(4)]
    return np.array(points)


@given(st.floats(-3.1, 3.1), st.floats(0.2, 20), st.tuples(st.floats(-900, 900), st.floats(-900, 900)))
def test_crop_follows_a_turned_scaled_moved_hand(angle, scale, move):
    hand = upright_hand()
    first = Crop.from_landmarks(hand)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = Crop.from_landmarks(scale * hand @ turn.T + move)
    assert abs(math.remainder(moved.angle - first.angle - angle, math.tau)) < 1e-6
    assert moved.size == pytest.approx(scale * first.size, rel=1e-9)
    expected = scale * turn @ (first.cx, first.cy) + move
    assert np.abs((moved.cx, moved.cy) - expected).max() < 1e-6


def test_crop_from_landmarks_is_mediapipes_rule():
    """Worked by hand for an upright hand: the box of twelve landmarks, doubled, a tenth of its height up."""
    hand = upright_hand()
    hand[:, 0] -= hand[[5, 13], 0].mean() / 2 + hand[9, 0] / 2  # knuckles straight above the wrist
    hand[0] = 0
    crop = Crop.from_landmarks(hand)
    steady = hand[[0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]]
    low, high = steady.min(0), steady.max(0)
    assert crop.angle == pytest.approx(0)
    assert crop.size == pytest.approx(2 * (high - low).max())
    assert crop.cx == pytest.approx((low + high)[0] / 2)
    assert crop.cy == pytest.approx((low + high)[1] / 2 - 0.1 * (high - low)[1])


def test_crop_from_palm_is_mediapipes_rule():
    points = np.zeros((7, 2))
    points[0], points[2] = (100, 200), (140, 200)  # the hand points right
    crop = Crop.from_palm(Palm(0.9, (90.0, 180.0, 130.0, 220.0), points))
    assert crop.angle == pytest.approx(math.pi / 2)
    assert crop.size == pytest.approx(2.6 * 40)
    assert (crop.cx, crop.cy) == (pytest.approx(110 + 20), pytest.approx(200))
    assert crop.to_crop(points[2])[1] < crop.to_crop(points[0])[1]  # knuckles above the wrist


def test_upright_angle_turns_clockwise_for_hands_pointing_right():
    assert upright_angle((0, 0), (0, -1)) == 0
    assert upright_angle((0, 0), (1, 0)) == pytest.approx(math.pi / 2)


def test_bad_crops_are_named():
    with pytest.raises(InputError, match="size"):
        Crop(0, 0, 0)
    with pytest.raises(InputError, match="cx"):
        Crop(math.nan, 0, 10)
    with pytest.raises(InputError, match="empty"):
        Crop.from_box((10, 10, 10, 30))
    with pytest.raises(InputError, match="shape"):
        Crop.from_landmarks(np.zeros((20, 2)))
    box = Crop.from_box((10, 20, 50, 40), margin=1.5)
    assert (box.cx, box.cy, box.size) == (30, 30, 60)
