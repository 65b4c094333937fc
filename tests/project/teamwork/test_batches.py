"""Laws: whatever verdicts were given to many hands of any project, taking all back gives the states before, and doing
it all again the states after."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.errors import InputError
from annotator.project import HAND_STATES, Project, Provenance

HANDS = 4
verdicts = st.tuples(st.sets(st.integers(0, HANDS - 1), min_size=1), st.sampled_from(HAND_STATES))
walks = st.lists(st.one_of(verdicts, st.just("undo")), max_size=8)


@contextlib.contextmanager
def project_of(photo: Path, meshes, begin):
    """A project whose hands have the states `begin`, given by somebody else."""
    with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder) / "p", who="Bea") as project:
        ids = project.add_proposals(project.add_photo(photo), meshes, Provenance("test", "d" * 64))
        for hand_id, state in zip(ids, begin, strict=True):
            project.set_state(hand_id, state)
        project.who = "Ada"
        yield project, ids


def states(project) -> list[str]:
    return [entry.state for entry in project.hands()]


@settings(max_examples=30)
@given(begin=st.lists(st.sampled_from(HAND_STATES), min_size=HANDS, max_size=HANDS), walk=walks, single=st.booleans())
def test_taking_back_everything_gives_the_states_before(photo_file, make_hand, begin, walk, single):
    meshes = [make_hand(seed) for seed in range(HANDS)]
    with project_of(photo_file, meshes, begin) as (project, ids):
        for step in walk:
            if step == "undo":
                with contextlib.suppress(InputError):
                    project.undo_batch()
            else:
                chosen, state = step
                project.set_states({ids[k]: {"state": state} for k in sorted(chosen)}, state)
        after, undone = states(project), 0
        back, forth = (project.undo, project.redo) if single else (project.undo_batch, project.redo_batch)
        with pytest.raises(InputError, match="nothing to undo of Ada"):
            while True:
                back()
                undone += 1
        assert states(project) == begin
        for _ in range(undone):
            forth()
        assert states(project) == after
        assert project.verify() == []


def test_a_batch_is_stored_whole_or_not_at_all(photo_file, make_hand):
    with project_of(photo_file, [make_hand(k) for k in range(HANDS)], ["proposed"] * HANDS) as (project, ids):
        try:
            project.set_states({ids[0]: {}, "nobody": {}}, "accepted")
        except InputError as error:
            assert "nobody" in str(error)
        assert states(project) == ["proposed"] * HANDS


def test_a_batch_is_its_makers_and_leaves_what_changed_since(photo_file, make_hand):
    with project_of(photo_file, [make_hand(k) for k in range(HANDS)], ["proposed"] * HANDS) as (project, ids):
        project.set_states({one: {} for one in ids}, "accepted")
        project.who = "Bea"
        project.set_state(ids[0], "flagged")
        project.who = "Ada"
        assert project.undo_batch() == ids[1:]
        assert states(project) == ["flagged", *["proposed"] * (HANDS - 1)]
