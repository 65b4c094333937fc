"""A camera that has moved is said, and when."""

from __future__ import annotations

import numpy as np

from annotator.correcting.views.moving import moved_cameras


def ordinary(random, names, count):
    return [{name: float(abs(random.normal(0.02, 0.006))) for name in names} for _ in range(count)]


def test_nothing_is_said_of_a_rig_that_stands_still():
    random = np.random.default_rng(0)
    assert moved_cameras(ordinary(random, ("a", "b", "c"), 40)) == []
    assert moved_cameras([]) == [] and moved_cameras([{}] * 10) == []


def test_the_camera_and_the_instant_are_named():
    random = np.random.default_rng(1)
    values = ordinary(random, ("a", "b", "c", "d"), 30)
    for one in values[18:]:
        one["c"] += 0.15
        one["a"] += 0.03
    (found,) = moved_cameras(values)
    assert found.cameras == ("c",) and found.since == 18 and 0.1 < found.share < 0.25
    assert "camera c seems to have moved since instant x" in found.words("x")


def test_of_two_cameras_nobody_knows_which():
    random = np.random.default_rng(2)
    values = ordinary(random, ("a", "b"), 12)
    for one in values[6:]:
        one["a"] += 0.1
        one["b"] += 0.1
    (found,) = moved_cameras(values)
    assert found.cameras == ("a", "b") and found.since == 6


def test_one_bad_instant_is_no_move():
    random = np.random.default_rng(3)
    values = ordinary(random, ("a", "b", "c"), 20)
    values[7]["b"] = 0.9
    assert moved_cameras(values) == []
