"""What is fixed about a hand: its joints, their names and tree, its fingers, and how parameters are laid out.

Three counts occur everywhere. `KEYPOINTS` (21): wrist; thumb, index, middle, ring, little, each from base to tip
(FreiHAND, OpenPose and MediaPipe use the same order). `JOINTS` (16): the model's, in MANO's order: wrist; index,
middle, little, ring, thumb, three joints each, and no tips. `ARTICULATED` (15): those without the wrist, whose turn is
the whole hand's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class HandTopology:
    """The tree of a hand's keypoints and of its model's joints.

    fingers: their names, in the order of the keypoints. names: of the keypoints. parents: the keypoint that each hangs
    on, -1 for the wrist. model_fingers: the fingers in the order of the model's joints. model_parents: the joint that
    each joint hangs on. shape_count: how many numbers a hand's shape has.
    """

    fingers: tuple[str, ...]
    names: tuple[str, ...]
    parents: tuple[int, ...]
    model_fingers: tuple[str, ...]
    model_parents: tuple[int, ...]
    shape_count: int = 10

    @property
    def keypoint_count(self) -> int:
        """Keypoints, tips included."""
        return len(self.names)

    @property
    def joint_count(self) -> int:
        """The model's joints: those that have a rotation, the wrist included."""
        return len(self.model_parents)

    @property
    def articulated_count(self) -> int:
        """The model's joints without the wrist."""
        return self.joint_count - 1

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(nearer, farther) keypoint of each bone."""
        return tuple((parent, k) for k, parent in enumerate(self.parents) if parent >= 0)

    @cached_property
    def tips(self) -> tuple[int, ...]:
        """The keypoints on which none hangs, in the order of the fingers."""
        return tuple(k for k in range(self.keypoint_count) if k not in self.parents)

    @cached_property
    def keypoints_of(self) -> dict[str, tuple[int, ...]]:
        """Finger -> its keypoints, base to tip."""
        found = {}
        for finger, tip in zip(self.fingers, self.tips, strict=True):
            chain = [tip]
            while self.parents[chain[-1]] > 0:
                chain.append(self.parents[chain[-1]])
            found[finger] = tuple(reversed(chain))
        return found

    @cached_property
    def finger_of(self) -> tuple[int, ...]:
        """The number of the finger that each keypoint is on; -1 for the wrist."""
        owner = {k: n for n, finger in enumerate(self.fingers) for k in self.keypoints_of[finger]}
        return tuple(owner.get(k, -1) for k in range(self.keypoint_count))

    @cached_property
    def articulated_of(self) -> dict[str, slice]:
        """Finger -> its rows among the model's joints without the wrist."""
        each = self.articulated_count // len(self.model_fingers)
        return {finger: slice(each * n, each * (n + 1)) for n, finger in enumerate(self.model_fingers)}

    @cached_property
    def in_model_order(self) -> tuple[int, ...]:
        """Where each keypoint stands in (the model's joints, then the tips in the order of the fingers)."""
        places = [0] * self.keypoint_count
        for number, finger in enumerate(self.fingers):
            *joints, tip = self.keypoints_of[finger]
            first = 1 + self.articulated_of[finger].start
            for level, k in enumerate(joints):
                places[k] = first + level
            places[tip] = self.joint_count + number
        return tuple(places)


_FINGERS = ("thumb", "index", "middle", "ring", "little")
HAND = HandTopology(
    fingers=_FINGERS,
    names=("wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip")
    + tuple(f"{finger}_{joint}" for finger in _FINGERS[1:] for joint in ("mcp", "pip", "dip", "tip")),
    parents=(-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19),
    model_fingers=("index", "middle", "little", "ring", "thumb"),
    model_parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14),
)
KEYPOINTS, JOINTS, ARTICULATED, SHAPE = HAND.keypoint_count, HAND.joint_count, HAND.articulated_count, HAND.shape_count

# A hand's parameters as one row of numbers: axis-angle of every joint, shape, translation, then offsets.
PACKED_POSE = slice(0, 3 * JOINTS)
PACKED_SHAPE = slice(PACKED_POSE.stop, PACKED_POSE.stop + SHAPE)
PACKED_TRANSLATION = slice(PACKED_SHAPE.stop, PACKED_SHAPE.stop + 3)
PACKED = PACKED_TRANSLATION.stop  # without offsets
