"""What a round learns from: what people said, and nothing else."""

from __future__ import annotations

import shutil

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from annotator.project import JOINT_STATES, Provenance
from annotator.rounds.retraining.samples import read, sample_of, save_held, table_of, taken, weights_of


@given(st.lists(st.sampled_from(JOINT_STATES), min_size=21, max_size=21))
def test_only_what_a_person_said_has_weight(states):
    assert weights_of(states).tolist() == [float(state in ("corrected", "confirmed")) for state in states]


def test_a_correction_teaches_where_it_was_put(project):
    entry = project.hands("accepted")[0]
    hand, mesh = project.hand(entry.id), project.mesh(entry.id)
    sample = sample_of(entry.id, hand.photo, mesh, hand.joint_states)
    assert sample.weights.sum() == 3
    for joint, place in hand.corrections.items():
        np.testing.assert_allclose(sample.places[joint], place)


def test_few_answers_are_not_drowned_by_many(project):
    found = taken(project, 4, 5)
    weight = table_of(found.train).weight
    np.testing.assert_allclose(weight.sum(1), np.sqrt(21 * 3))
    assert ((weight > 0).sum(1) == 3).all()
    np.testing.assert_allclose(table_of(found.held, balanced=False).weight.max(1), 1)


def test_gold_hands_and_all_on_their_photos_are_held_out(project):
    gold = project.gold_hands()
    neighbour = project.add_proposal(gold[0].photo.id, project.mesh(gold[0].id), _source())
    project.edit(neighbour, joint_states={8: "confirmed"})
    project.set_state(neighbour, "accepted")
    found = taken(project, 4, 5)
    assert {one.id for one in found.held} == {one.id for one in gold} and found.kind == "gold hands"
    assert neighbour not in {one.id for one in found.train} and len(found.train) == 6
    assert found.left_out == [(neighbour, "it is on a photo of a gold hand")]
    # gold is what it was when it was made, whatever became of the hand
    project.edit(gold[0].id, project.mesh(gold[0].id).replace(corrections={}))
    assert taken(project, 4, 5).held[0].weights.sum() == gold[0].joint_states.count("corrected")


def test_where_gold_is_rare_some_photos_are_held_out_always_the_same(project):
    found, again = taken(project, 10, 2), taken(project, 10, 2)
    assert [one.id for one in found.held] == [one.id for one in again.held] and len(found.held) > 4
    assert len(found.train) + len(found.held) == 10
    assert not {one.photo.id for one in found.train} & {one.photo.id for one in found.held}


def test_hands_without_a_word_and_photos_that_are_gone_are_counted(project, photo_file, make_hand, tmp_path):
    project.set_state(project.hands("proposed")[0].id, "accepted")
    photo = shutil.copy(photo_file, tmp_path / "lost.jpg")
    lost = project.add_proposal(project.add_photo(photo), make_hand(), _source())
    project.edit(lost, joint_states={8: "confirmed"})
    project.set_state(lost, "accepted")
    assert lost in {one.id for one in taken(project, 4, 5).train}
    (tmp_path / "lost.jpg").unlink()
    found = taken(project, 4, 5)
    assert found.unlabelled == 1 and [hand for hand, _ in found.missing] == [lost]
    assert found.left_out[1][0] == lost and "no person" in found.left_out[0][1]
    assert lost not in {one.id for one in found.train}


def test_the_held_out_are_read_as_they_were_written(project, tmp_path):
    found = taken(project, 4, 5)
    save_held(found.held, tmp_path)
    table, crops, ids = read(tmp_path)
    assert ids == [one.id for one in found.held] and (table.joint_weight == 1).all()
    np.testing.assert_allclose(table.joints, [one.mesh.joints for one in found.held])
    assert [crop.size for crop in crops] == [one.mesh.crop_size for one in found.held]


def _source() -> Provenance:
    return Provenance("test", "d" * 16)
