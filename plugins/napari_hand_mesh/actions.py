"""What keys and buttons do: one method for each of keys.ACTIONS, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import show_info, show_warning

from annotator.errors import InputError
from napari_hand_mesh.docks.question import ask

if TYPE_CHECKING:
    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.canvas.layers import HandLayers
    from napari_hand_mesh.docks.side_view import SideView
    from napari_hand_mesh.session.session import Session

BOX_MARGIN = 0.1  # of the keypoints' larger side
SMALLEST_BOX = 12.0  # photo px


class Actions:
    """The part of the plugin's widget that acts on its session, layers and mouse."""

    session: Session | None
    layers: HandLayers | None
    dragging: Dragging | None
    side: SideView
    _last_joint: int | None

    # -- actions: names of keys.ACTIONS ----------------------------------------------------------------------
    def act(self, name: str) -> None:
        """Do what a key or button stands for; what cannot be done is said, not raised."""
        if self.session is None:
            show_warning("open a project first")
            return
        try:
            getattr(self, name)()
        except InputError as error:
            show_warning(str(error))
            self.say(str(error))

    def accept(self) -> None:
        session, hand = self.session, self.session.hand
        contradicting = session.strained()
        if not contradicting:
            self._judge("accepted")
            return

        def sure() -> None:
            if self.session is session and session.hand is not None and session.hand.id == hand.id:
                self._try(lambda: self._judge("accepted"))

        words = "; ".join(one.words for one in contradicting)
        question = "Accept this hand all the same? It is left out of exports unless asked for."
        ask(self, f"{words[:1].upper()}{words[1:]}.\n\n{question}", sure)

    def reject(self) -> None:
        self._judge("rejected")

    def flag(self) -> None:
        self._judge("flagged")

    def next_open(self) -> None:
        if not self.session.next_open():
            show_info("no other hand waits to be judged")

    def previous_open(self) -> None:
        if not self.session.next_open(-1):
            show_info("no other hand waits to be judged")

    def next_bare(self) -> None:
        if not self.session.next_bare():
            show_info("every photo has a hand")

    def occluded(self) -> None:
        self.session.set_joint_state(self._joint(), "occluded")

    def out_of_frame(self) -> None:
        self.session.set_joint_state(self._joint(), "out of frame")

    def confirm(self) -> None:
        self.session.set_joint_state(self._joint(), "confirmed")

    def confirm_all(self) -> None:
        self.session.confirm_all()

    def other_depth(self) -> None:
        self.say(f"turned over: {self.session.other_depth()} (Undo takes it back)")

    def show_alternatives(self) -> None:
        """List the other depths; they are looked for in a thread."""
        session, hand = self.session, self.session.hand
        if hand is None:
            raise InputError("no hand is open")

        def found(answer) -> None:
            self.say("")
            if self.session is not session or session.hand is None:
                return
            if (session.hand.id, session.hand.version) != (hand.id, hand.version):
                return  # the person went on meanwhile
            if not answer:
                show_info("no other hand looks the same in this photo")
                return
            self.depths.show_found(answer)

        self._ask("looking for other depths …", session.alternatives, found)

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
        side = "left" if hand.side == "right" else "right"
        low, high = mesh.keypoints.min(0), mesh.keypoints.max(0)
        pad = BOX_MARGIN * (high - low).max()
        photo, box = session.photo, (*(low - pad), *(high + pad))

        def answered(hands) -> None:
            self.say(f"{hand.id} is a {side} hand now (Undo takes it back)")
            self._try(lambda: session.change_side(hand.id, hand.version, hands[0]))

        self._with_network(
            f"looking at it as a {side} hand …",
            lambda model: model.propose(photo, [box], [side], mesh.camera),
            lambda _model, hands: answered(hands),
        )

    def delete(self) -> None:
        gone = self.session.hand.id if self.session.hand else ""
        self.session.delete()
        show_info(f"{gone} is deleted (Undo brings it back)")
        self.next_open()

    def _boxed(self, first: tuple[float, float], second: tuple[float, float]) -> None:
        """A box was drawn, by two of its corners (x, y) photo px: look for the hand in it."""
        session = self.session
        height, width = session.photo.shape[:2]
        (x0, x1), (y0, y1) = (sorted((first[i], second[i])) for i in (0, 1))
        box = (max(x0, 0.0), max(y0, 0.0), min(x1, width - 1.0), min(y1, height - 1.0))
        self._show_others()
        if min(box[2] - box[0], box[3] - box[1]) < SMALLEST_BOX:
            self.say("the box is too small: draw it round the whole hand")
            return
        photo, photo_id, sides = session.photo, session.at.id, [self.drawn_side]
        camera = session.mesh.camera if session.mesh is not None else None

        def answered(model, hands) -> None:
            self.say("")
            if self.session is session:
                self._try(lambda: session.add_hand(hands[0], model, photo_id))

        self._with_network(
            "looking at the hand in the box …", lambda model: model.propose(photo, [box], sides, camera), answered
        )

    def _clicked(self, place: tuple[float, float]) -> None:
        """A click beside the keypoints: on another hand it goes there."""
        other = self.session.other_at(place)
        if other is not None:
            self._try(lambda: self.session.go(other))

    def _ask(self, words: str, call, then) -> None:
        """A question in a thread, with words for the time until its answer."""
        self.say(words)
        if not self.background.ask(call, then, self._refresh):
            self.say("one moment: the last question is not answered yet")

    def _with_network(self, words: str, call, then) -> None:
        """As `_ask`, of the network: call(model) in a thread, then(model, answer)."""
        session = self.session

        def ask() -> None:
            model = self.background.model
            if self.session is session:
                self._ask(words, lambda: call(model), lambda answer: then(model, answer))

        self.background.with_model(ask)

    def undo(self) -> None:
        self.session.undo()

    def redo(self) -> None:
        self.session.redo()

    def fade_markers(self) -> None:
        self.layers.fade()

    def fade_mesh(self) -> None:
        self.layers.mesh.visible = not self.layers.mesh.visible

    def colour_by_uncertainty(self) -> None:
        self.layers.by_uncertainty = self.side.by_uncertainty = not self.layers.by_uncertainty
        self._refresh()

    def look(self) -> None:
        self.layers.look_at(None)  # the window may have another size by now
        if self.session.mesh is not None:
            self.layers.look_at(self.session.mesh)

    def _joint(self) -> int:
        hovered = self.dragging.hovered
        joint = self._last_joint if hovered is None else hovered
        if joint is None:
            raise InputError("put the mouse on a keypoint first")
        return joint

    def _judge(self, state: str) -> None:
        self.session.set_state(state)
        self.next_open()
