"""Hands proposed again: in a box that a person draws, or as one of the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import opposite
from annotator.hand.mesh import HandMesh
from annotator.vision.boxes import bounds, overlap
from napari_hand_mesh.docks.question import choose

if TYPE_CHECKING:
    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.session.session import Session

SMALLEST_BOX = 12.0  # photo px
SAME = 0.35  # intersection over union from which on a box is round a hand that is there


class Redrawing:
    """The part of the plugin's widget that asks the network for a hand."""

    session: Session | None
    dragging: Dragging | None

    def draw_box(self) -> None:
        """The next drag draws a box round a hand that was missed."""
        if self.session.photo is None:
            raise InputError("there is no photo to draw on")
        wanted = not self.dragging.boxing
        self.dragging.box(wanted)
        self.say("draw a box round the missed hand with the mouse (Shift+X: stop)" if wanted else "")

    def change_side(self) -> None:
        """The hand again as one of the other side, proposed in the same place."""
        session, hand, mesh = self.session, self.session.hand, self.session.mesh
        if hand is None:
            raise InputError("no hand is open")
        side = opposite(hand.side)
        photo, definition = session.photo, session.definition

        def answered(other: HandMesh) -> None:
            self._try(lambda: said(session.change_side(hand.id, hand.version, other)))

        def said(kept: str) -> None:
            self.say(f"{hand.id} is a {side} hand now (Undo takes it back)" + (f"; {kept}" if kept else ""))

        if session.is_together:
            shown, photos = session.in_all_photos()

            def stored(other) -> None:
                session.change_side_together(shown, other)
                self.say(f"{hand.id} is a {side} hand now, in its {len(photos)} photos (Undo takes it back)")

            self._with_network(
                f"looking at it as a {side} hand in its {len(photos)} photos …",
                lambda model: model.other_side_instant(photos, shown.rig, shown.meshes, shown.states(), definition),
                lambda _model, other: self._try(lambda: stored(other)),
            )
            return
        self._with_network(
            f"looking at it as a {side} hand …",
            lambda model: model.other_side(photo, mesh, hand.joint_states, definition),
            lambda _model, other: answered(other),
        )

    def _boxed(self, first: tuple[float, float], second: tuple[float, float]) -> None:
        """A box was drawn, by two of its corners (x, y) photo px: look for the hand in it, and ask before there are two
        in one place."""
        session = self.session
        height, width = session.photo.shape[:2]
        (x0, x1), (y0, y1) = (sorted((first[i], second[i])) for i in (0, 1))
        box = (max(x0, 0.0), max(y0, 0.0), min(x1, width - 1.0), min(y1, height - 1.0))
        if min(box[2] - box[0], box[3] - box[1]) < SMALLEST_BOX:
            self._show_others()
            self.say("the box is too small: draw it round the whole hand")
            return
        here = session.hands_here()
        rounds = np.array([bounds(mesh.keypoints) for mesh in here.values()]).reshape(-1, 4)
        shares = dict(zip(here, overlap(box, rounds).tolist(), strict=True))
        there = max(shares, key=shares.get, default=None)
        if there is None or shares[there] < SAME:
            self._show_others()
            self._propose_in(box, None)
            return
        known = session.project.hand(there)
        labels = f", with {len(known.corrections)} labels," if known.corrections else ""
        choose(
            self,
            f"There is a hand in this box already: {there}{labels} {known.state}.\n\n"
            "Replace it (its labels are kept), or is this a second hand in the same place?",
            {
                "Replace": lambda: self._propose_in(box, there),
                "Second hand": lambda: self._propose_in(box, None),
            },
            self._show_others,
        )

    def _propose_in(self, box: tuple[float, ...], replaced: str | None) -> None:
        """Ask the network for the hand in this box. replaced: the id of a hand that it takes the place of."""
        session = self.session
        if session is None or session.at is None:
            return
        self._show_others()
        photo, photo_id, sides = session.photo, session.at.id, [self.drawn_side]
        camera = session.mesh.camera if session.mesh is not None else None
        before = None if replaced is None else session.project.hand(replaced)
        mesh_before = None if replaced is None else session.project.mesh(replaced)
        definition = session.definition

        def answer(model) -> HandMesh:
            (fresh,) = model.propose(photo, [box], sides, camera)
            return fresh if before is None else model.told_again(fresh, mesh_before, before.joint_states, definition)

        def store(model, mesh: HandMesh) -> None:
            if before is None:
                session.add_hand(mesh, model, photo_id)
                return
            kept = session.draw_again(replaced, before.version, mesh)
            session.go(replaced)
            self.say(f"{replaced} is drawn again (Undo takes it back)" + (f"; {kept}" if kept else ""))

        def answered(model, mesh: HandMesh) -> None:
            self.say("")
            if self.session is session:
                self._try(lambda: store(model, mesh))

        self._with_network("looking at the hand in the box …", answer, answered)
