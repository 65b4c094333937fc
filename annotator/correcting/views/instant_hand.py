"""One hand of an instant: one mesh, in the world of the rig and in every photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from annotator.correcting.views.sighting import Sighting
from annotator.hand.mesh import HandMesh
from annotator.vision.rigs import Rig


@dataclass(frozen=True, eq=False)
class InstantHand:
    """A hand that several cameras see; arrays in metres, in the rig's world (not in a camera's frame).

    side; vertices (V,3); faces (F,3); joints (21,3); joint_sigma (21,), one standard deviation along each axis;
    confidence 0..1; views: camera -> the same mesh in that camera's photo, a `HandMesh` like any other (its camera is
    the pinhole nearest to the lens where the hand is; its `corrections` are the labels of that photo); rig: in metres;
    sightings: the proposals that the mesh was joined from; left_out: camera -> why its proposal does not count;
    reprojection: camera -> px, how far the mesh's joints are from that photo's own proposal, typically; triangulated
    (21,3), triangulated_sigma (21,): joints that two photos at least have (labels, else proposals), by rays alone, NaN
    elsewhere; without: camera -> how far its own keypoints are from where all other cameras triangulate them, over the
    hand's box, NaN where they cannot; proposed: the hand as it was before any label.
    """

    side: str
    vertices: np.ndarray
    faces: np.ndarray
    joints: np.ndarray
    joint_sigma: np.ndarray
    confidence: float
    views: Mapping[str, HandMesh]
    rig: Rig
    sightings: tuple[Sighting, ...]
    left_out: Mapping[str, str]
    reprojection: Mapping[str, float]
    triangulated: np.ndarray
    triangulated_sigma: np.ndarray
    without: Mapping[str, float] = field(default_factory=dict)
    proposed: InstantHand | None = field(default=None, repr=False)

    @property
    def corrections(self) -> dict[str, dict[int, tuple[float, float]]]:
        """camera -> keypoint number -> (x, y) photo px, as they were set."""
        return {name: dict(view.corrections) for name, view in self.views.items() if view.corrections}

    @property
    def seen_by(self) -> tuple[str, ...]:
        """The cameras whose proposals the mesh was joined from."""
        return tuple(one.camera.name for one in self.sightings if one.camera.name not in self.left_out)

    def replace(self, **changes: Any) -> InstantHand:
        """A copy with some fields changed."""
        return replace(self, **changes)
