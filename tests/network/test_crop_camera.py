"""The crop's camera: exact two-way maps for any place of the hand, mirrored crops included."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.network.crop_camera import MEAN_SCALE, CropView, plain_projection, project, translation_of
from annotator.vision.camera import project as project_photo
from annotator.vision.crops import Crop

K = np.array([[900.0, 0, 512], [0, 880, 380], [0, 0, 1]])
crops = st.builds(
    Crop,
    cx=st.floats(0, 1024),
    cy=st.floats(0, 768),
    size=st.floats(60, 500),
    angle=st.floats(-3.1, 3.1),
    flip=st.booleans(),
)


@given(crop=crops, seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_projection_into_the_crop_goes_through_the_photo(crop, seed):
    view = CropView.of(crop, K)
    points = np.random.default_rng(seed).normal(0, 0.06, (21, 3)) + [0, 0, 0.7]
    through_photo = crop.to_crop(project_photo(view.to_camera(points), K))
    direct = project(torch.tensor(points)[None], torch.tensor(view.projection)[None])[0].numpy()
    np.testing.assert_allclose(direct, through_photo, atol=1e-7)
    np.testing.assert_allclose(view.to_view(view.to_camera(points)), points, atol=1e-12)


@given(crop=crops)
@settings(max_examples=30, deadline=None)
def test_the_optical_axis_meets_the_crops_centre_and_flips_mirror(crop):
    view = CropView.of(crop, K)
    centre = project(torch.tensor([[[0.0, 0, 1]]], dtype=torch.float64), torch.tensor(view.projection)[None])
    np.testing.assert_allclose(centre[0, 0].numpy(), [111.5, 111.5], atol=1e-7)
    assert np.linalg.det(view.rotation) * (-1 if crop.flip else 1) > 0.999


def test_translation_puts_the_wrist_where_the_camera_says():
    focal = torch.tensor([672.0], dtype=torch.float64)
    camera = torch.tensor([[0.0, 0.25, -0.5]], dtype=torch.float64)
    place = translation_of(camera, focal)
    assert abs(float(place[0, 2]) - 672 / 112 / MEAN_SCALE) < 1e-9
    pixel = project(place[:, None], plain_projection(focal))[0, 0]
    np.testing.assert_allclose(pixel.numpy(), [111.5 + 0.25 * 112, 111.5 - 0.5 * 112], atol=1e-6)
