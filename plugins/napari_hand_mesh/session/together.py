"""Photos of one instant: what the other cameras saw, and a hand that is one mesh in all their photos; without Qt and
napari."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from annotator.errors import InputError
from annotator.hand.joint_states import UNSEEN
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.project import Project, StoredPhoto
from annotator.project.guessed_sides import SIDE_CONFIRMED
from annotator.project.photo_files.pixels import pixels_of
from napari_hand_mesh.session.in_depth import InDepth
from napari_hand_mesh.session.memory import Recent

if TYPE_CHECKING:  # torch comes with it
    from annotator.correcting.views import InstantHand
    from annotator.project import Instant, OneMesh
    from annotator.project.one_mesh import Shown
    from annotator.vision.rigs import Rig

VIEWS = 12  # photos of other cameras in memory
JOINED = 8  # hands of instants in memory as they were before any label
WAY = np.geomspace(0.02, 200.0, 80)  # along a line of sight, in distances of the two cameras


@dataclass(frozen=True, eq=False)
class OtherView:
    """Another photo of the instant. hand: the id of the same hand there, mesh: that; None where the photo does not have
    it. off: px, how far the mesh's joints are from that photo's own proposal, typically (NaN: unknown); labels: how
    many that photo has, and labels_off: px, how far the mesh's joints are from them, at most; left_out: why that
    photo's proposal does not count ("": it does)."""

    camera: str
    at: StoredPhoto
    photo: np.ndarray
    hand: str | None
    mesh: HandMesh | None
    off: float
    labels: int
    labels_off: float
    left_out: str

    @property
    def words(self) -> str:
        """For people."""
        told = [self.camera] + ([] if np.isnan(self.off) else [f"{self.off:.1f} px off"])
        if self.labels:
            told.append(f"{self.labels} label{'' if self.labels == 1 else 's'}, up to {self.labels_off:.1f} px")
        if self.mesh is None:
            told.append("no hand")
        return " · ".join(told + ([self.left_out] if self.left_out else []))


