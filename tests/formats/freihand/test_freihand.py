"""FreiHAND's layout: what is written is what is read, and each hand says what was labelled."""

from __future__ import annotations

import numpy as np
from freihand_files import load

from annotator.formats import LabelledHand, freihand, reader
from annotator.formats.freihand.writer import to_sample
from annotator.formats.transfer.from_project import labelled_hands


def test_read_gives_what_was_written(project, written):
    expected = [to_sample(r, written / f"training/rgb/{k:08d}.jpg")[0] for k, r in enumerate(labelled_hands(project))]
    assert list(reader("freihand").read(written)) == expected
    assert len(expected) == 3 and {hand.side for hand in expected} == {"right"}


def test_only_accepted_hands_leave_unless_asked(project, written, tmp_path):
    assert {record.state for record in freihand.read(written)} == {"accepted"}
    everything = tmp_path / "everything"
    freihand.write(labelled_hands(project, ("proposed", "accepted")), everything)
    assert [record.state for record in freihand.read(everything)] == ["proposed"] + ["accepted"] * 3


def test_a_proposal_never_looks_like_a_correction(project, written):
    _, corrected, _ = freihand.read(written)
    assert corrected.weights[8] == 1 and corrected.states[8] == "corrected"
    assert (corrected.weights[np.array(corrected.states) == "proposed"] <= 0.5).all()
    assert not corrected.visible[20] and corrected.visible[:20].all()
    label = project.hand(corrected.id).corrections[8]
    assert corrected.provenance["corrections"] == {"8": list(label)}


def test_the_original_set_is_read(written):
    """Its files alone, without what only our exports have: all of it counts as labelled."""
    expected = list(freihand.read(written))
    for name in ("provenance.json", "training_details.json", "training_faces.json", "training_verts.json"):
        (written / name).unlink()
    for record, ours in zip(freihand.read(written), expected, strict=True):
        assert isinstance(record, LabelledHand) and record.vertices is None and record.faces is None
        np.testing.assert_array_equal(record.joints, ours.joints)
        told = [state == "corrected" for state in ours.states]  # those are where they were set
        assert np.abs(record.keypoints - ours.keypoints)[np.logical_not(told)].max() < 1e-3
        assert record.photo == ours.photo and set(record.weights) == {1.0}


def test_details_name_the_hand(records, written):
    """By training_details.json alone: which hand, which side, whether its picture is mirrored, whose topology."""
    for entry, record in zip(load(written, "details"), records, strict=True):
        assert entry["id"] == record.id and entry["side"] == record.side and entry["hand_model"] == record.hand_model
        assert entry["mirrored"] == (record.side == "left")
