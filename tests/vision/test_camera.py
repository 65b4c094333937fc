"""Projection and the default camera."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.vision.camera import check_camera, default_camera, project


def test_projection_by_hand():
    K = np.array([[500.0, 0, 320], [0, 400, 240], [0, 0, 1]])
    assert np.allclose(project(np.array([[0.1, -0.2, 0.5], [0, 0, 2]]), K), [[420, 80], [320, 240]])
    assert project(np.ones((2, 21, 3)), K).shape == (2, 21, 2)


def test_default_camera():
    K = default_camera(480, 640)
    assert K[0, 0] == K[1, 1] == 768 and (K[0, 2], K[1, 2]) == (319.5, 239.5)
    assert default_camera(480, 640, largest_box=400)[0, 0] == 1200
    assert np.array_equal(check_camera(K), K)


@pytest.mark.parametrize(
    ("K", "what"),
    [
        (np.eye(4), "shape"),
        (np.full((3, 3), np.nan), "NaN"),
        (np.zeros((3, 3)), "positive"),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 2]], "form"),
        ("K", "numeric"),
    ],
)
def test_bad_cameras_are_named(K, what):
    with pytest.raises(InputError, match=what):
        check_camera(K)
