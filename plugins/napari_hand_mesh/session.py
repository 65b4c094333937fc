"""What a person does with a project, one hand at a time; without Qt and napari.

Every finished step (a drag, a state, a verdict) is one event of the project's journal, on disk when the
method returns: undo and redo are the journal's own, so they work across restarts.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import annotator
from annotator.correcting import solve
from annotator.correcting.alternatives import alternatives
from annotator.correcting.choosing import next_keypoint
from annotator.correcting.plausibility import reasons
from annotator.errors import InputError
from annotator.hand.joints import JOINT_NAMES, joint_index
from annotator.hand.mesh import HandMesh, ParametricEstimate
from annotator.hand.model import HandModel
from annotator.project import HandEntry, Project, StoredHand
from annotator.vision.photos import photo_hash, read_photo

if TYPE_CHECKING:
    from annotator.model import Model

OPEN = ("proposed", "in work")  # states of hands that wait for a person
UNSEEN = ("occluded", "out of frame")
PLACE_FILE = "gui.json"  # in the project's folder: where the person was
REMEMBERED = 64  # hands whose encoder features stay in memory, 130 kB each
PHOTOS = 4  # decoded photos in memory
PAUSE = 120.0  # seconds: who does nothing for longer is having coffee, not working on the hand


class Session:
    """A project and the hand that is looked at. `close` it.

    queue: the hands, see `read_queue`; hand: the `StoredHand` (None while the project has no hand); mesh: its
    `HandMesh`; photo (H, W, 3) uint8; listeners: called without arguments whenever hand, mesh or states
    changed; model: a loaded `Model` or None. All methods raise InputError with one clear line where something
    cannot be done.
    """

    def __init__(self, project: Project):
        self.project = project
        self.model: Model | None = None
        self.hand: StoredHand | None = None
        self.mesh: HandMesh | None = None
        self.photo: np.ndarray | None = None
        self.listeners: list[Callable[[], None]] = []
        self.queue: list[HandEntry] = []
        self._row: dict[str, int] = {}
        self._features: OrderedDict[str, object] = OrderedDict()
        self._photos: OrderedDict[str, np.ndarray] = OrderedDict()
        self._since = time.monotonic()

    @classmethod
    def open(cls, folder: str | Path) -> Session:
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
        self.project.close()

    # -- where we are ----------------------------------------------------------------------------------------
    def resume(self) -> None:
        """Go where the person was, or to the first open hand, or to the first hand; nowhere in an empty
        project."""
        self.read_queue()
        last = self._last_place()
        if last in self._row:
            self.go(last)
        elif not self.next_open() and self.queue:
            self.go(self.queue[0].id)

    def go(self, hand_id: str) -> None:
        """Look at this hand. InputError if its photo is gone or another one now; then nothing changes."""
        stored = self.project.hand(hand_id)
        photo = self._photo(stored)
        if self.hand is None or self.hand.id != hand_id:
            self._give_back()
            self._take(hand_id)
        self.hand, self.photo = stored, photo
        self.mesh = self.project.mesh(hand_id)
        self._note_in_queue()
        self._write_place(hand_id)
        self._changed()

    def next_open(self, step: int = 1) -> bool:
        """Go to the next hand (step -1: the one before) of the queue that waits for a person; False if there
        is none."""
        here = self._row.get(self.hand.id, -1) if self.hand else -1
        if self.hand is None and step < 0:
            here = 0
        for at in range(1, len(self.queue) + 1):
            entry = self.queue[(here + step * at) % len(self.queue)]
            if entry.state in OPEN and (self.hand is None or entry.id != self.hand.id):
                self.go(entry.id)
                return True
        return False

    def read_queue(self) -> None:
        """Read the list of hands anew: `queue`, all hands, those the network is least sure of first."""
        self.queue = sorted(self.project.hands(), key=lambda entry: (entry.confidence, entry.number))
        self._row = {entry.id: row for row, entry in enumerate(self.queue)}

    def progress(self) -> tuple[int, int]:
        """(hands that are judged, all hands)."""
        return sum(entry.state not in OPEN for entry in self.queue), len(self.queue)

    # -- what is known of the hand ---------------------------------------------------------------------------
    @property
    def hand_model(self) -> HandModel:
        return annotator.load_hand(self._mesh().hand_model)

    def why(self, hand_id: str | None = None) -> str:
        """Why a person should look at a hand (None: this one), in a few words, the weightiest first."""
        mesh = self._mesh() if hand_id is None else self.project.mesh(hand_id)
        model = annotator.load_hand(mesh.hand_model)
        if mesh.parametric is None:  # not stored: then the comparison with that stage has nothing to say
            mesh = mesh.replace(parametric=ParametricEstimate(mesh.vertices, mesh.joints, mesh.keypoints))
        found = [reason.words for reason in reasons(mesh, model)[:2]]
        words = "; ".join(found) or f"least sure: {JOINT_NAMES[int(mesh.keypoint_sigma.argmax())]}"
        return words.replace("_", " ")

    def worth_correcting(self) -> int | None:
        """The keypoint whose correction is expected to help most."""
        return next_keypoint(self._mesh(), self.hand_model, self.hand.joint_states)

    # -- dragging --------------------------------------------------------------------------------------------
    def preview(self, joint: int | str, place: tuple[float, float], hold: bool = False) -> HandMesh:
        """The hand as it would be with this keypoint at (x, y) photo px; nothing is stored. A few ms, no
        torch.

        hold: all other keypoints stay where they are in the photo, as far as a hand allows it.
        """
        states = dict(enumerate(self.hand.joint_states))
        joint = joint_index(joint)
        states[joint] = "corrected"  # who drags a keypoint that was called unseen wants it there
        if hold:
            states |= {k: "confirmed" for k, state in states.items() if k != joint and state not in UNSEEN}
        return solve(self._mesh(), self.hand_model, {joint: place}, states).hand

    def drop(self, joint: int | str, place: tuple[float, float], hold: bool = False) -> None:
        """The drag is over: the mesh with this keypoint at (x, y) photo px is stored as one step.

        With a model and this hand's features (`remember`) the network's local refinement answers first; the
        solver makes it exact in any case. hold as in `preview`; the keypoint then counts as confirmed.
        """
        joint = joint_index(joint)
        place = (float(place[0]), float(place[1]))
        features = self._features.get(self._key())
        if self.model is None or features is None or hold:
            fixed = self.preview(joint, place, hold)
        else:
            fixed = self._refined(joint, place, features)
        note = self._note(joint=JOINT_NAMES[joint], drags=1)
        state = "confirmed" if hold else "corrected"
        self.project.edit(self.hand.id, fixed.replace(features=None), {joint: state}, self.hand.version, note)
        self._reload()

    def _refined(self, joint: int, place: tuple[float, float], features: object) -> HandMesh:
        """The network's answer, made exact."""
        states = dict(enumerate(self.hand.joint_states)) | {joint: "corrected"}
        return self.model.refine(self._mesh().replace(features=features), {joint: place}, states)

    # -- features of the network -----------------------------------------------------------------------------
    def wants_features(self) -> tuple[str, np.ndarray, HandMesh] | None:
        """(key, photo, mesh) for `Model.remember` in some thread, or None if this hand's features are
        there."""
        if self.mesh is None or self._key() in self._features:
            return None
        return self._key(), self.photo, self.mesh

    def keep_features(self, key: str, remembered: HandMesh) -> None:
        """Take what `Model.remember` made of `wants_features`."""
        self._features[key] = remembered.features
        while len(self._features) > REMEMBERED:
            self._features.popitem(last=False)

    # -- states and verdicts ---------------------------------------------------------------------------------
    def set_joint_state(self, joint: int | str, state: str) -> None:
        """Give one keypoint a state; asked twice, it goes back to what it was without it."""
        joint = joint_index(joint)
        self._mesh()
        if self.hand.joint_states[joint] == state:
            state = "corrected" if joint in self.hand.corrections else "proposed"
        self._set_states({joint: state})

    def confirm_all(self) -> None:
        """Confirm every keypoint that is still where the network put it."""
        self._mesh()
        self._set_states(
            {k: "confirmed" for k, state in enumerate(self.hand.joint_states) if state == "proposed"}
        )

    def set_state(self, state: str) -> None:
        """Give the hand a state: accepted, rejected, flagged, ..."""
        self._mesh()
        self.project.set_state(self.hand.id, state, self.hand.version, self._note())
        self._reload()

    def other_depth(self) -> str:
        """Put another hand that looks the same in the photo in this one's place, the likeliest; what was
        turned over, in words. Asked again it goes on from there, which usually leads back. InputError if no
        other hand looks the same."""
        found = alternatives(self._mesh(), self.hand_model, self.hand.joint_states, most=1)
        if not found:
            raise InputError("no other hand looks the same in this photo")
        note = self._note(alternative=found[0].words)
        self.project.edit(self.hand.id, found[0].hand.replace(features=None), None, self.hand.version, note)
        self._reload()
        return found[0].words

    def undo(self) -> str:
        """Take back the last step of the project and go to its hand; the hand's id."""
        return self._went(self.project.undo())

    def redo(self) -> str:
        """Do again what was undone last and go to its hand; the hand's id."""
        return self._went(self.project.redo())

    # -- other people ----------------------------------------------------------------------------------------
    def _take(self, hand_id: str) -> None:
        """Lease the hand that is looked at. Somebody else's can be looked at, too: changing it says whose it
        is."""
        self._since = time.monotonic()
        try:
            self.project.lease(hand_id)
        except InputError:
            pass

    def _give_back(self) -> None:
        if self.hand is not None:
            try:
                self.project.release(self.hand.id)
            except InputError:
                pass  # a lease that cannot be given back ends by itself

    def _note(self, **remarks) -> dict:
        """What the journal keeps beside a step: the seconds since the last one, pauses left out."""
        now = time.monotonic()
        seconds, self._since = now - self._since, now
        return {"from": "napari", "seconds": round(min(seconds, PAUSE), 2), **remarks}

    # -- inside ----------------------------------------------------------------------------------------------
    def _went(self, hand_id: str) -> str:
        self.go(hand_id)
        return hand_id

    def _set_states(self, states: Mapping[int, str]) -> None:
        if states:
            self.project.edit(self.hand.id, None, states, self.hand.version, self._note())
            self._reload()

    def _mesh(self) -> HandMesh:
        if self.mesh is None:
            raise InputError("no hand is open")
        return self.mesh

    def _reload(self) -> None:
        """What was stored is shown, not what was meant to be."""
        self.hand = self.project.hand(self.hand.id)
        self.mesh = self.project.mesh(self.hand.id)
        self._note_in_queue()
        self._changed()

    def _note_in_queue(self) -> None:
        """One line of the queue as it is now: a project may have 20,000, reading all at every step would be
        felt."""
        hand = self.hand
        if hand.id not in self._row:
            self.read_queue()
            return
        row = self._row[hand.id]
        self.queue[row] = dataclasses.replace(
            self.queue[row], side=hand.side, state=hand.state, confidence=hand.confidence,
            version=hand.version, corrections=len(hand.corrections), changed=hand.changed,
        )  # fmt: skip

    def _changed(self) -> None:
        for listener in list(self.listeners):
            listener()

    def _key(self) -> str:
        """Features belong to a crop of a photo, whatever was corrected since."""
        mesh = self._mesh()
        return repr((self.hand.photo.sha256, mesh.side, *mesh.crop_center, mesh.crop_size, mesh.crop_angle))

    def _photo(self, stored: StoredHand) -> np.ndarray:
        known = self._photos.get(stored.photo.sha256)
        if known is None:
            known = read_photo(stored.photo.path)
            if photo_hash(stored.photo.path) != stored.photo.sha256:
                raise InputError(
                    f"{stored.photo.path} is not the photo any more that hand {stored.id} was proposed on"
                )
            self._photos[stored.photo.sha256] = known
            while len(self._photos) > PHOTOS:
                self._photos.popitem(last=False)
        return known

    def _last_place(self) -> str | None:
        try:
            return json.loads((self.project.folder / PLACE_FILE).read_text(encoding="utf-8")).get("hand")
        except (OSError, ValueError, AttributeError):
            return None  # never written, or not by us: the person starts at the first open hand

    def _write_place(self, hand_id: str) -> None:
        try:
            (self.project.folder / PLACE_FILE).write_text(json.dumps({"hand": hand_id}), encoding="utf-8")
        except OSError:
            pass  # a read-only folder can still be looked at
