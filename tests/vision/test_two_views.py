"""Triangulation finds the point that both cameras see, through their lenses."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from annotator.vision.two_views import CalibratedView, triangulate

K = np.array([[900.0, 0, 350], [0, 905, 355], [0, 0, 1]])
LENS = np.array([-0.014, 1.42, -0.0035, -0.0036, -6.39])
LEFT = CalibratedView(K, LENS, np.eye(3), np.zeros(3))
RIGHT = CalibratedView(K, LENS, Rotation.from_euler("y", 35, degrees=True).as_matrix(), np.array([-0.4, 0.02, 0.1]))


def seen(view: CalibratedView, points: np.ndarray) -> np.ndarray:
    """Where a lens puts points: the forward model that `undistort` inverts."""
    camera = view.to_camera(points)
    return view._bend(camera[:, :2] / camera[:, 2:]) * [view.K[0, 0], view.K[1, 1]] + view.K[:2, 2]


def test_undistortion_inverts_the_lens():
    points = np.random.default_rng(0).uniform(-0.1, 0.1, (50, 3)) + [0, 0, 0.7]
    np.testing.assert_allclose(LEFT.undistort(seen(LEFT, points)), LEFT.project(points), atol=1e-3)


def test_triangulation_of_exact_points():
    points = np.random.default_rng(1).uniform(-0.1, 0.1, (21, 3)) + [0, 0, 0.7]
    found, error = triangulate([LEFT, RIGHT], [v.undistort(seen(v, points)) for v in (LEFT, RIGHT)])
    np.testing.assert_allclose(found, points, atol=1e-5)
    assert error.max() < 0.01


def test_disagreement_shows_as_reprojection_error():
    points = np.random.default_rng(2).uniform(-0.1, 0.1, (21, 3)) + [0, 0, 0.7]
    pixels = [v.project(points) for v in (LEFT, RIGHT)]
    pixels[0][4] += [0, 30]
    _, error = triangulate([LEFT, RIGHT], pixels)
    assert error[4] > 8
    assert np.delete(error, 4).max() < 0.01
