"""Lenses bend as OpenCV's do, and the way back is exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.errors import InputError
from annotator.vision.rigs import RigCamera
from annotator.vision.rigs.lens import check_distortion, distort, undistort

K = np.array([[900.0, 0, 350], [0, 905, 355], [0, 0, 1]])
PLACES = np.array([[0.1, -0.2, 1], [-0.35, 0.3, 1], [0.0, 0.0, 1], [0.4, 0.1, 1.0]])
# made by cv2.projectPoints and cv2.fisheye.projectPoints (OpenCV 4) of PLACES with K, no rotation
FOUR = [-0.28, 0.07, 0.001, -0.0007]
EIGHT = [0.3, -0.1, 0.0004, 0.0011, 0.02, 0.25, -0.05, 0.01]
TWELVE = [0.1, -0.05, 0.001, -0.002, 0.01, 0.05, 0.01, -0.005, 0.002, -0.001, 0.0015, 0.0007]
OPENCV = [
    (FOUR, "opencv", [[438.67565, 176.645315], [52.26958, 611.692192], [350.0, 355.0], [693.35558, 441.496552]]),
    ([*FOUR, 0.01], "opencv", [[438.675762, 176.645089], [52.239353, 611.718244], [350, 355], [693.373267, 441.501]]),
    (EIGHT, "opencv", [[440.266148, 173.582397], [32.840708, 628.619352], [350.0, 355.0], [712.970414, 446.26596]]),
    (TWELVE, "opencv", [[440.136886, 173.834891], [31.818291, 629.716689], [350.0, 355.0], [711.910887, 446.389848]]),
    ([0.05, -0.02, 0.006, -0.001], "fisheye",
     [[438.753617, 176.506615], [52.279461, 611.60675], [350.0, 355.0], [693.915984, 441.456657]]),
]  # fmt: skip


@pytest.mark.parametrize(("numbers", "lens", "pixels"), OPENCV, ids=["4", "5", "8", "12", "fisheye"])
def test_it_bends_as_opencv_does_and_back(numbers, lens, pixels):
    camera = RigCamera("a", K, np.eye(3), np.zeros(3), numbers, lens)
    np.testing.assert_allclose(camera.project(PLACES), pixels, atol=2e-6)
    np.testing.assert_allclose(camera.ideal(np.array(pixels)), PLACES[:, :2] @ K[:2, :2].T + K[:2, 2], atol=1e-4)
    np.testing.assert_allclose(camera.bent(camera.ideal(np.array(pixels))), pixels, atol=1e-6)


@given(
    st.lists(st.floats(-0.15, 0.15), min_size=2, max_size=2),
    st.lists(st.floats(-0.003, 0.003), min_size=2, max_size=2),
    st.lists(st.tuples(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6)), min_size=1, max_size=5),
)
def test_the_way_back_is_exact_where_the_lens_shows_something(radial, tangential, places):
    numbers = check_distortion([*radial, *tangential], "opencv")
    bent = distort(np.array(places), numbers)
    np.testing.assert_allclose(undistort(bent, numbers), places, atol=1e-7)


def test_beyond_what_a_lens_shows_there_is_nothing():
    numbers = check_distortion([-0.5, 0, 0, 0], "opencv")  # bends no place farther out than 0.545
    assert np.isnan(undistort(np.array([[0.7, 0.0]]), numbers)).all()
    assert np.isfinite(undistort(np.array([[0.4, 0.0]]), numbers)).all()
    assert np.isnan(undistort(np.array([[2.0, 0.0]]), check_distortion([0.1, 0, 0, 0], "fisheye"), "fisheye")).all()


def test_a_pinhole_follows_the_lens_over_a_hand():
    camera = RigCamera("a", K, np.eye(3), np.zeros(3), [-0.28, 0.07, 0.001, -0.0007, 0.01])
    points = np.random.default_rng(0).uniform(-0.08, 0.08, (100, 3)) + [0.15, -0.1, 0.7]
    pinhole, off = camera.pinhole_at(points)
    seen = points @ pinhole.T
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:], camera.project(points), atol=off + 1e-9)
    plain = points @ K.T
    assert off < 0.3 * np.abs(plain[:, :2] / plain[:, 2:] - camera.project(points)).max()


@pytest.mark.parametrize(
    ("numbers", "lens", "said"),
    [
        ([0.1] * 6, "opencv", None),
        ([0.1] * 13, "opencv", "13 numbers"),
        ([0.1] * 5, "fisheye", "5 numbers"),
        ([np.nan] * 4, "opencv", "NaN"),
        ([0.1] * 4, "dome", "unknown lens"),
        (["a"], "opencv", "not numeric"),
    ],
)
def test_wrong_lenses_are_said(numbers, lens, said):
    if said is None:
        assert len(check_distortion(numbers, lens)) == 8
        return
    with pytest.raises(InputError, match=said):
        check_distortion(numbers, lens)
