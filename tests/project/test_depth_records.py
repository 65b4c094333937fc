"""Depth labels are stored, undone and redone like everything else, and hands without them are stored as ever."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.hand.depth_labels import MOST_RELATIONS, DepthLabels
from annotator.project import Project, Provenance
from annotator.project.records.meshes import record_of
from annotator.project.records.record import HandRecord, apply, pack
from annotator.project.records.states import PROPOSED

JOINTS = st.integers(0, 20)
SINGLE = st.floats(-0.25, 0.25, width=32)
PAIRS = st.lists(st.tuples(JOINTS, JOINTS).filter(lambda pair: pair[0] < pair[1]), max_size=MOST_RELATIONS, unique=True)
LABELS = st.builds(
    DepthLabels,
    st.dictionaries(JOINTS, SINGLE),
    PAIRS,
    st.none() | st.floats(0.125, 8, width=32),
)


@settings(max_examples=40)
@given(LABELS, LABELS)
def test_records_differ_both_ways(make_hand, hand_model, first, second):
    plain = record_of(make_hand(1), hand_model, (PROPOSED,) * 21, PROPOSED)
    records = [HandRecord(**vars(plain) | {"depth_labels": labels}).encode() for labels in (first, second)]
    for data, labels in zip(records, (first, second), strict=True):
        assert HandRecord.decode(data).depth_labels == labels
        assert (len(data) == len(plain.encode())) == (not labels)
    assert DepthLabels.from_dict(first.as_dict() or None).in_front == first.in_front
    delta = pack(*records)
    assert apply(delta, records[0]) == records[1] and apply(delta, records[1]) == records[0]
    assert apply(pack(None, records[0]), None) == records[0]


def test_a_project_keeps_them_through_undo_and_restart(make_hand, tmp_path, photo_file):
    labels = DepthLabels({8: -0.015625, 12: 0.0}, [(4, 8)], 0.5)
    hand = make_hand(2)
    with Project.create(tmp_path / "p", who="Ada") as project:
        photo = project.add_photo(photo_file)
        hand_id = project.add_proposal(photo, hand, Provenance("test", "0123456789abcdef"))
        project.edit(hand_id, hand.replace(depth_labels=labels))
        assert project.mesh(hand_id).depth_labels == labels == project.hand(hand_id).depth_labels
        project.edit(hand_id, hand.replace(corrections={3: (10.0, 20.0)}))
        assert not project.mesh(hand_id).depth_labels
    with Project.open(tmp_path / "p", "Ada") as project:
        project.undo()
        assert project.mesh(hand_id).depth_labels == labels
        project.undo()
        assert not project.mesh(hand_id).depth_labels
        project.redo()
        assert project.hand(hand_id).depth_labels == labels
        assert not project.verify()
