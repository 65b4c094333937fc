"""Proposals of several photos become one hand, which is where all photos have it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from small_rigs import SIZES, rig_of

from annotator.correcting.views import Sighting, join, metric_rig, refine_views
from annotator.correcting.views.matching import match
from annotator.errors import InputError
from annotator.vision.rigs import Rig


def off(hand, world) -> float:
    """mm: mean distance of the joints in the world."""
    return 1000 * float(np.linalg.norm(hand.joints - world, axis=1).mean())


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_one_mesh_in_all_photos(scene, hand_model, count, side):
    rig = rig_of(count)
    world, there = scene(rig, 3, side)
    (hand,) = join({name: [one] for name, one in there.items()}, rig, hand_model, SIZES)
    assert hand.side == side and set(hand.views) == set(rig) and not hand.left_out
    assert off(hand, world) < 4
    for name, view in hand.views.items():
        back = rig[name].to_world(view.vertices)
        np.testing.assert_allclose(back, hand.vertices, atol=1e-9)
        np.testing.assert_allclose(hand_model.vertices(view.parameters, side), view.vertices, atol=1e-6)
        np.testing.assert_allclose(view.keypoints, rig[name].project(hand.joints), atol=3)  # the lens, by a pinhole
        assert np.isfinite(view.keypoint_sigma).all() and hand.reprojection[name] < 6
    assert np.isfinite(hand.triangulated).all()
    sigma = np.linalg.norm(hand.triangulated - world, axis=1) / hand.triangulated_sigma / np.sqrt(3)
    assert 0.4 < np.sqrt(np.mean(sigma**2)) < 2.5


def test_more_photos_are_better(scene, hand_model):
    rig = rig_of(6)
    errors = []
    for count in (1, 2, 6):
        names = list(rig)[:count]
        found = []
        for seed in range(4):
            world, there = scene(rig, seed, noise=3.0)
            (hand,) = join({name: [there[name]] for name in names}, rig, hand_model, {n: SIZES[n] for n in names})
            found.append(off(hand, world))
        errors.append(np.mean(found))
    assert errors[0] > 2 * errors[1] > 2 * errors[2]


def test_a_grossly_wrong_photo_is_left_out(scene, hand_model):
    rig = rig_of(4)
    world, there = scene(rig, 5)
    bad = there["cam2"]
    there["cam2"] = bad.replace(keypoints=bad.keypoints[::-1].copy())
    (hand,) = join({name: [one] for name, one in there.items()}, rig, hand_model, SIZES)
    assert list(hand.left_out) == ["cam2"] and "contradicts" in hand.left_out["cam2"]
    assert "cam2" in hand.views and off(hand, world) < 4
    assert hand.without["cam2"] > 5 * max(hand.without[name] for name in ("cam0", "cam1", "cam3"))


def test_of_two_photos_the_surer_one_stays(scene, hand_model):
    rig = rig_of(2)
    _, there = scene(rig, 6)
    wrong = there["cam0"].keypoints[::-1].copy()
    there["cam0"] = there["cam0"].replace(keypoints=wrong, keypoint_sigma=np.full(21, 20.0), confidence=0.3)
    (hand,) = join({name: [one] for name, one in there.items()}, rig, hand_model, SIZES)
    assert hand.seen_by == ("cam1",) and set(hand.views) == {"cam0", "cam1"}
    np.testing.assert_allclose(hand.views["cam1"].keypoints, there["cam1"].keypoints, atol=8)


@pytest.mark.parametrize("sides", [("right", "right"), ("left", "right")])
def test_two_hands_are_matched_across_photos(scene, hand_model, sides):
    rig = rig_of(4)
    for seed in range(4):
        one, first = scene(rig, seed, sides[0], middle=(-0.1, 0.0, 0.02))
        other, second = scene(rig, 100 + seed, sides[1], middle=(0.1, 0.03, -0.03))
        proposals = {name: [first[name], second[name]][:: 1 if k % 2 else -1] for k, name in enumerate(rig)}
        hands = join(proposals, rig, hand_model, SIZES)
        assert len(hands) == 2
        nearest = [min(off(hand, world) for hand in hands) for world in (one, other)]
        assert max(nearest) < 5


def test_a_hand_that_one_photo_lacks(scene, hand_model):
    rig = rig_of(3)
    world, there = scene(rig, 7)
    (hand,) = join({"cam0": [there["cam0"]], "cam2": [there["cam2"]]}, rig, hand_model, SIZES)
    assert hand.seen_by == ("cam0", "cam2") and set(hand.views) == set(rig)
    assert off(hand, world) < 4
    np.testing.assert_allclose(hand.views["cam1"].keypoints, rig["cam1"].project(world), atol=6)


def test_a_rig_without_a_unit_is_measured_by_the_hands(scene, hand_model):
    rig = rig_of(3)
    world, there = scene(rig, 8)
    unknown = Rig({n: type(rig[n])(n, rig[n].K, rig[n].R, rig[n].t / 0.04, rig[n].distortion) for n in rig}, None)
    proposals = {name: [one] for name, one in there.items()}
    found = metric_rig(unknown, proposals)
    assert np.linalg.norm(found["cam1"].t) == pytest.approx(np.linalg.norm(rig["cam1"].t), rel=0.1)
    (hand,) = join(proposals, unknown, hand_model, SIZES)
    size = np.linalg.norm(hand.joints[9] - hand.joints[0]) / np.linalg.norm(world[9] - world[0])
    assert size == pytest.approx(1.0, abs=0.1)


def test_a_label_in_one_photo_moves_the_mesh_in_all(scene, hand_model):
    rig = rig_of(3)
    world, there = scene(rig, 9, noise=4.0)
    (hand,) = join({name: [one] for name, one in there.items()}, rig, hand_model, SIZES)
    truth = {name: rig[name].project(world) for name in rig}
    given = {name: {k: tuple(truth[name][k]) for k in (4, 8, 12, 16, 20)} for name in ("cam0", "cam1")}
    fixed = refine_views(hand, hand_model, given, definition="ours")
    assert fixed.corrections == given
    tips = [4, 8, 12, 16, 20]

    def at(one, name):
        return np.linalg.norm(one.views[name].keypoints - truth[name], axis=1)[tips].mean()

    assert at(fixed, "cam2") < 0.7 * at(hand, "cam2")  # where nobody labelled anything
    assert off(fixed, world) < off(hand, world)
    again = refine_views(refine_views(hand, hand_model, {"cam0": given["cam0"]}, definition="ours"), hand_model,
                         {"cam1": given["cam1"]}, definition="ours")  # fmt: skip
    np.testing.assert_allclose(again.vertices, fixed.vertices, atol=1e-9)  # the order of labels is nothing
    assert all((fixed.views[n].keypoint_sigma[tips] < hand.views[n].keypoint_sigma[tips]).all() for n in rig)


def test_nothing_told_changes_nothing(scene, hand_model):
    rig = rig_of(3)
    _, there = scene(rig, 10)
    (hand,) = join({name: [one] for name, one in there.items()}, rig, hand_model, SIZES)
    np.testing.assert_allclose(refine_views(hand, hand_model, {}).vertices, hand.vertices, atol=1e-4)


def test_what_refine_does_not_take(scene, hand_model):
    rig = rig_of(2)
    _, there = scene(rig, 11)
    (hand,) = join({name: [one] for name, one in there.items()}, rig, hand_model, SIZES)
    for given, said in (
        ({"cam7": {8: (1, 1)}}, "not in a photo of camera 'cam7'"),
        ({"cam0": {"nose": (1, 1)}}, "nose"),
        ({"cam0": {8: (float("nan"), 1)}}, "finite photo coordinates"),
        ({"cam0": {8: (1e6, 1e6)}}, "far outside"),
    ):
        with pytest.raises(InputError, match=said):
            refine_views(hand, hand_model, given)


def test_dragging_in_four_photos_is_quick(scene, hand_model):
    rig = rig_of(4)
    world, there = scene(rig, 12, noise=3.0)
    (hand,) = join({name: [one] for name, one in there.items()}, rig, hand_model, SIZES)
    times = []
    for step in range(12):
        place = tuple(rig["cam1"].project(world)[8] + step)
        start = time.process_time()  # a busy machine is no slow solver
        hand = refine_views(hand, hand_model, {"cam1": {8: place}})
        times.append(time.process_time() - start)
    assert min(times) < 0.1  # what a person waits: benchmarks/rigs.py


def test_matching_takes_each_proposal_once(scene):
    rig = rig_of(3)
    _, first = scene(rig, 13, middle=(-0.12, 0, 0))
    _, second = scene(rig, 14, middle=(0.12, 0, 0))
    sightings = [Sighting.of(rig[name], hand) for name in rig for hand in (first[name], second[name])]
    hands = match(sightings)
    assert sorted(len(hand) for hand in hands) == [3, 3]
    assert len({id(one) for hand in hands for one in hand}) == 6
