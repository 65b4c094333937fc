"""Law: whatever two people do to some hands, undo and redo without a hand never touch the other's work."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotator.errors import InputError
from annotator.project import HAND_STATES, Project

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("Ada", "Bob")),
        st.sampled_from(("set", "set", "undo", "redo", "undo named")),
        st.integers(0, 2),
        st.sampled_from(HAND_STATES),
    ),
    max_size=25,
)


class Model:
    """Each hand: the steps in force and, on top of each other, those undone from there; a step is (number, who,
    state)."""

    def __init__(self, hands):
        self.way = {hand: [(0, "", "proposed")] for hand in hands}
        self.undone = {hand: [] for hand in hands}  # [(by, number of the undo, step)]
        self.number = 0

    def set(self, who, hand, state):
        if state != self.way[hand][-1][2]:
            self.number += 1
            self.way[hand].append((self.number, who, state))
            self.undone[hand].clear()

    def undo(self, who, hand=None):
        if hand is None:
            own = [(step, hand) for hand, way in self.way.items() for step in way if step[1] == who]
            if not own:
                return None
            step, hand = max(own)
            if self.way[hand][-1] != step:
                return None
        elif len(self.way[hand]) == 1:
            return None
        self.number += 1
        self.undone[hand].append((who, self.number, self.way[hand].pop()))
        return hand

    def redo(self, who):
        own = [(stack[-1][1], hand) for hand, stack in self.undone.items() if stack and stack[-1][0] == who]
        if not own:
            return None
        hand = max(own)[1]
        self.number += 1
        self.way[hand].append(self.undone[hand].pop()[2])
        return hand


def done(work):
    """The hand it was about; None if it was refused."""
    try:
        return work()
    except InputError as error:
        assert "undo" in str(error) or "redo" in str(error)
        return None


@pytest.fixture
def prepare(new_project, photo_file, make_hand, source):
    def make():
        project = new_project()
        photo = project.add_photo(photo_file)
        return project, project.add_proposals(photo, [make_hand(k) for k in range(3)], source)

    return make


@given(steps=STEPS)
@settings(max_examples=20, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
def test_two_people_never_undo_each_other(prepare, steps):
    project, hands = prepare()
    model = Model(hands)
    with project, Project.open(project.folder, who="Bob") as bob:
        for who, step, number, state in steps:
            acting, hand = {"Ada": project, "Bob": bob}[who], hands[number]
            if step == "set":
                acting.set_state(hand, state)
                model.set(who, hand, state)
            elif step == "undo named":
                assert done(partial(acting.undo, hand)) == model.undo(who, hand)
            else:
                assert done(getattr(acting, step)) == getattr(model, step)(who)
            assert [entry.state for entry in bob.hands()] == [model.way[hand][-1][2] for hand in hands]
        assert project.verify() == []
