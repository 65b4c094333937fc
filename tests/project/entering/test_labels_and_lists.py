"""Hands that come with their labels are stored whole and once; long lists of hands come page by page."""

from __future__ import annotations

import pytest


def test_a_label_is_stored_whole_and_once(project, photo_file, make_hand, source, monkeypatch):
    from annotator.project import journal

    photo, mesh = project.add_photo(photo_file), make_hand(1).replace(corrections={4: (10.0, 20.0)})
    label = (photo, mesh, source, ["confirmed"] * 21, "accepted", "set:1")
    change = journal.change

    def killed_at_the_state(connection, row, after, kind, who, note):
        if kind == "state":
            raise KeyboardInterrupt
        return change(connection, row, after, kind, who, note)

    monkeypatch.setattr(journal, "change", killed_at_the_state)
    with pytest.raises(KeyboardInterrupt):
        project.add_label(*label)
    monkeypatch.undo()
    assert project.hands() == [] and not project.has_photo(project.photo(photo).sha256, "set:1")
    hand = project.hand(project.add_label(*label, note={"imported": "1"}))
    assert (hand.state, hand.corrections, set(hand.joint_states)) == ("accepted", {4: (10.0, 20.0)}, {"confirmed"})
    assert [event.kind for event in project.history(hand.id)] == ["propose", "edit", "state"]
    assert project.add_label(*label) is None and project.count_hands() == 1
    assert project.has_photo(hand.photo.sha256, "set:1") and project.verify() == []


def test_a_long_list_comes_page_by_page(project, photo_file, make_hand, source, monkeypatch):
    from annotator.project import listing

    monkeypatch.setattr(listing, "PAGE", 2)
    photo = project.add_photo(photo_file)
    ids = project.add_proposals(photo, [make_hand(k) for k in range(5)], source)
    assert [hand.as_dict() for hand in project.each_hand()] == [hand.as_dict() for hand in project.hands()]
    seen = []
    for hand in project.each_hand("proposed"):
        project.set_state(hand.id, "accepted")  # changed while the list is read: each still comes once
        seen.append(hand.id)
    assert seen == ids and project.count_hands("accepted") == 5 and project.count_hands("proposed", copies=False) == 0
    assert [hand.number for hand in project.each_hand(after=3)] == [4, 5]
