"""Points by rays: exact where they are, as unsure as the pixels make them, and nowhere where rays do not meet."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from annotator.vision.rigs import RigCamera
from annotator.vision.rigs.triangulation import triangulate

K = np.array([[900.0, 0, 320], [0, 905, 240], [0, 0, 1]])


def cameras(*angles: float) -> list[RigCamera]:
    return [
        RigCamera(f"{a:g}", K, Rotation.from_euler("y", a, degrees=True).as_matrix(), np.array([0, 0, 0.7]),
                  [-0.2, 0.05, 0.001, -0.002]) for a in angles
    ]  # fmt: skip


def seen(some: list[RigCamera], points: np.ndarray) -> np.ndarray:
    return np.array([camera.ideal(camera.project(points)) for camera in some])


@pytest.mark.parametrize("angles", [(0, 40), (0, 90, 200), (0, 5, 90, 180)])
def test_exact_places_give_exact_points(angles):
    points = np.random.default_rng(1).uniform(-0.1, 0.1, (21, 3))
    some = cameras(*angles)
    found, covariance, off = triangulate(some, seen(some, points), np.full((len(some), 21), 1.5))
    np.testing.assert_allclose(found, points, atol=1e-7)
    assert off.max() < 1e-6 and (np.linalg.eigvalsh(covariance) > 0).all()


def test_disagreement_shows_as_reprojection_error():
    points = np.random.default_rng(5).uniform(-0.1, 0.1, (21, 3))
    some = cameras(0, 35)
    places = seen(some, points)
    places[0, 4] += [0, 30]
    _, _, off = triangulate(some, places, np.ones((2, 21)))
    assert off.max(0)[4] > 8
    assert np.delete(off.max(0), 4).max() < 0.01


def test_its_covariance_is_that_of_the_errors():
    some, random = cameras(0, 40, 80), np.random.default_rng(2)
    point = np.array([[0.02, -0.03, 0.05]])
    sigma = np.array([[1.0], [3.0], [2.0]])
    places = seen(some, np.repeat(point, 3000, axis=0))
    noisy = places + random.normal(size=places.shape) * sigma[..., None]
    found, covariance, _ = triangulate(some, noisy, np.repeat(sigma, 3000, axis=1))
    measured = np.cov((found - point).T)
    np.testing.assert_allclose(measured, covariance.mean(axis=0), rtol=0.15, atol=2e-8)


def test_a_point_that_one_camera_sees_is_nowhere():
    points = np.random.default_rng(3).uniform(-0.1, 0.1, (3, 3))
    some = cameras(0, 60)
    places = seen(some, points)
    places[1, 0] = np.nan
    sigma = np.ones((2, 3))
    sigma[0, 1] = np.nan
    found, _, _ = triangulate(some, places, sigma)
    assert np.isnan(found[:2]).all() and np.allclose(found[2], points[2])


def test_rays_that_hardly_cross_or_cross_behind_say_nothing():
    points = np.random.default_rng(4).uniform(-0.1, 0.1, (3, 3))
    some = cameras(0, 0.1)
    found, _, _ = triangulate(some, seen(some, points), np.ones((2, 3)))
    assert np.isnan(found).all()
    apart = [RigCamera("a", K, np.eye(3), np.zeros(3)), RigCamera("b", K, np.eye(3), np.array([-0.3, 0, 0]))]
    behind, _, _ = triangulate(apart, np.array([[[320.0, 240]], [[520.0, 240]]]), np.ones((2, 1)))
    assert np.isnan(behind).all()
