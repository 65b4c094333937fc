"""Law: whatever is done, undone, redone and reopened, the project is what a plain list in memory says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from annotator.errors import InputError
from annotator.project import HAND_STATES, JOINT_STATES, Project


class Walk(RuleBasedStateMachine):
    """One hand; the model is a list of (state, joint states, corrections, shape) and a place in it."""

    prepare = None  # makes a project with one hand
    meshes = None

    @initialize()
    def start(self):
        self.project, self.id = self.prepare()
        self.folder = self.project.folder
        self.past, self.future = [self.seen()], []

    def seen(self):
        hand = self.project.hand(self.id)
        return hand.state, hand.joint_states, dict(hand.corrections), hand.parameters.shape.tolist()

    def do(self, expected):
        if expected != self.past[-1]:
            self.past.append(expected)
            self.future.clear()

    @rule(state=st.sampled_from(HAND_STATES))
    def set_state(self, state):
        self.project.set_state(self.id, state)
        self.do((state, *self.past[-1][1:]))

    @rule(seed=st.integers(0, 2), joint=st.integers(0, 20), x=st.floats(0, 600), y=st.floats(0, 600))
    def edit(self, seed, joint, x, y):
        _, states, corrections, _ = self.past[-1]
        mesh = self.meshes[seed].replace(corrections=corrections | {joint: (x, y)})
        self.project.edit(self.id, mesh)
        states = list(states)
        if corrections.get(joint) != (x, y):
            states[joint] = "corrected"
        shape = mesh.parameters.shape.astype("f4").tolist()
        self.do(("in work", tuple(states), dict(sorted(mesh.corrections.items())), shape))

    @rule(joint=st.integers(0, 20), state=st.sampled_from(JOINT_STATES))
    def mark(self, joint, state):
        self.project.edit(self.id, joint_states={joint: state})
        _, states, corrections, shape = self.past[-1]
        self.do(("in work", states[:joint] + (state,) + states[joint + 1 :], corrections, shape))

    @rule(whole_project=st.booleans())
    def undo(self, whole_project):
        if len(self.past) == 1:
            with pytest.raises(InputError, match="nothing to undo"):
                self.project.undo(None if whole_project else self.id)
        else:
            self.project.undo(None if whole_project else self.id)
            self.future.append(self.past.pop())

    @rule(whole_project=st.booleans())
    def redo(self, whole_project):
        if not self.future:
            with pytest.raises(InputError, match="nothing to redo"):
                self.project.redo(None if whole_project else self.id)
        else:
            self.project.redo(None if whole_project else self.id)
            self.past.append(self.future.pop())

    @rule()
    def reopen(self):
        self.project.close()
        self.project = Project.open(self.folder, who="Ada")

    @invariant()
    def same(self):
        assert self.seen() == self.past[-1]

    def teardown(self):
        if hasattr(self, "project"):
            assert self.project.verify() == []
            self.project.close()


def test_any_walk_gives_the_state_of_the_list(new_project, photo_file, make_hand, source):
    def prepare(_walk):
        project = new_project()
        return project, project.add_proposal(project.add_photo(photo_file), make_hand(), source)

    walk = type("PreparedWalk", (Walk,), {"prepare": prepare, "meshes": [make_hand(k) for k in range(3)]})
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        walk,
        settings=settings(max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=checks),
    )
