"""What a person said of a hand's depth: how far joints are from the palm along the line of sight, which joint is in
front of which, how far away the palm is. Kept with the hand, as labels in the photo are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import JOINT_NAMES, joint_index

PALM_KEYPOINTS = (0, 5, 9, 13, 17)  # wrist and knuckles: their mean depth is the palm's
MOST_RELATIONS = 16
FARTHEST = 0.3  # m from the palm: no joint of a hand is farther


@dataclass(frozen=True)
class DepthLabels:
    """Depth as a person set it.

    Parameters
    ----------
    from_palm
        Joint name or number -> m along the camera's axis from the palm (the mean depth of wrist and knuckles) to the
        joint; positive: behind the palm.
    in_front
        Pairs (nearer joint, farther joint), names or numbers; at most `MOST_RELATIONS`.
    distance
        m from the camera to the palm along its axis; None: nobody said.

    Raises
    ------
    InputError
        Unknown joints, a joint in front of itself, two relations that contradict each other, or numbers no hand has.
    """

    from_palm: Mapping[int, float] = field(default_factory=dict)
    in_front: Sequence[tuple[int, int]] = ()
    distance: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.from_palm, Mapping):
            raise InputError(f"depths must be a mapping from joint to m, got {type(self.from_palm).__name__}")
        depths = {}
        for key, depth in self.from_palm.items():
            joint, depth = joint_index(key), float(depth)
            if not abs(depth) <= FARTHEST:
                raise InputError(f"depth of {JOINT_NAMES[joint]} from the palm is {depth:g} m, at most {FARTHEST:g} m")
            depths[joint] = depth
        pairs = sorted({(joint_index(near), joint_index(far)) for near, far in self.in_front})
        for near, far in pairs:
            if near == far:
                raise InputError(f"depth relation: {JOINT_NAMES[near]} cannot be in front of itself")
            if (far, near) in pairs:
                raise InputError(f"{JOINT_NAMES[near]} and {JOINT_NAMES[far]} cannot be in front of each other")
        if len(pairs) > MOST_RELATIONS:
            raise InputError(f"{len(pairs)} depth relations of one hand, at most {MOST_RELATIONS} are kept")
        if self.distance is not None and not (math.isfinite(self.distance) and self.distance > 0):
            raise InputError(f"distance of the palm is {self.distance:g} m, expected a positive number")
        object.__setattr__(self, "from_palm", dict(sorted(depths.items())))
        object.__setattr__(self, "in_front", tuple(pairs))
        object.__setattr__(self, "distance", None if self.distance is None else float(self.distance))

    def __bool__(self) -> bool:
        return bool(self.from_palm or self.in_front or self.distance is not None)

    def joined(self, other: DepthLabels) -> DepthLabels:
        """These and those of `other`, which has the last word on a joint, a pair and the distance."""
        said = set(other.in_front)
        kept = [pair for pair in self.in_front if pair[::-1] not in said]
        distance = self.distance if other.distance is None else other.distance
        return DepthLabels({**self.from_palm, **other.from_palm}, [*kept, *other.in_front], distance)

    def without(self, joint: int | str) -> DepthLabels:
        """All but what was said of a joint."""
        number = joint_index(joint)
        depths = {k: depth for k, depth in self.from_palm.items() if k != number}
        return DepthLabels(depths, [pair for pair in self.in_front if number not in pair], self.distance)

    def parts(self) -> list[DepthLabels]:
        """Each thing that was said by itself: depths in the order of the joints, then relations, then the distance."""
        found = [DepthLabels({joint: depth}) for joint, depth in self.from_palm.items()]
        found += [DepthLabels(in_front=[pair]) for pair in self.in_front]
        return found + ([] if self.distance is None else [DepthLabels(distance=self.distance)])

    def minus(self, other: DepthLabels) -> DepthLabels:
        """All but what `other` says: the depths of its joints, its relations, the distance if it has one."""
        depths = {joint: depth for joint, depth in self.from_palm.items() if joint not in other.from_palm}
        pairs = [pair for pair in self.in_front if pair not in other.in_front]
        return DepthLabels(depths, pairs, self.distance if other.distance is None else None)

    def words(self) -> str:
        """All of it for people, "; " between two things."""
        told = [
            f"{_spoken(joint)}: {1000 * abs(depth):.0f} mm {'before' if depth < 0 else 'behind'} the palm"
            for joint, depth in self.from_palm.items()
        ]
        told += [f"{_spoken(near)} in front of {_spoken(far)}" for near, far in self.in_front]
        return "; ".join(told + ([] if self.distance is None else [f"palm {1000 * self.distance:.0f} mm away"]))

    @classmethod
    def from_dict(cls, document: object) -> DepthLabels:
        """What `as_dict` wrote; none for None. InputError for anything else."""
        if document is None:
            return cls()
        try:
            said = dict(document)  # type: ignore[call-overload]
            depths = {joint_index(name): float(mm) / 1000 for name, mm in dict(said.get("from_palm_mm", {})).items()}
            pairs = [(joint_index(near), joint_index(far)) for near, far in said.get("in_front", ())]
            distance = said.get("distance_mm")
            return cls(depths, pairs, None if distance is None else float(distance) / 1000)
        except (TypeError, ValueError) as error:
            raise InputError(f"depth labels cannot be read: {error}") from error

    def as_dict(self) -> dict:
        """JSON-ready, joints by name, mm; empty where nothing was said."""
        document: dict = {}
        if self.from_palm:
            document["from_palm_mm"] = {JOINT_NAMES[k]: 1000 * depth for k, depth in self.from_palm.items()}
        if self.in_front:
            document["in_front"] = [[JOINT_NAMES[near], JOINT_NAMES[far]] for near, far in self.in_front]
        if self.distance is not None:
            document["distance_mm"] = 1000 * self.distance
        return document


def _spoken(joint: int) -> str:
    return JOINT_NAMES[joint].replace("_", " ")


def palm_depth(joints: np.ndarray) -> float:
    """m along the camera's axis to the palm (the mean depth of wrist and knuckles) of joints (21,3)."""
    return float(joints[list(PALM_KEYPOINTS), 2].mean())


def depths_from_palm(joints: np.ndarray) -> np.ndarray:
    """(21,) m along the camera's axis from the palm (the mean depth of wrist and knuckles) to joints (21,3)."""
    return joints[:, 2] - palm_depth(joints)
