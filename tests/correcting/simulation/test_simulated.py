"""The simulated annotator: what it does, what it counts, and what the report says of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.correcting import solve
from annotator.correcting.next_keypoint import expected_gain, next_keypoint
from annotator.correcting.simulation.annotators import ANNOTATORS, SimulatedAnnotator, simulated_annotator
from annotator.correcting.simulation.report import corrections_to, curve, plot, summarise
from annotator.correcting.simulation.simulated import Trace, Truth, annotate
from annotator.errors import InputError


@pytest.fixture
def case(make_truth, make_proposal):
    def make(seed, size=1.0, hidden=()):
        mesh = make_truth(seed)
        visible = np.ones(21, dtype=bool)
        visible[list(hidden)] = False
        return make_proposal(mesh, seed, size), Truth(mesh.keypoints, visible, mesh.vertices, mesh.joints)

    return make


@pytest.fixture
def refine(hand_model):
    return lambda hand, corrections: solve(hand, hand_model, corrections).hand


def off(hand, truth):
    return np.linalg.norm(hand.keypoints - truth.keypoints, axis=1) * 224 / hand.crop_size


def test_it_corrects_the_worst_visible_keypoint_and_measures(case, refine, hand_model):
    hand, truth = case(3, hidden=(4, 8))
    seen = []

    def watched(start, corrections):
        assert start is hand  # always the proposal and all corrections so far
        seen.append(dict(corrections))
        return refine(start, corrections)

    trace = annotate(hand, truth, watched, hand_model, corrections=6, random=np.random.default_rng(1))
    assert len(trace.joints) == 6 and len(set(trace.joints)) == 6 and not {4, 8} & set(trace.joints)
    distance = off(hand, truth)
    distance[[4, 8]] = 0
    assert trace.joints[0] == distance.argmax()
    assert [len(c) for c in seen] == [1, 2, 3, 4, 5, 6]
    for k, place in seen[-1].items():  # a person's noise, no more
        assert np.linalg.norm(np.array(place) - truth.keypoints[k]) * 224 / hand.crop_size < 8
    assert trace.vertex_mm.shape == trace.photo_px.shape == (7,) and trace.seconds.shape == (6,)
    assert trace.vertex_mm[-1] < trace.vertex_mm[0] and trace.photo_px[-1] < trace.photo_px[0]
    assert 0 < trace.miss_px.max() < off(hand, truth).max()  # labels are evidence: the mesh comes near, not onto them
    assert trace.others_before_px[0] == trace.others_px[0] == pytest.approx(np.delete(off(hand, truth), [4, 8]).mean())


def test_noise_and_policies(case, refine, hand_model):
    hand, truth = case(5)
    still = SimulatedAnnotator("still", 0.0)
    exact = annotate(hand, truth, refine, hand_model, corrections=3, person=still)
    assert exact.photo_px[-1] < exact.photo_px[0]
    same = annotate(hand, truth, refine, hand_model, corrections=3, person=still)
    assert np.array_equal(exact.joints, same.joints) and np.array_equal(exact.vertex_mm, same.vertex_mm)
    random = [annotate(hand, truth, refine, hand_model, 3, "random", random=np.random.default_rng(s)) for s in (1, 2)]
    assert list(random[0].joints) != list(random[1].joints)
    chosen = annotate(hand, truth, refine, hand_model, 2, "model")
    assert chosen.joints[0] == expected_gain(hand, hand_model).argmax()
    with pytest.raises(InputError, match="policy"):
        annotate(hand, truth, refine, hand_model, 1, "best")


def test_the_four_annotators(case):
    hand, truth = case(7)
    box = np.ptp(truth.keypoints, axis=0).max()

    def drawn(name):
        person = simulated_annotator(name, 3)
        clicks = [person.clicks(hand, truth, np.random.default_rng(k)) for k in range(300)]
        return np.array(clicks) - truth.keypoints

    draws = {name: drawn(name) for name in ANNOTATORS}
    spread = {name: of.std(axis=0).mean() for name, of in draws.items()}
    assert spread["steady"] == pytest.approx(1.5 * hand.crop_size / 224, rel=0.05)
    assert spread["ordinary"] == pytest.approx(0.02 * box, rel=0.05)
    # an own definition is the same offset every time, largest at wrist and thumb base
    always = np.linalg.norm(draws["own definition"].mean(axis=0), axis=1) / box
    assert always.mean() > 0.008
    ways = (
        np.array([simulated_annotator("own definition", seed).own_way for seed in range(60)]).std(axis=0).mean(axis=1)
    )
    assert ways[[0, 1]].min() > 2.5 * ways[[4, 8, 20]].max() and ways[9] > 1.3 * ways[8]
    assert np.linalg.norm(draws["ordinary"].mean(axis=0), axis=1).max() < 0.006 * box
    other = simulated_annotator("own definition", 4)
    assert not np.allclose(other.own_way, simulated_annotator("own definition", 3).own_way)
    # one click in forty lands on the neighbouring finger's joint
    finger_apart = np.linalg.norm(truth.keypoints[8] - truth.keypoints[12])
    slips = np.linalg.norm(draws["careless"][:, 8], axis=1) > 0.5 * finger_apart
    assert 1 / 100 < slips.mean() < 1 / 15
    with pytest.raises(InputError, match="unknown annotator 'nobody'"):
        simulated_annotator("nobody")


def test_it_stops_when_nothing_visible_is_left(case, refine, hand_model):
    hand, truth = case(6, hidden=range(3, 21))
    trace = annotate(hand, truth, refine, hand_model)
    assert sorted(trace.joints) == [0, 1, 2] and np.isnan(trace.others_px[-1])
    photo_only = Truth(truth.keypoints, truth.visible)
    assert np.isnan(annotate(hand, photo_only, refine, hand_model, 1).vertex_mm).all()


def test_expected_gain(case, hand_model):
    hand, truth = case(8)
    gain = expected_gain(hand, hand_model)
    assert gain.shape == (21,) and (gain > 0).all()
    tip = solve(hand, hand_model, {8: truth.keypoints[8]}).hand
    done = expected_gain(tip, hand_model, states={4: "occluded"})
    assert done[8] == done[4] == 0
    assert done[7] < gain[7]  # beside a corrected tip there is less left to learn
    sigma = np.array(hand.keypoint_sigma)
    sigma[16] *= 4
    assert expected_gain(hand.replace(keypoint_sigma=sigma), hand_model)[16] > gain[16]
    assert next_keypoint(hand, hand_model) == gain.argmax()
    assert next_keypoint(hand, hand_model, ["confirmed"] * 21) is None


def trace_of(errors, joints=None):
    errors = np.array(errors, dtype=float)
    n = len(errors) - 1
    return Trace(np.arange(n), errors, errors, errors, errors, errors, np.zeros(n + 1), np.full(n, 0.01))


def test_the_report(tmp_path):
    traces = [trace_of([10, 8, 6, 4]), trace_of([6, 4])]
    assert np.array_equal(curve(traces, "vertex_mm", 3), [[10, 8, 6, 4], [6, 4, 4, 4]])
    assert np.isnan(curve(traces, "others_px", 3)[1, 2:]).all()
    assert corrections_to(traces, 5.0, 3) == {
        "goal_mm": 5.0, "share_of_hands": 1.0, "mean_corrections": 2.0, "median_corrections": 2.0
    }  # fmt: skip
    assert corrections_to(traces, 3.0, 3)["mean_corrections"] is None
    summary = summarise(traces, 3)
    assert summary["vertex_mm"]["mean"] == [8, 6, 5, 4]
    assert summary["share_of_gain"] == [0, 0.5, 0.75, 1]
    assert summary["seconds"]["p95"] == pytest.approx(0.01)
    assert json.loads(json.dumps(summary)) == summary
    plot({"a": summary, "b": summary}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
