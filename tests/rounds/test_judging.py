"""The rule of promotion: better on held-out hands with confidence, and nothing forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.evaluation.bootstrap import paired, resampled_means
from annotator.rounds.retraining.judging import contradicting, judge
from annotator.rounds.settings import RoundSettings

SETTINGS = RoundSettings()


def errors(change: float, count: int = 40, spread: float = 0.01, seed: int = 0):
    random = np.random.default_rng(seed)
    before = random.uniform(0.05, 0.2, count)
    return before, before + change + random.normal(0, spread, count), np.arange(count).astype(str)


def test_better_is_promoted_and_says_by_how_much():
    verdict = judge(*errors(-0.02), (np.full(9, 4.0), np.full(9, 4.05)), SETTINGS)
    assert verdict.promoted and "better with confidence 1.00" in verdict.why and verdict.photo.high < 0


@pytest.mark.parametrize("change", [0.0, 0.02])
def test_no_better_or_worse_is_not(change):
    verdict = judge(*errors(change), None, SETTINGS)
    assert not verdict.promoted and "0.95 is asked for" in verdict.why


def test_forgetting_is_not_paid_for_with_gain():
    old = np.full(20, 4.0)
    verdict = judge(*errors(-0.02), (old, old * 1.031), SETTINGS)
    assert not verdict.promoted and "grew by 3.1 %, 3 are allowed" in verdict.why


def test_too_few_hands_cannot_tell():
    before, after, photos = errors(-0.02)
    before[9:] = np.nan
    verdict = judge(before, after, photos, None, SETTINGS)
    assert not verdict.promoted and "9 held-out hands cannot tell, at least 10" in verdict.why
    assert judge(np.empty(0), np.empty(0), np.empty(0, str), None, SETTINGS).photo is None


def test_hands_of_one_photo_are_one_witness():
    """Twenty hands of one photo got better, nineteen alone did not: counted by hands that is sure, by photos it is
    not."""
    change = np.concatenate([np.full(20, -0.05), np.linspace(-0.01, 0.012, 19)])
    photos = np.array(["same"] * 20 + [str(k) for k in range(19)])
    before = np.full(39, 0.1)
    assert judge(before, before + change, np.arange(39).astype(str), None, SETTINGS).promoted
    assert not judge(before, before + change, photos, None, SETTINGS).promoted


def accepted(wrong: int, hard: int = 0, count: int = 100):
    """(before, after) of accepted hands: ordinary ones; hard ones, which get better; wrongly corrected ones, which do
    not."""
    before, after = np.full(count, 0.1), np.full(count, 0.08)
    before[:wrong], after[:wrong] = 0.5, 0.5
    before[wrong : wrong + hard], after[wrong : wrong + hard] = 0.5, 0.3
    return before, after


def test_many_corrections_that_contradict_the_held_out_hands_stop_a_better_model():
    held = np.linspace(0.02, 0.2, 60)
    for wrong, hard, promoted in ((30, 0, False), (12, 0, True), (0, 40, True)):
        against = contradicting(*accepted(wrong, hard), held)
        assert against.sum() == wrong and against[:wrong].all()
        verdict = judge(*errors(-0.02), None, SETTINGS, against)
        assert verdict.promoted is promoted
    few = contradicting(*accepted(2, count=8), held)  # two of eight may be chance
    assert judge(*errors(-0.02), None, SETTINGS, few).promoted
    verdict = judge(*errors(-0.02), None, SETTINGS, contradicting(*accepted(30), held))
    assert "30 of 100 accepted hands contradict" in verdict.why


def test_hands_as_far_off_as_others_are_not_wide():
    """Held-out hands that are all alike: what is a little farther off than nine in ten of them is no contradiction."""
    held, same = np.linspace(0.050, 0.052, 12), np.full(48, 0.06)
    assert not contradicting(same, same, held).any()
    assert contradicting(2 * same, 2 * same, held).all()


def test_without_held_out_hands_nothing_contradicts():
    before, after = accepted(30)
    assert not contradicting(before, after, np.array([np.nan])).any()
    assert not contradicting(np.full(3, np.nan), np.full(3, np.nan), np.linspace(0, 1, 20)).any()


@given(st.integers(2, 30), st.integers(0, 100), st.floats(0.01, 100))
def test_the_order_of_hands_and_their_unit_do_not_matter(count, seed, unit):
    before, after, _ = errors(-0.003, count, seed=seed)
    one, scaled = paired(before, after), paired(before * unit, after * unit)
    assert scaled.low == pytest.approx(one.low * unit, rel=1e-6, abs=1e-9)
    assert abs(scaled.better - one.better) <= 1e-3 and 0 <= one.better <= 1 and one.low <= one.high


def test_the_interval_covers_as_often_as_it_says():
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        low, high = np.percentile(resampled_means(random.normal(1, 1, 60), resamples=400)[:, 0], [2.5, 97.5])
        inside += low <= 1 <= high
    assert 0.90 <= inside / 300 <= 0.98


def test_what_the_definition_brings_does_not_promote_the_weights():
    """Read by a new definition the parent errs less by 0.02; the child, read alike, is better or worse than that."""
    before, _, photos = errors(0.0)
    between = before - 0.02
    worse = judge(before, between + 0.005, photos, None, SETTINGS, between=between)
    assert worse.photo.better == 1.0 and worse.weights.after > worse.weights.before
    assert not worse.promoted and "read alike the new weights are worse than the old" in worse.why
    better = judge(before, between - 0.005, photos, None, SETTINGS, between=between)
    assert better.promoted and better.weights.better == 1.0 and "by reading labels as they are meant" in better.why
    assert better.photo.after - better.photo.before == pytest.approx(-0.025)
    # without a new definition all of the change is the weights'
    alone = judge(before, between, photos, None, SETTINGS)
    assert alone.weights == alone.photo
