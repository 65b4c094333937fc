"""Calibration: factors that make intervals hold what they say, whatever the errors' distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.learning.calibration import Ratios, calibrate, centred_errors, ratios
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.scoring import rendered_answers
from annotator.network.glfnet import GLFNet, GLFNetConfig
from annotator.synthetic.generate import generate


@given(seed=st.integers(0, 1000), pixels=st.floats(0.2, 5), metres=st.floats(0.2, 5))
@settings(max_examples=20, deadline=None)
def test_normal_errors_calibrate_to_their_own_sigma(seed, pixels, metres):
    rng = np.random.default_rng(seed)
    found = Ratios(
        pixels * np.linalg.norm(rng.normal(size=(20_000, 2)), axis=1),
        metres * np.linalg.norm(rng.normal(size=(20_000, 3)), axis=1),
    )
    assert found.factors() == pytest.approx((pixels, metres), rel=0.04)
    right = Ratios(found.keypoints / pixels, found.vertices / metres)
    for shares in right.shares():
        assert np.abs(shares - [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]).max() < 0.02


def test_a_hand_in_another_place_has_no_error_of_shape():
    hands = np.random.default_rng(0).normal(size=(3, 50, 3))
    assert centred_errors(hands + [[[0.1, -0.2, 0.3]]], hands).max() < 1e-12


def test_a_calibrated_network_holds_nine_of_ten(tmp_path):
    generate(tmp_path, 40, 5)
    torch.manual_seed(0)
    network = GLFNet(GLFNetConfig(levels=(0,), strides=(32,), hidden=64, width=16)).eval()
    calibrate(network, tmp_path, 40)
    keypoints, vertices = ratios(network, *rendered_answers(network, RenderedCrops(tmp_path, jitter=False), 40)).shares(
        np.array([0.9])
    )
    assert keypoints == pytest.approx(0.9, abs=0.01) and vertices == pytest.approx(0.9, abs=0.01)
    once = network.unsure.calibration.clone()
    assert calibrate(network, tmp_path, 40) == pytest.approx((1.0, 1.0), abs=0.01)
    assert torch.allclose(network.unsure.calibration, once, rtol=0.02)
