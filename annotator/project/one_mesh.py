"""A hand that is one mesh in several photos of a project: read as a whole, and stored as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotator.correcting.views import InstantHand
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.project.records.instants import OneMesh
from annotator.project.records.views import StoredHand
from annotator.vision.rigs import Rig

if TYPE_CHECKING:
    from annotator.project.store import Project


@dataclass(frozen=True, eq=False)
class Shown:
    """one: what makes it one; rig: in metres; before: camera -> the hand as it is stored; meshes: camera -> its
    mesh."""

    one: OneMesh
    rig: Rig
    before: Mapping[str, StoredHand]
    meshes: Mapping[str, HandMesh]

    @classmethod
    def of(cls, project: Project, one: OneMesh) -> Shown:
        """As the project has it now. InputError if its rig is gone."""
        rig = project.rigs().get(one.rig)
        if rig is None:
            raise InputError(f"the rig {one.rig!r} of instant {one.moment!r} is not in the project any more")
        before = {camera: project.hand(hand_id) for camera, hand_id in one.hands.items()}
        return cls(one, rig.metric(), before, {camera: project.mesh(hand_id) for camera, hand_id in one.hands.items()})

    def camera_of(self, hand_id: str) -> str:
        """The camera in whose photo this hand is."""
        return next(camera for camera, other in self.one.hands.items() if other == hand_id)

    def states(self, camera: str = "", own: Sequence[str] = ()) -> dict[str, list[str]]:
        """camera -> the states of its 21 joints; those of `camera` are `own`."""
        return {name: list(own) if name == camera else list(hand.joint_states) for name, hand in self.before.items()}

    def store(
        self,
        project: Project,
        fixed: InstantHand,
        hand_id: str,
        states: Mapping[str, Sequence[str]],
        note: Mapping[str, Any],
    ) -> dict[str, int]:
        """Put `fixed` in force in all photos, as one step; the hands' new versions. hand_id: in whose photo something
        was said; states: hand's id -> of its 21 joints, of those whose states change. InputError, and nothing changed:
        as for `Project.edit_instant`."""
        meshes = {
            self.one.hands[camera]: view.replace(depth_labels=self.meshes[camera].depth_labels, features=None)
            for camera, view in fixed.views.items()
            if camera in self.one.hands
        }
        versions = {hand.id: hand.version for hand in self.before.values()}
        told = {**note, "instant": self.one.moment, "camera": self.camera_of(hand_id)}
        return project.edit_instant(meshes, dict(states), versions, told)