class Together(InDepth):
    """The part of `Session` that knows several cameras. instant: that of the photo which is looked at, None: none;
    camera: its photo's; one: what makes the hand one with those of other photos, None: it is alone; previewed: the hand
    in all photos while a keypoint of it is dragged."""

    def __init__(self, project: Project):
        super().__init__(project)
        self.instant: Instant | None = None
        self.camera = ""
        self.one: OneMesh | None = None
        self.previewed: InstantHand | None = None
        self._rig: Rig | None = None
        self._shown: tuple[tuple, Shown, InstantHand] | None = None  # of which versions
        self._bases: Recent[InstantHand] = Recent(JOINED)
        self._others_photos: Recent[np.ndarray] = Recent(VIEWS)

    @property
    def is_together(self) -> bool:
        """Whether a label moves the hand in several photos."""
        return self.one is not None and len(self.one.hands) > 1

    # -- the other photos ------------------------------------------------------------------------------------
    @property
    def other_cameras(self) -> list[str]:
        """The cameras of the instant's other photos, in the rig's order."""
        if self.instant is None or self._rig is None:
            return []
        return [name for name in self._rig if name in self.instant.photos and name != self.camera]

    def view_of(self, camera: str) -> OtherView:
        """What another camera of the instant saw. InputError if its photo cannot be read."""
        at = self.instant.photos[camera]
        photo = self._others_photos.or_made(at.sha256, lambda: pixels_of(at))
        hand = None if self.one is None else self.one.hands.get(camera)
        mesh = None if hand is None else self.project.mesh(hand)
        return OtherView(
            camera, at, photo, hand, mesh, self.reprojection().get(camera, np.nan), *self._labels_of(mesh),
            "" if self.one is None else self.one.left_out.get(camera, ""),
        )  # fmt: skip

    def reprojection(self) -> dict[str, float]:
        """camera -> px, how far the mesh's joints are from the photo's own proposal: as they are now where the network
        knows the hand, else as they were proposed."""
        if not self.is_together:
            return {}
        if self._base_key() in self._bases:
            return dict(self._joined()[1].reprojection)
        return dict(self.one.reprojection)

    def epipolar(self, camera: str, place: Sequence[float]) -> np.ndarray:
        """(n, 2) px of another camera's photo: where what is at (x, y) px of this one can be there; NaN where no photo
        shows it."""
        here, there = self._rig[self.camera], self._rig[camera]
        apart = max(float(np.linalg.norm(here.centre - there.centre)), 1e-9)
        line = here.epipolar_line(there, np.asarray(place, float), apart * WAY)
        at = self.instant.photos[camera]
        inside = (np.abs(line - (at.width / 2, at.height / 2)) < (at.width, at.height)).all(axis=1)
        return np.where(inside[:, None], line, np.nan)

    def go_to_camera(self, camera: str) -> None:
        """Look at the photo of another camera: at this hand there, else at the photo's first, else at the photo."""
        hand = None if self.one is None else self.one.hands.get(camera)
        at = self.instant.photos[camera]
        if hand is None:
            known = [entry.id for entry in self.project.hands(photo=at.id) if entry.state != "rejected"]
            hand = known[0] if known else None
        if hand is None:
            self.look_bare(at)
        else:
            self.go(hand)

    # -- what the network knows --------------------------------------------------------------------------------
    def wants_joined(self) -> tuple[str, Mapping[str, np.ndarray], Rig, Mapping[str, HandMesh], Mapping] | None:
        """(key, photos, rig, hands without labels, left out) for `Model.remember_instant` in some thread, or None if
        this hand is alone, or is known."""
        if not self.is_together or self._base_key() in self._bases:
            return None
        shown, photos = self.in_all_photos()
        bare = {name: mesh.replace(corrections={}) for name, mesh in shown.meshes.items()}
        return self._base_key(), photos, shown.rig, bare, self.one.left_out

    def in_all_photos(self) -> tuple[Shown, dict[str, np.ndarray]]:
        """(the hand in all its photos as it is stored, camera -> photo)."""
        shown = self._stored()
        others = {name: self.view_of(name).photo for name in shown.meshes if name != self.camera}
        return shown, others | {self.camera: self.photo}

    def change_side_together(self, shown: Shown, other: InstantHand) -> None:
        """Make the hand of `in_all_photos` one of the other side, see `Model.other_side_instant`: one step."""
        note = self._note(side=other.side, **{SIDE_CONFIRMED: True})
        of = next(iter(shown.one.hands.values()))
        self._noted(shown.store(self.project, other, of, {}, note))
        self._bases.clear()
        if self.hand is not None and self.hand.id in shown.one.hands.values():
            self._reload()
        else:
            self._changed()

    def keep_joined(self, key: str, hand: InstantHand) -> None:
        """Take what `Model.remember_instant` made of `wants_joined`."""
        self._bases[key] = hand
        self._shown = None

    def forget_features(self) -> None:
        super().forget_features()
        self._bases.clear()
        self._shown = None

    # -- labels ------------------------------------------------------------------------------------------------
    def _moved(self, joint: int, place: tuple[float, float], hold: bool, exact: bool) -> InstantHand:
        """The hand in all photos with this label in the one that is looked at."""
        from annotator.correcting.views import refine_views

        if exact:
            raise InputError(
                f"this hand is one mesh in {len(self.one.hands)} photos: it cannot be pinned to one of them"
            )
        shown, hand = self._joined()
        states = list(self.hand.joint_states)
        states[joint] = "corrected"
        if hold:
            states = [s if k == joint or s in UNSEEN else "confirmed" for k, s in enumerate(states)]
        known = {name: one for name, one in shown.states(self.camera, states).items() if name in hand.views}
        return refine_views(hand, self.hand_model, {self.camera: {joint: place}}, known, self.definition)

    def _preview_moved(self, joint: int, place: tuple[float, float], hold: bool, exact: bool) -> HandMesh:
        self.previewed = self._moved(joint, place, hold, exact)
        return self.previewed.views[self.camera]

    def _drop_moved(self, joint: int, place: tuple[float, float], hold: bool, exact: bool) -> None:
        """`Session.drop` of a hand that is one mesh in several photos: one step in all of them."""
        fixed = self._moved(joint, place, hold, exact)
        states = list(self.hand.joint_states)
        states[joint] = "confirmed" if hold else "corrected"
        note = self._note(joint=JOINT_NAMES[joint], drags=1, definition=self.definition.name)
        versions = self._stored().store(self.project, fixed, self.hand.id, {self.hand.id: states}, note)
        self._noted(versions)
        self._reload()

    def _check_alone(self) -> None:
        if self.is_together:
            raise InputError(
                f"this hand is one mesh in {len(self.one.hands)} photos, which say its depth: set keypoints in them"
            )

    # -- inside ------------------------------------------------------------------------------------------------
    def _arrived(self) -> None:
        found = None if self.at is None else self.project.instant_of(self.at.id)
        self.instant, self.camera = found if found is not None else (None, "")
        self._rig = None if self.instant is None else self.project.rigs().get(self.instant.rig)
        self.one = None if self.hand is None or self._rig is None else self.project.one_mesh(self.hand.id)
        self.previewed = None
        super()._arrived()

    def _changed(self) -> None:
        self.previewed = None
        super()._changed()

    def _stored(self) -> Shown:
        """The hand in all its photos, as it is stored."""
        from annotator.project.one_mesh import Shown

        return Shown.of(self.project, self.one)

    def _base_key(self) -> str:
        return repr((self.mesh.side, self.one.rig, self.one.moment, sorted(self.one.hands.items())))

    def _joined(self) -> tuple[Shown, InstantHand]:
        """The hand in all its photos with the labels that are stored; without the network's word the meshes stand for
        what was proposed."""
        from annotator.correcting.views import labels_of, recalled, refine_views

        shown = self._stored()
        known = self._base_key() in self._bases
        versions = (known, *(hand.version for hand in shown.before.values()), self._base_key())
        if self._shown is None or self._shown[0] != versions:
            if known:
                base = self._bases[self._base_key()]
            else:
                base = recalled(shown.meshes, shown.rig, self.hand_model, self.one.left_out)
            labels = labels_of(base, shown.meshes)
            states = {name: one for name, one in shown.states().items() if name in base.views}
            hand = refine_views(base, self.hand_model, labels, states, self.definition) if labels else base
            self._shown = versions, shown, hand
        return self._shown[1], self._shown[2]

    def _labels_of(self, mesh: HandMesh | None) -> tuple[int, float]:
        if mesh is None or not mesh.corrections:
            return 0, 0.0
        seen = self.definition.keypoints(mesh)
        off = [float(np.linalg.norm(seen[k] - place)) for k, place in mesh.corrections.items()]
        return len(off), max(off)
