"""The tree of a hand: what is derived from it is what the literature's orders say."""

from annotator.hand.joints import FINGERS, JOINT_NAMES
from annotator.hand.topology import ARTICULATED, HAND, JOINTS, KEYPOINTS, PACKED


def test_counts():
    assert (KEYPOINTS, JOINTS, ARTICULATED, PACKED) == (21, 16, 15, 61)


def test_fingers_go_from_base_to_tip():
    assert HAND.tips == (4, 8, 12, 16, 20)
    for number, finger in enumerate(FINGERS):
        chain = HAND.keypoints_of[finger]
        assert all(JOINT_NAMES[k].startswith(finger) for k in chain) and chain[-1] == HAND.tips[number]
        assert {HAND.finger_of[k] for k in chain} == {number}
    assert HAND.finger_of[0] == -1


def test_bones_are_the_tree():
    assert len(HAND.bones) == 20 and all(HAND.parents[far] == near for near, far in HAND.bones)


def test_manos_order():
    """Keypoints among MANO's 16 joints and five tips, as FreiHAND's and HaMeR's code have it."""
    assert HAND.in_model_order == (0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20)
    assert HAND.articulated_of["thumb"] == slice(12, 15)
    for finger, rows in HAND.articulated_of.items():
        first = HAND.in_model_order[HAND.keypoints_of[finger][0]]
        assert first == rows.start + 1 and HAND.model_parents[first] == 0
