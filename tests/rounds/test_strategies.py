"""Strategies: what each must do whatever the numbers are, and what a user's own may and may not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator import registry
from annotator.errors import InputError
from annotator.rounds.selection.candidates import Candidates
from annotator.rounds.selection.strategies import BUILT_IN, choose, names, strategy


def candidates_of(count: int, seed: int = 0, known: int = 0, **fields) -> Candidates:
    random = np.random.default_rng(seed)
    values = {
        "ids": tuple(f"hand-{k}" for k in range(count)),
        "gains": random.random((count, 21)) ** 2 * 1e-4,
        "sigma": random.random(count) * 20,
        "stages": random.random(count) * 10,
        "views": random.random(count) * 10,
        "severity": random.random(count),
        "features": random.normal(size=(count, 6)),
        "taught": random.normal(size=(known, 6)),
    }
    return Candidates(**(values | fields))


@given(st.sampled_from(sorted(BUILT_IN)), st.integers(0, 40), st.integers(0, 60), st.integers(0, 5), st.integers(0, 99))
def test_as_many_as_asked_none_twice_and_the_same_again(name, pool, count, taught, seed):
    candidates = candidates_of(pool, seed, taught)
    first = choose(name, candidates, count, np.random.default_rng(seed))
    assert len(first) == len({one.index for one in first}) == min(pool, count)
    assert first == choose(name, candidates, count, np.random.default_rng(seed))


def test_uncertainty_asks_for_the_least_sure():
    candidates = candidates_of(30)
    chosen = [one.index for one in choose("uncertainty", candidates, 5, np.random.default_rng(0))]
    assert chosen == np.argsort(-candidates.sigma)[:5].tolist()


@pytest.mark.parametrize("name", ["core-set", "weighted-core-set"])
def test_crowds_are_visited_once_before_any_twice(name):
    """Five crowds of very different size, equal in all else: the first five choices are one of each."""
    random = np.random.default_rng(3)
    crowd = np.repeat(np.arange(5), (60, 20, 8, 3, 2))
    features = 10 * np.eye(5)[crowd] + random.normal(0, 0.1, (len(crowd), 5))
    even = np.ones(len(crowd))
    candidates = candidates_of(
        len(crowd),
        features=features,
        taught=np.empty((0, 5)),
        gains=np.tile(np.linspace(1, 2, 21) * 1e-5, (len(crowd), 1)),
        sigma=even,
        stages=even,
        views=even,
        severity=even,
    )
    blind = 0 if name == "core-set" else 1
    chosen = [
        one.index
        for one in choose(name, candidates, 5 + blind, np.random.default_rng(1))
        if one.why != "drawn at random"
    ]
    assert sorted(crowd[chosen].tolist()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", ["core-set", "weighted-core-set"])
def test_what_has_taught_is_not_asked_again(name):
    random = np.random.default_rng(4)
    features = np.concatenate([random.normal(0, 0.1, (20, 4)), random.normal(5, 0.1, (2, 4))])
    even = np.ones(22)
    candidates = candidates_of(
        22,
        features=features,
        taught=np.zeros((3, 4)),
        gains=np.full((22, 21), 1e-5),
        sigma=even,
        stages=even,
        views=even,
        severity=even,
    )
    assert choose(name, candidates, 1, np.random.default_rng(0))[0].index >= 20


def test_ours_goes_for_the_expected_drop_and_asks_for_its_joint():
    gains = np.full((10, 21), 1e-6)
    gains[7, 8] = 1e-3
    candidates = candidates_of(10, gains=gains, features=np.eye(10), taught=np.empty((0, 10)))
    chosen = choose("weighted-core-set", candidates, 1, np.random.default_rng(0))
    assert chosen[0].index == 7 and candidates.joints()[7] == 8 and "31.6 mm" in chosen[0].why


def test_a_part_of_ours_is_blind():
    why = [one.why for one in choose("weighted-core-set", candidates_of(200), 50, np.random.default_rng(0))]
    assert why.count("drawn at random") == 5


def entry(monkeypatch, name: str, loaded):
    def load():
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    found = SimpleNamespace(name=name, value="my_package:choose", load=load)
    monkeypatch.setattr(registry, "entry_points", lambda group: [found] if group == "annotator.strategies" else [])


def test_a_users_own_strategy(monkeypatch):
    entry(
        monkeypatch,
        "last-first",
        lambda candidates, count, random: [(k, 1.0, "late") for k in range(len(candidates))[::-1]],
    )
    assert names()[-1] == "last-first"
    assert [one.index for one in choose("last-first", candidates_of(4), 2, np.random.default_rng(0))] == [3, 2]


def test_broken_strategies_are_named(monkeypatch):
    with pytest.raises(
        InputError, match="unknown strategy 'best': expected one of random, uncertainty, core-set, weighted-core-set"
    ):
        choose("best", candidates_of(3), 1, np.random.default_rng(0))
    entry(monkeypatch, "broken", ImportError("no module named nowhere"))
    with pytest.raises(InputError, match="'broken' .my_package:choose. cannot be loaded: no module named nowhere"):
        choose("broken", candidates_of(3), 1, np.random.default_rng(0))
    entry(monkeypatch, "twice", lambda *_: [(0, 1.0, ""), (0, 1.0, "")])
    with pytest.raises(InputError, match="'twice' chose hands that do not exist, or one of them twice"):
        choose("twice", candidates_of(3), 2, np.random.default_rng(0))


def test_the_old_name_of_a_strategy_is_read():
    assert strategy("ours") is strategy("weighted-core-set") and "ours" not in names()
