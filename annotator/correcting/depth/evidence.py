"""Evidence in three dimensions that a correction may carry: who is in front of whom, distances, a second
view.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from annotator.errors import InputError
from annotator.hand.depth_labels import DepthLabels
from annotator.hand.joints import JOINT_NAMES, ByJoint, joint_index
from annotator.vision.camera import check_camera
from annotator.vision.images.depth_images import DepthImage


@dataclass(frozen=True)
class InFront:
    """Joint `near` is closer to the camera than joint `far`, by at least `margin` metres along the viewing
    axis.

    Joints by name or number. InputError for an unknown joint, twice the same joint, or a margin outside
    0..0.1 m.
    """

    near: int | str
    far: int | str
    margin: float = 0.002

    def __post_init__(self) -> None:
        for name in ("near", "far"):
            object.__setattr__(self, name, joint_index(getattr(self, name)))
        if self.near == self.far:
            raise InputError(f"depth relation: {JOINT_NAMES[joint_index(self.near)]} cannot be in front of itself")
        margin = float(self.margin)
        if not 0.0 <= margin <= 0.1:
            raise InputError(f"depth relation: margin is {margin:g} m, expected 0..0.1")
        object.__setattr__(self, "margin", margin)


@dataclass(frozen=True, eq=False)
class Depths:
    """Joints are at these distances along the camera's axis: joint name or number -> z, m; sigma m (a depth
    sensor's), one or one a joint.

    InputError for an unknown joint, a depth or a sigma that is not a positive number, or a joint without a sigma.
    """

    depths: ByJoint[float]
    sigma: float | ByJoint[float] = 0.004
    sigmas: Mapping[int, float] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        found: dict[int, float] = {}
        for key, z in self.depths.items():
            joint, z = joint_index(key), float(z)
            if not (math.isfinite(z) and z > 0):
                raise InputError(f"depth of {JOINT_NAMES[joint]} is {z:g} m, expected a positive number")
            found[joint] = z
        own = self.sigma if isinstance(self.sigma, Mapping) else dict.fromkeys(found, self.sigma)
        sigmas = {joint_index(key): float(sigma) for key, sigma in own.items()}
        for joint in found:
            if not (math.isfinite(sigmas.get(joint, math.nan)) and sigmas[joint] > 0):
                raise InputError(f"depths: sigma of {JOINT_NAMES[joint]} is {sigmas.get(joint)} m, expected above 0")
        object.__setattr__(self, "depths", dict(sorted(found.items())))
        object.__setattr__(self, "sigmas", {joint: sigmas[joint] for joint in sorted(found)})


@dataclass(frozen=True, eq=False)
class PalmDepths:
    """Joints are so far from the palm along the camera's axis: joint name or number -> m, positive behind it.

    The palm's depth is the mean of wrist and knuckles: this says how a hand is bent and turned, not how far away it
    is. sigma: m, of a person who sets a joint in a view from the side. InputError: see `hand.depth_labels`.
    """

    depths: ByJoint[float]
    sigma: float = 0.003

    def __post_init__(self) -> None:
        object.__setattr__(self, "depths", DepthLabels(cast("Mapping[int, float]", self.depths)).from_palm)
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise InputError(f"depths from the palm: sigma is {self.sigma} m, expected a positive number")


@dataclass(frozen=True)
class PalmDistance:
    """The palm (the mean of wrist and knuckles) is this far from the camera along its axis, m; sigma m.

    InputError unless both are positive numbers.
    """

    distance: float
    sigma: float = 0.01

    def __post_init__(self) -> None:
        for name in ("distance", "sigma"):
            value = float(getattr(self, name))
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"distance of the palm: {name} is {value:g} m, expected a positive number")
            object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False)
class SecondView:
    """The same instant seen by a second calibrated camera.

    K (3,3) px; R (3,3), t (3,) m: a point X of the first camera's frame is R X + t in the second's;
    keypoints: joint name or number -> (x, y) px in the second photo (undistorted); sigma: how far a point may
    be off, px of that photo. InputError for anything not finite, an R that is no rotation, or a view without
    keypoints.
    """

    K: np.ndarray
    R: np.ndarray
    t: np.ndarray
    keypoints: ByJoint[Sequence[float]]
    sigma: float = 1.5
    _points: dict[int, tuple[float, float]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "K", check_camera(self.K))
        for name, shape in (("R", (3, 3)), ("t", (3,))):
            array = np.array(getattr(self, name), dtype=np.float64)
            if array.shape != shape or not np.isfinite(array).all():
                raise InputError(f"second view: {name} must be finite and of shape {shape}, got shape {array.shape}")
            object.__setattr__(self, name, array)
        if np.abs(self.R @ self.R.T - np.eye(3)).max() > 1e-3 or np.linalg.det(self.R) < 0:
            raise InputError("second view: R is not a rotation")
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise InputError(f"second view: sigma is {self.sigma} px, expected a positive number")
        points = checked_points(self.keypoints, "second view: keypoint")
        if not points:
            raise InputError("second view: no keypoints given")
        object.__setattr__(self, "_points", points)

    @property
    def joints(self) -> np.ndarray:
        """(n,) keypoint numbers, ascending."""
        return np.array(list(self._points), dtype=int)

    @property
    def pixels(self) -> np.ndarray:
        """(n,2) px of the second photo, in the order of `joints`."""
        return np.array(list(self._points.values()))


Evidence = InFront | Depths | PalmDepths | PalmDistance | SecondView | DepthImage


def depth_labels_of(evidence: Sequence[Evidence]) -> DepthLabels:
    """What of the evidence a person said of the hand's depth: it is kept with the hand. Depths of a sensor and other
    views are not."""
    depths: dict[int, float] = {}
    pairs, distance = [], None
    for one in evidence:
        if isinstance(one, PalmDepths):
            depths |= cast("Mapping[int, float]", one.depths)
        elif isinstance(one, InFront):
            pairs.append((joint_index(one.near), joint_index(one.far)))
        elif isinstance(one, PalmDistance):
            distance = one.distance
    return DepthLabels(depths, pairs, distance)


def evidence_of(labels: DepthLabels, given: Sequence[Evidence] = ()) -> tuple[Evidence, ...]:
    """All evidence of a hand: that given now as it is, and what its depth labels say besides."""
    said = depth_labels_of(given)
    found: list[Evidence] = list(given)
    depths = {k: depth for k, depth in labels.from_palm.items() if k not in said.from_palm}
    if depths:
        found.append(PalmDepths(depths))
    known = {*said.in_front, *(pair[::-1] for pair in said.in_front)}
    found += [InFront(*pair) for pair in labels.in_front if pair not in known]
    if labels.distance is not None and said.distance is None:
        found.append(PalmDistance(labels.distance))
    return tuple(found)


def checked_points(points: ByJoint[Sequence[float]], what: str) -> dict[int, tuple[float, float]]:
    """Keypoint number -> (x, y), ascending; InputError naming `what` and the joint unless all are two finite
    numbers.
    """
    if not isinstance(points, Mapping):
        raise InputError(f"{what}s must be a mapping from joint to (x, y), got {type(points).__name__}")
    found = {}
    for key, place in points.items():
        joint = joint_index(key)
        try:
            x, y = (float(v) for v in place)
        except (TypeError, ValueError):
            raise InputError(f"{what} {JOINT_NAMES[joint]}: expected (x, y), got {place!r}") from None
        if not (math.isfinite(x) and math.isfinite(y)):
            raise InputError(f"{what} {JOINT_NAMES[joint]}: ({x:g}, {y:g}) is not finite")
        if joint in found:
            raise InputError(f"{what} {JOINT_NAMES[joint]} is given twice")
        found[joint] = (x, y)
    return dict(sorted(found.items()))
