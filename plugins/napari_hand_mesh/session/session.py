"""What a person does with a project, one hand at a time; without Qt and napari.

Every finished step (a drag, a state, a verdict) is one event of the project's journal, on disk when the
method returns: undo and redo are the journal's own, so they work across restarts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from annotator.correcting import solve
from annotator.correcting.next_keypoint import next_keypoint
from annotator.errors import InputError
from annotator.hand.joint_states import UNSEEN
from annotator.hand.joints import JOINT_NAMES, joint_index
from annotator.hand.mesh import HandMesh
from annotator.project import Project, Provenance
from annotator.project.guessed_sides import SIDE_CONFIRMED
from annotator.project.strain import strained_labels
from napari_hand_mesh.session.people import People
from napari_hand_mesh.session.verdicts import Burst
from napari_hand_mesh.session.words import kept_words, why_look

if TYPE_CHECKING:
    from annotator.correcting.strain import StrainedLabel
    from annotator.model import Model


class Session(People):
    """What is done to the hand that is looked at, see `Looking` for where that is, `InDepth` for its depth,
    `Together` for several cameras, `People` for whose it is. burst: verdicts of the last moments."""

    def __init__(self, project: Project):
        super().__init__(project)
        self.burst = Burst()

    # -- what is known of the hand ---------------------------------------------------------------------------
    def why(self, hand_id: str | None = None) -> str:
        """Why a person should look at a hand (None: this one), see `why_look`."""
        return why_look(self._mesh() if hand_id is None else self.project.mesh(hand_id), self.definition)

    def strained(self, mesh: HandMesh | None = None) -> tuple[StrainedLabel, ...]:
        """The labels that contradict the mesh (None: as it is stored), worst first: no plausible hand meets them."""
        if self.hand is None:
            return ()
        states = list(self.hand.joint_states)
        if mesh is not None:
            for joint, place in mesh.corrections.items():
                if self.mesh.corrections.get(joint) != place:  # by the drag under way
                    states[joint] = "corrected"
        return strained_labels(self.mesh if mesh is None else mesh, states, self.definition)

    def worth_correcting(self) -> int | None:
        """The keypoint whose correction is expected to help most."""
        return next_keypoint(self._mesh(), self.hand_model, self.hand.joint_states, self._doubts.get(self._key()))

    # -- dragging --------------------------------------------------------------------------------------------
    def preview(
        self, joint: int | str, place: tuple[float, float], hold: bool = False, exact: bool = False
    ) -> HandMesh:
        """The likeliest hand with this label at (x, y) photo px, read as the project means its joints; nothing is
        stored. A few ms, no torch.

        hold: all other keypoints stay where they are in the photo, as far as a hand allows it; exact: the mesh is
        pinned to every label.
        """
        states = dict(enumerate(self.hand.joint_states))
        joint = joint_index(joint)
        if self.is_together:
            return self._preview_moved(joint, place, hold, exact)
        states[joint] = "corrected"  # who drags a keypoint that was called unseen wants it there
        if hold:
            states |= {k: "confirmed" for k, state in states.items() if k != joint and state not in UNSEEN}
        labels, held, start = self._solver_start(self._mesh(), states, exact)
        return solve(
            start, self.hand_model, labels | {joint: place}, states, definition=self.definition, exact=exact, held=held,
            subject=self.subject,
        ).hand  # fmt: skip

    def drop(self, joint: int | str, place: tuple[float, float], hold: bool = False, exact: bool = False) -> None:
        """The drag is over: the label at (x, y) photo px and the likeliest mesh for it are stored as one step.

        With a model and this hand's features (`remember`) the network has its word, too. hold and exact as in
        `preview`; with hold the keypoint then counts as confirmed.
        """
        joint = joint_index(joint)
        place = (float(place[0]), float(place[1]))
        if self.is_together:
            self._drop_moved(joint, place, hold, exact)
            return
        features = self._features.get(self._key())
        if self.model is None or features is None or hold:
            fixed = self.preview(joint, place, hold, exact)
        else:
            fixed = self._refined(joint, place, features, exact)
        pinned = {"exact": "yes"} if exact else {}
        note = self._note(joint=JOINT_NAMES[joint], drags=1, definition=self.definition.name, **pinned)
        state = "confirmed" if hold else "corrected"
        self.project.edit(self.hand.id, fixed.replace(features=None), {joint: state}, self.hand.version, note)
        self._reload()

    def _refined(self, joint: int, place: tuple[float, float], features: object, exact: bool) -> HandMesh:
        """The model's answer."""
        states = dict(enumerate(self.hand.joint_states)) | {joint: "corrected"}
        known = self._mesh().replace(features=features)
        return self.model.refine(
            known, {joint: place}, states, exact=exact, definition=self.definition, subject=self.subject
        )

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
        self._set_states({k: "confirmed" for k, state in enumerate(self.hand.joint_states) if state == "proposed"})

    def set_state(self, state: str) -> None:
        """Give the hand a state: accepted, rejected, flagged, ..."""
        self._mesh()
        version = self.project.set_state(self.hand.id, state, self.hand.version, self._note(state=state))
        self.burst.note(self.hand.id, version)
        self._reload()

    def judge(self, hand_ids: Sequence[str], state: str) -> int:
        """Give many hands a state at once, all or none, which `undo` and `take_back` undo as one; how many. Those that
        have it already are left out."""
        note = {"from": "napari", "state": state}
        wanted = {hand_id: note for hand_id in hand_ids if self.hand_queue.entry(hand_id).state != state}
        if not wanted:
            return 0
        versions = self.project.set_states(wanted, state)
        self.burst.forget()
        for hand_id, version in versions.items():
            self.burst.note(hand_id, version)
        self._noted(wanted)
        if self.hand is not None:
            self._reload()
        return len(wanted)

    def strained_among(self, hand_ids: Sequence[str]) -> list[str]:
        """Those of these hands that have labels which no plausible hand meets."""
        found = []
        for hand_id in hand_ids:
            if self.hand_queue.entry(hand_id).corrections:
                stored = self.project.hand(hand_id)
                if strained_labels(self.project.mesh(hand_id), stored.joint_states, self.definition):
                    found.append(hand_id)
        return found

    def take_back(self) -> list[str]:
        """Undo the verdicts of the last moments as one, and go to the first of their hands."""
        hands = self.burst.take_back(self.project)
        self._noted(hands)
        self.go(hands[0])
        return hands

    # -- which hands there are -------------------------------------------------------------------------------
    def add_hand(self, mesh: HandMesh, model: Model, photo_id: int) -> str:
        """Store a hand that the model proposed in a box which a person drew, as one step, and go to it; its id."""
        provenance = Provenance("default", model.digest, extra={"box": "drawn by hand"})
        hand_id = self.project.add_drawn(photo_id, mesh, provenance, self._note(box="drawn by hand"))
        self.read_queue()
        self.go(hand_id)
        return hand_id

    def change_side(self, hand_id: str, version: int, mesh: HandMesh) -> str:
        """Make the hand one of the other side: `mesh`, see `Model.other_side`; what was kept of what a person said, in
        words. One step, like any other."""
        return self._put(hand_id, version, mesh, side=mesh.side, **{SIDE_CONFIRMED: True})

    def draw_again(self, hand_id: str, version: int, mesh: HandMesh) -> str:
        """Put `mesh`, proposed in a box that a person drew and `Model.told_again`, in this hand's place; words as of
        `change_side`."""
        return self._put(hand_id, version, mesh, box="drawn again")

    def _put(self, hand_id: str, version: int, mesh: HandMesh, **remarks) -> str:
        states = self.project.hand(hand_id).joint_states
        self.project.edit(hand_id, mesh.replace(features=None), states, version, self._note(**remarks))
        if self.hand is not None and self.hand.id == hand_id:
            self._reload()
        else:
            self.read_queue()
            self._changed()
        return kept_words(states)

    def delete(self) -> None:
        """There is no hand here, or it is in the list twice: it is rejected and not drawn any more. The
        journal keeps it, undo brings it back."""
        self._mesh()
        if self.hand.state == "rejected":  # the journal would not note a second word on it
            raise InputError(f"{self.hand.id} is rejected already: undo that first, then say that it is no hand")
        if self.is_together:  # it is in none of the photos then
            self._noted(self.project.delete({self.hand.id: self._note()}))
        else:
            self.project.set_state(self.hand.id, "rejected", self.hand.version, self._note(deleted=True))
        self._reload()

    # -- steps back and forth --------------------------------------------------------------------------------
    def undo(self) -> str:
        """Take back the last step of the project, with what was made together with it, and go to its hand; the hand's
        id."""
        return self._went(self.project.undo_batch())

    def redo(self) -> str:
        """Do again what was undone last, with what was made together with it, and go to its hand; the hand's id."""
        return self._went(self.project.redo_batch())

    # -- inside ----------------------------------------------------------------------------------------------
    def _went(self, hand_ids: Sequence[str]) -> str:
        self._noted(hand_ids)
        self.go(hand_ids[0])
        return hand_ids[0]

    def _set_states(self, states: Mapping[int, str]) -> None:
        if states:
            named = {JOINT_NAMES[joint]: state for joint, state in states.items()}
            self.project.edit(self.hand.id, None, states, self.hand.version, self._note(states=named))
            self._reload()
