"""Several people on one project: leases, versions, reviews, gold hands, and two processes at full speed."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from annotator.errors import InputError
from annotator.project import Project


@pytest.fixture
def ids(project, photo_file, make_hand, source):
    """Three hands, the third the one the network is least sure of."""
    hands = [make_hand(k).replace(confidence=c) for k, c in enumerate((0.9, 0.6, 0.3))]
    return project.add_proposals(project.add_photo(photo_file), hands, source)


@pytest.fixture
def bob(project):
    with Project.open(project.folder, who="Bob") as bob:
        yield bob


def test_a_leased_hand_is_its_holders(project, bob, ids, make_hand):
    project.lease(ids[0])
    for change in (
        lambda: bob.edit(ids[0], make_hand(5)),
        lambda: bob.set_state(ids[0], "accepted"),
        lambda: bob.undo(ids[0]),
        lambda: bob.lease(ids[0]),
    ):
        with pytest.raises(InputError, match="in work by Ada until"):
            change()
    assert project.hand(ids[0]).version == 1
    assert [entry.leased_by for entry in bob.hands()] == ["Ada", "", ""]
    project.edit(ids[0], make_hand(5))
    with pytest.raises(InputError, match="in work by Ada"):
        bob.set_state(ids[0], "rejected")
    project.set_state(ids[0], "accepted")  # a verdict ends the lease
    assert bob.set_state(ids[0], "flagged") == 4


def test_a_lease_expires_and_is_given_back(project, bob, ids):
    project.lease(ids[0], seconds=0.05)
    project.lease(ids[1])
    time.sleep(0.06)
    bob.set_state(ids[0], "flagged")
    bob.release(ids[1])  # not his: nothing happens
    with pytest.raises(InputError, match="in work by Ada"):
        bob.lease(ids[1])
    project.release(ids[1])
    bob.lease(ids[1])
    bob.lease(ids[0], instead_of=ids[1])
    project.lease(ids[2], instead_of=ids[0])  # not hers: nothing happens
    assert {e.id: e.leased_by for e in bob.hands()} == {ids[0]: "Bob", ids[1]: "", ids[2]: "Ada"}
    with pytest.raises(InputError, match="in work by Bob"):
        project.lease(ids[0], instead_of=ids[2])
    assert {e.id: e.leased_by for e in bob.hands()}[ids[2]] == "Ada"  # all or nothing
    with pytest.raises(InputError, match="expected more than 0"):
        project.lease(ids[2], seconds=-1)


def test_the_next_hand_is_the_least_sure_that_nobody_has(project, bob, ids):
    assert project.next_hand(lease=False) == ids[2]
    assert [project.next_hand(gold_every=None), bob.next_hand(gold_every=None)] == [ids[2], ids[1]]
    assert project.next_hand(skip=[ids[2]], gold_every=None) == ids[0]
    project.set_state(ids[2], "accepted")
    project.set_state(ids[0], "rejected")
    assert project.next_hand(gold_every=None) is None  # the last one is Bob's


def test_undo_without_a_hand_is_about_ones_own_work(project, bob, ids):
    project.set_state(ids[0], "accepted")
    bob.set_state(ids[1], "rejected")
    assert project.undo() == ids[0]
    assert [hand.state for hand in bob.hands()][:2] == ["proposed", "rejected"]
    with pytest.raises(InputError, match=f"nothing to undo of Ada in .* newest change is Bob's, of hand {ids[1]}"):
        project.undo()
    with pytest.raises(InputError, match="nothing to redo of Bob"):
        bob.redo()
    assert bob.undo() == ids[1]
    assert project.redo() == ids[0]
    assert project.hand(ids[0]).state == "accepted" and bob.hand(ids[1]).state == "proposed"


def test_undo_does_not_reach_below_another_persons_change(project, bob, ids):
    project.set_state(ids[0], "accepted")
    project.set_state(ids[1], "accepted")
    bob.set_state(ids[1], "flagged")
    with pytest.raises(InputError, match=f"your last change, of hand {ids[1]}, was changed since by Bob: nothing was"):
        project.undo()
    assert [hand.state for hand in project.hands()][:2] == ["accepted", "flagged"]
    assert project.undo(ids[1]) == ids[1]  # by name it is taken back, whoever made it
    assert project.undo() == ids[1] and project.undo() == ids[0]
    assert [project.redo(), project.redo()] == [ids[0], ids[1]]
    assert bob.hand(ids[1]).state == "accepted"


def test_redo_does_not_put_another_persons_change_in_force(project, bob, ids):
    project.set_state(ids[0], "accepted")
    project.undo()
    bob.set_state(ids[0], "flagged")
    bob.undo()
    with pytest.raises(InputError, match="nothing to redo of Ada"):
        project.redo()
    assert bob.redo() == ids[0] and project.hand(ids[0]).state == "flagged"


def test_a_second_person_reviews(project, bob, ids, make_hand):
    with pytest.raises(InputError, match="only accepted hands"):
        bob.review(ids[0], True)
    project.set_state(ids[0], "accepted")
    project.set_state(ids[1], "accepted")
    with pytest.raises(InputError, match="Ada worked on hand"):
        project.review(ids[0], True)
    assert bob.to_review() == ids[:2] and project.to_review() == []
    bob.review(ids[0], True)
    assert bob.review(ids[1], False, "thumb is bent") == 3
    assert (bob.hand(ids[0]).state, bob.hand(ids[1]).state) == ("accepted", "flagged")
    assert project.history(ids[1])[-1].note == {"review": "returned", "remark": "thumb is bent"}
    assert bob.to_review() == []
    assert project.origin(ids[0]).reviewed_by == ("Bob",)
    project.edit(ids[0], make_hand(9))
    project.set_state(ids[0], "accepted")  # another mesh: the review is not about it
    assert project.origin(ids[0]).reviewed_by == () and bob.to_review() == [ids[0]]
    assert project.verify() == []


def test_gold_hands_come_unmarked_and_give_an_error_in_mm(project, bob, ids, make_hand):
    with pytest.raises(InputError, match="only an accepted hand"):
        project.make_gold(ids[0])
    project.set_state(ids[0], "accepted")
    project.make_gold(ids[0])
    with pytest.raises(InputError, match="gold already"):
        project.make_gold(ids[0])
    given = bob.next_hand(gold_every=1)
    assert given not in ids and bob.hand(given).state == "proposed"
    assert set(bob.hands()[-1].as_dict()) == set(bob.hands()[0].as_dict())
    assert project.next_hand(gold_every=1) in ids  # who made it is not asked
    assert project.next_hand(skip=ids) is None  # and Bob's copy is Bob's
    bob.set_state(given, "accepted")
    assert [(s.who, s.given, s.accepted) for s in project.skills()] == [("Bob", 1, 1)]
    assert project.skills()[0].mean_mm == pytest.approx(0, abs=1e-6)
    bob.edit(given, make_hand(7))
    bob.set_state(given, "accepted")
    assert 5 < project.skills()[0].mean_mm < 300
    assert [hand.id for hand in project.hands("accepted", copies=False)] == [ids[0]]
    assert bob.next_hand(gold_every=1) == ids[1]  # given once
    assert project.verify() == []


def test_copies_of_gold_hands_do_not_leave(project, bob, ids):
    from annotator.formats.transfer.from_project import labelled_hands

    project.set_state(ids[0], "accepted")
    project.make_gold(ids[0])
    bob.set_state(bob.next_hand(gold_every=1), "accepted")
    assert [record.id for record in labelled_hands(project)] == [ids[0]]


WORKER = """
import sys
from annotator.errors import InputError
from annotator.project import Project
with Project.open(sys.argv[1], who=sys.argv[3]) as project:
    joint = int(sys.argv[4])
    for k in range(int(sys.argv[5])):
        project.edit(sys.argv[2], joint_states={joint: ("occluded", "confirmed")[k % 2]}, note={"k": k})
"""


def test_two_processes_with_1000_edits_each_lose_nothing(project, ids):
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, project.folder, ids[0], who, joint, "1000"])
        for who, joint in (("Ada", "3"), ("Bob", "7"))
    ]
    assert [worker.wait() for worker in workers] == [0, 0]
    history = project.history(ids[0])
    assert [event.version for event in history] == list(range(1, 2002))
    for who in ("Ada", "Bob"):
        assert [e.note["k"] for e in history if e.who == who and e.kind == "edit"] == list(range(1000))
    states = project.hand(ids[0]).joint_states
    assert (states[3], states[7]) == ("confirmed", "confirmed")
    assert project.verify() == []
