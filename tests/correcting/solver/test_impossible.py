"""Labels that no hand can meet are named, and what is no label is refused in one line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures import excess_degrees, some

from annotator.correcting import SolverSettings, solve
from annotator.errors import InputError

seeds = st.integers(0, 2**32 - 1)


def test_an_impossible_correction_is_named_and_the_others_are_met(make_truth, make_proposal, hand_model):
    truth = make_truth(17)
    proposal = make_proposal(truth, 17, 0.5)
    corrections = some(truth, [0, 5, 9, 13, 17, 4, 12])
    finger = truth.keypoints[8] - truth.keypoints[5]
    away = np.array([-finger[1], finger[0]]) / np.linalg.norm(finger)
    corrections[8] = tuple(truth.keypoints[5] + away * 2.5 * truth.crop_size)
    solution = solve(proposal, hand_model, corrections, exact=True)
    assert not solution.feasible
    assert solution.unmet == ("index_tip",) and "index_tip" in solution.message
    # the finger still reaches out for it
    before = solve(proposal, hand_model, {k: p for k, p in corrections.items() if k != 8}, exact=True).hand
    assert (solution.hand.keypoints[8] - before.keypoints[8]) @ away > 10 * truth.crop_size / 224
    assert excess_degrees(solution.hand, hand_model) < 1e-6
    assert np.isfinite(solution.hand.vertices).all() and solution.hand.joints[:, 2].min() > 0


@settings(max_examples=25, deadline=None)
@given(seed=seeds, kind=st.sampled_from(["far", "random", "one spot", "huge"]))
def test_absurd_corrections_give_a_possible_hand_or_a_clear_error(make_truth, hand_model, seed, kind):
    random = np.random.default_rng(seed)
    hand = make_truth(int(seed % 50), random.choice(["right", "left"]))
    centre, size = hand.crop_center, hand.crop_size
    if kind == "far":
        corrections = {int(k): centre + random.normal(0, 10 * size, 2) for k in random.permutation(21)[:3]}
    elif kind == "random":
        corrections = {k: centre + random.uniform(-0.5, 0.5, 2) * size for k in range(21)}
    elif kind == "one spot":
        corrections = {int(k): centre for k in random.permutation(21)[:2]}
    else:
        corrections = {int(random.integers(21)): 10.0 ** random.uniform(3, 30) * random.choice([-1, 1], 2)}
    try:
        solution = solve(hand, hand_model, corrections, exact=True)
    except InputError as error:
        assert "far outside" in str(error)
        return
    assert np.isfinite(solution.hand.vertices).all()
    assert excess_degrees(solution.hand, hand_model) < 1e-6
    # the pose's and the shape's own bone; the surface's field, for the last pixels, may then move either end a little
    field = solution.hand.parameters.offsets
    plain = solution.hand.parameters.replace(offsets=np.zeros_like(field))
    joints = hand_model.joints(hand_model.vertices(plain, solution.hand.side))
    assert 0.02 < np.linalg.norm(joints[5] - joints[6]) < 0.08
    assert np.linalg.norm(solution.hand.joints - joints, axis=1).max() < 0.02
    assert solution.feasible == (max(solution.residual_px.values()) <= SolverSettings().exact)


@pytest.mark.parametrize(
    ("corrections", "words"),
    [
        ({8: (math.nan, 3)}, "index_tip"),
        ({8: (1, math.inf)}, "index_tip"),
        ({8: (1, 2, 3)}, "index_tip"),
        ({8: "here"}, "index_tip"),
        ({8: (1e9, 0)}, "far outside"),
        ({21: (1, 2)}, "unknown joint"),
        ({"elbow": (1, 2)}, "elbow"),
        ({8: (1, 2), "index_tip": (3, 4)}, "twice"),
        ([(8, 1, 2)], "mapping"),
    ],
)
def test_bad_corrections(make_truth, hand_model, corrections, words):
    with pytest.raises(InputError, match=words):
        solve(make_truth(1), hand_model, corrections)


def test_a_hand_of_another_model_is_refused(make_truth, hand_model):
    hand = make_truth(1)
    other = hand.replace(parameters=hand.parameters.replace(offsets=np.zeros((7, 3))))
    with pytest.raises(InputError, match="is not of hand model"):
        solve(other, hand_model, {8: (100, 100)})


def test_bad_states_and_evidence(make_truth, hand_model):
    hand = make_truth(1)
    with pytest.raises(InputError, match="unknown joint state 'hidden'"):
        solve(hand, hand_model, {}, states={8: "hidden"})
    with pytest.raises(InputError, match="21 joint states"):
        solve(hand, hand_model, {}, states=["proposed"] * 20)
    with pytest.raises(InputError, match="evidence"):
        solve(hand, hand_model, {}, evidence=["index in front"])
