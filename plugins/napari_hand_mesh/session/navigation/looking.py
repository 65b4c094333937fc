"""Where a person is in a project: the hand that is looked at, its photo and neighbours, the way to the next.

Without Qt and napari. What is changed from there is `session`'s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from annotator.correcting.subjects.subject import Subject
from annotator.errors import InputError
from annotator.hand.joints import BONES
from annotator.hand.mesh import HandMesh
from annotator.project import HandEntry, Project, StoredHand, StoredPhoto
from annotator.project.overview.steps import is_gone
from annotator.project.photo_files.pixels import pixels_of
from napari_hand_mesh.session.memory import PHOTOS, REMEMBERED, Recent
from napari_hand_mesh.session.navigation import place
from napari_hand_mesh.session.navigation.hand_queue import HandQueue

if TYPE_CHECKING:
    from typing import Self

    from annotator.model import Model

PAUSE = 120.0  # seconds: who does nothing for longer is having coffee, not working on the hand
UNREADABLE = 20  # hands that are passed over before it is said that their photos are gone
NEAR = 0.08  # of the crop: a click this close to a hand's bones means that hand


class Looking:
    """A project and the hand that is looked at. `close` it.

    hand: the `StoredHand` (None while the project has no hand, and on a photo without one); mesh: its `HandMesh`; at:
    the `StoredPhoto` that is looked at, photo: what is on it, (H, W, 3) uint8; hand_queue: see its class; others: the
    other hands of that photo that are not rejected, id -> `HandMesh`; definition: how the project means the joints;
    subject: the shape of the person whose hand it is, None: unknown; listeners: called without arguments whenever hand,
    mesh or states changed; passed: which hands the last `next_open` passed over, in words; model: a loaded `Model` or
    None. All methods raise InputError with one clear line where something cannot be done.
    """

    def __init__(self, project: Project):
        self.project = project
        self.model: Model | None = None
        self.hand: StoredHand | None = None
        self.mesh: HandMesh | None = None
        self.at: StoredPhoto | None = None
        self.photo: np.ndarray | None = None
        self.others: dict[str, HandMesh] = {}
        self.listeners: list[Callable[[], None]] = []
        self.passed = ""
        self.hand_queue = HandQueue(project)
        self.definition = project.definition()
        self.subject: Subject | None = None
        self._features: Recent[object] = Recent(REMEMBERED)
        self._doubts: Recent[np.ndarray | None] = Recent(REMEMBERED)
        self._photos: Recent[np.ndarray] = Recent(PHOTOS)
        self._since = time.monotonic()

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """The project in this folder, at the hand that was looked at last, else at the first open one."""
        session = cls(Project.open(folder))
        try:
            session.resume()
        except BaseException:
            session.close()
            raise
        return session

    def close(self) -> None:
        self.listeners.clear()
        self._give_back()
        place.flush(self.project.folder)
        self.project.close()

    def resume(self) -> None:
        """Go where the person was, or to the first open hand, or to the first hand; nowhere in an empty
        project."""
        self.read_queue()
        last = place.read(self.project.folder).get("hand")
        if isinstance(last, str) and last in self.hand_queue:
            try:
                self.go(last)
                return
            except InputError:
                pass  # its photo is gone meanwhile: the others are there
        if not self.next_open() and self.queue:
            self.go(self.queue[0].id)
        elif not self.queue:
            self.next_bare()

    def hands_here(self) -> dict[str, HandMesh]:
        """All hands of the photo that are not rejected, this one too; id -> `HandMesh`."""
        own = {self.hand.id: self.mesh} if self.hand is not None and self.hand.state != "rejected" else {}
        return own | self.others

    def go(self, hand_id: str) -> None:
        """Look at this hand. InputError if its photo is gone or another one now; then nothing changes."""
        stored = self.project.hand(hand_id)
        photo = self._photos.or_made(stored.photo.sha256, lambda: pixels_of(stored.photo))
        if self.hand is None or self.hand.id != hand_id:
            self._take(hand_id)
            self.definition = self.project.definition()  # a round may have learned it meanwhile
            self.subject = self.project.subjects.shape_for(stored.photo.id)
        self.hand, self.at, self.photo = stored, stored.photo, photo
        self.mesh = self.project.mesh(hand_id)
        self.others = self._others()
        self._arrived()
        self.hand_queue.note(stored)
        place.note(self.project.folder, hand=hand_id)
        self._changed()

    def next_bare(self) -> bool:
        """Go to the next photo that has no hand, or deleted ones alone: one may have been missed. (A rejected hand was
        looked at, it is there.) Photos that cannot be read are left out. False if there is none."""
        entries = self.project.hands()
        held = {entry.photo_id for entry in entries if entry.state != "rejected"}
        rejected: dict[int, list[str]] = {}
        for entry in entries:
            if entry.state == "rejected":
                rejected.setdefault(entry.photo_id, []).append(entry.id)
        here = self.at.id if self.at is not None else -1
        photos = [photo for photo in self.project.photos() if photo.id not in held]
        for photo in sorted(photos, key=lambda photo: (photo.id <= here, photo.id)):
            if not all(is_gone(self.project.history(hand)) for hand in rejected.get(photo.id, ())):
                continue
            try:
                self.look_bare(photo)
            except InputError:
                continue
            return True
        return False

    def look_bare(self, photo: StoredPhoto) -> None:
        """Look at a photo and none of its hands. InputError if it cannot be read."""
        shown = self._photos.or_made(photo.sha256, lambda: pixels_of(photo))
        self._give_back()
        self.hand, self.mesh, self.at, self.photo, self.others = None, None, photo, shown, {}
        self._arrived()
        self._changed()

    def other_at(self, at: tuple[float, float]) -> str | None:
        """The id of the photo's other hand at (x, y) photo px: its mesh is there, or its skeleton passes near; of
        several, and of this one's, the one whose skeleton is nearest."""
        near = {hand_id: distance_to(mesh, at) / mesh.crop_size for hand_id, mesh in self.others.items()}
        there = {hand_id: far for hand_id, far in near.items() if far < NEAR or covers(self.others[hand_id], at)}
        if not there:
            return None
        nearest = min(there, key=there.get)
        own = distance_to(self.mesh, at) / self.mesh.crop_size if self.mesh is not None else np.inf
        return nearest if there[nearest] < own else None

    def next_open(self, step: int = 1) -> bool:
        """Go to the next hand (step -1: the one before) of the queue that waits for a person; False if there
        is none. Hands whose photo cannot be read are passed over, which `passed` says; InputError if all that wait are
        such."""
        here = self.hand.id if self.hand else None
        found, wrong = self.hand_queue.next_open(here, step), {}
        self.passed = ""
        while found not in (None, here, *wrong) and len(wrong) < UNREADABLE:
            try:
                self.go(found)
            except InputError as error:
                wrong[found] = error
                found = self.hand_queue.next_open(found, step)
                continue
            if wrong:
                many = f"{len(wrong)} hands were" if len(wrong) > 1 else "a hand was"
                self.passed = f"{many} passed over: {next(iter(wrong.values()))}"
            return True
        if wrong:
            raise next(iter(wrong.values()))
        return False

    def next_ahead(self) -> tuple[HandMesh, np.ndarray] | None:
        """The hand that `next_open` would go to and its photo (H, W, 3) uint8, read ahead; None if there is none, or
        its photo is gone."""
        found = self.hand_queue.next_open(self.hand.id if self.hand else None)
        if found is None:
            return None
        stored = self.project.hand(found).photo
        try:
            return self.project.mesh(found), self._photos.or_made(stored.sha256, lambda: pixels_of(stored))
        except InputError:
            return None

    @property
    def queue(self) -> list[HandEntry]:
        """All hands, those the network is least sure of first; see `read_queue`."""
        return self.hand_queue.entries

    def read_queue(self) -> None:
        """Read the list of hands anew, and what the project means by the joints."""
        self.definition = self.project.definition()
        self.hand_queue.read()

    def progress(self) -> tuple[int, int]:
        """(hands that are judged, all hands)."""
        return self.hand_queue.progress()

    # -- features of the network -----------------------------------------------------------------------------
    def wants_features(self) -> tuple[str, np.ndarray, HandMesh] | None:
        """(key, photo, mesh) for `Model.remember` in some thread, or None if this hand's features are
        there."""
        if self.mesh is None or self._key() in self._features:
            return None
        return self._key(), self.photo, self.mesh

    def forget_features(self) -> None:
        """Another network has taken over: what the old one saw is of no use."""
        self._features.clear()
        self._doubts.clear()
        self.model = None

    def keep_features(self, key: str, remembered: HandMesh, doubt: np.ndarray | None = None) -> None:
        """Take what `Model.remember` made of `wants_features`. doubt (21,) photo px: of
        `annotator.rounds.selection.disagreement`, for the keypoint to correct next."""
        self._features[key] = remembered.features
        self._doubts[key] = doubt

    # -- inside ----------------------------------------------------------------------------------------------
    def _take(self, hand_id: str) -> None:
        """Lease the hand that is looked at, in place of the one before. Somebody else's can be looked at, too: changing
        it says whose it is."""
        self._since = time.monotonic()
        before = None if self.hand is None else self.hand.id
        try:
            self.project.lease(hand_id, instead_of=before)
        except InputError:
            self._give_back()

    def _give_back(self) -> None:
        if self.hand is not None:
            try:
                self.project.release(self.hand.id)
            except InputError:
                pass  # a lease that cannot be given back ends by itself

    def _mesh(self) -> HandMesh:
        if self.mesh is None:
            raise InputError("no hand is open")
        return self.mesh

    def _others(self) -> dict[str, HandMesh]:
        """The other hands of the photo."""
        entries = self.project.hands(photo=self.hand.photo.id)
        return {
            entry.id: self.project.mesh(entry.id)
            for entry in entries
            if entry.id != self.hand.id and entry.state != "rejected"
        }

    def _reload(self) -> None:
        """What was stored is shown, not what was meant to be."""
        self.hand = self.project.hand(self.hand.id)
        self.mesh = self.project.mesh(self.hand.id)
        self.hand_queue.note(self.hand)
        self._changed()

    def _arrived(self) -> None:
        """Another hand or photo is looked at, or the same one was read anew."""

    def _changed(self) -> None:
        for listener in list(self.listeners):
            listener()

    def _note(self, **remarks) -> dict:
        """What the journal keeps beside a step: the seconds since the last one, pauses left out."""
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        return {"from": "napari", "seconds": round(min(seconds, PAUSE), 2), **remarks}

    def _noted(self, hand_ids: Iterable[str]) -> None:
        """The list has these hands as they are stored now."""
        for hand_id in hand_ids:
            self.hand_queue.note(self.project.hand(hand_id))

    def _key(self) -> str:
        """Features belong to a crop of a photo, whatever was corrected since."""
        mesh = self._mesh()
        return repr((self.hand.photo.sha256, mesh.side, *mesh.crop_center, mesh.crop_size, mesh.crop_angle))


def covers(hand: HandMesh, place: tuple[float, float]) -> bool:
    """Whether the hand's mesh is seen at (x, y) photo px."""
    if hand.vertices[:, 2].min() <= 0:
        return False  # partly behind the camera
    points = hand.vertices @ hand.camera.T
    a, b, c = np.moveaxis((points[:, :2] / points[:, 2:])[hand.faces] - place, 1, 0)
    turns = np.stack([u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] for u, v in ((a, b), (b, c), (c, a))])
    return bool(((turns >= 0).all(0) | (turns <= 0).all(0)).any())


def distance_to(hand: HandMesh, place: tuple[float, float]) -> float:
    """Photo px from (x, y) to the nearest of the hand's bones."""
    start = hand.keypoints[[a for a, _ in BONES]]
    along = hand.keypoints[[b for _, b in BONES]] - start
    share = ((place - start) * along).sum(1) / np.maximum((along**2).sum(1), 1e-9)
    return float(np.linalg.norm(start + np.clip(share, 0, 1)[:, None] * along - place, axis=1).min())
