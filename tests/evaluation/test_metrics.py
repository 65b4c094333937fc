"""Laws of the metrics: similarity invariance, the reflection trap, and values known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from annotator.evaluation import metrics


@given(seed=st.integers(0, 10_000), scale=st.floats(0.2, 5.0))
@settings(max_examples=40, deadline=None)
def test_alignment_undoes_any_similarity(seed, scale):
    rng = np.random.default_rng(seed)
    target = rng.normal(size=(21, 3)) * 0.05
    moved = scale * target @ Rotation.random(random_state=seed).as_matrix().T + rng.normal(size=3)
    assert metrics.point_errors(moved, target).max() < 1e-9


def test_only_the_official_alignment_forgives_a_mirrored_hand():
    target = np.random.default_rng(1).normal(size=(21, 3)) * 0.05
    mirrored = target * [-1, 1, 1]
    assert metrics.point_errors(mirrored, target, reflect=True).max() < 1e-9
    assert metrics.point_errors(mirrored, target, reflect=False).mean() > 0.005


def test_batched_alignment_equals_one_by_one():
    rng = np.random.default_rng(2)
    points, target = rng.normal(size=(2, 5, 21, 3))
    together = metrics.aligned(points, target)
    for k in range(5):
        np.testing.assert_allclose(together[k], metrics.aligned(points[k], target[k]), atol=1e-12)


def test_f_score_is_strict_and_symmetric():
    line = np.stack([np.arange(4) * 0.1, np.zeros(4), np.zeros(4)], 1)
    near = line + [0, 0.004, 0]
    assert metrics.f_score(near, line, 0.005) == 1.0
    assert metrics.f_score(near, line, 0.004) == 0.0
    half = near.copy()
    half[:2, 1] = 0.05
    assert metrics.f_score(half, line, 0.005) == pytest.approx(0.5)


def test_auc_of_constant_errors():
    assert metrics.auc(np.zeros((3, 21))) == pytest.approx(1.0)
    assert metrics.auc(np.full((3, 21), 0.025)) == pytest.approx(0.5, abs=0.01)
    assert metrics.auc(np.full((3, 21), 0.06)) == 0.0


def test_keypoint_summary_ignores_unknown_points():
    truth = np.zeros((1, 21, 2))
    guess = truth.copy()
    guess[0, 3] = [1000, 0]
    guess[0, 4] = [10, 0]
    known = np.ones((1, 21), bool)
    known[0, 3] = False
    row = metrics.keypoint_summary(guess, truth, known, np.array([100.0]))
    assert row["error_over_box"] == pytest.approx(0.1 / 20)
    assert row["pck_05"] == pytest.approx(19 / 20)
