"""What keys and buttons do: one method for each of keys.ACTIONS, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from napari_hand_mesh.canvas.picture import STYLES
from napari_hand_mesh.docks.question import ask, choose
from napari_hand_mesh.session.keys import HARMLESS

if TYPE_CHECKING:
    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.canvas.layers import HandLayers
    from napari_hand_mesh.docks.frame.layout import Layout
    from napari_hand_mesh.docks.frame.typing import Typing
    from napari_hand_mesh.docks.side_view import SideView
    from napari_hand_mesh.session.session import Session

BOX_MARGIN = 0.1  # of the keypoints' larger side
SMALLEST_BOX = 12.0  # photo px
SAME = 0.35  # intersection over union from which on a box is round a hand that is there


class Actions:
    """The part of the plugin's widget that acts on its session, layers and mouse."""

    session: Session | None
    layers: HandLayers | None
    dragging: Dragging | None
    side: SideView
    typing: Typing
    arrangement: Layout
    _last_joint: int | None

    # -- actions: names of keys.ACTIONS ----------------------------------------------------------------------
    def act(self, name: str) -> None:
        """Do what a key or button stands for; what cannot be done is said, not raised."""
        if self.session is None:
            self.say("open a project first: Photos … makes one")
            return
        try:
            getattr(self, name)()
        except InputError as error:
            self.say(str(error))

    def press(self, name: str) -> None:
        """As `act`, for a key: only where keys are meant for the hand."""
        why_not = "" if name in HARMLESS else self.typing.why_not()
        if why_not:
            self.say(why_not)
            return
        self.act(name)

    def _typed(self) -> None:
        """Letters that came one upon the other were text: what they judged is taken back."""
        burst = None if self.session is None else self.session.burst
        if burst is not None and len(burst) > 1:
            back = self.session.take_back()
            self.say(f"that was text being typed: {len(back)} verdicts were taken back")

    def accept(self) -> None:
        session, hand = self.session, self.session.hand
        contradicting = session.strained()
        if not contradicting:
            self._judge("accepted")
            return

        def sure() -> None:
            if self.session is session and session.hand is not None and session.hand.id == hand.id:
                self._try(lambda: self._judge("accepted"))

        self._check_shown()
        words = "; ".join(one.words for one in contradicting)
        question = "Accept this hand all the same? It is left out of exports unless asked for."
        ask(self, f"{words[:1].upper()}{words[1:]}.\n\n{question}", sure)

    def reject(self) -> None:
        self._judge("rejected")

    def flag(self) -> None:
        self._judge("flagged")

    def next_open(self) -> None:
        if not self.session.next_open():
            self.say("no other hand waits to be judged")

    def previous_open(self) -> None:
        if not self.session.next_open(-1):
            self.say("no other hand waits to be judged")

    def next_bare(self) -> None:
        if not self.session.next_bare():
            self.say("every photo has a hand")

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
                self.say("no other hand looks the same in this photo")
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
            self._try(lambda: said(session.change_side(hand.id, hand.version, hands[0])))

        def said(kept: str) -> None:
            self.say(f"{hand.id} is a {side} hand now (Undo takes it back)" + (f"; {kept}" if kept else ""))

        self._with_network(
            f"looking at it as a {side} hand …",
            lambda model: model.propose(photo, [box], [side], mesh.camera),
            lambda _model, hands: answered(hands),
        )

    def delete(self) -> None:
        self._check_shown()
        session, gone = self.session, self.session.hand
        session.delete()
        if not session.next_open():
            session.look_bare(gone.photo)  # what is deleted is not looked at any more
        self.say(f"{gone.id} is no hand (Undo brings it back)")

    def take_back(self) -> None:
        hands = self.session.take_back()
        self.say(f"taken back: {len(hands)} verdict{'' if len(hands) == 1 else 's'}")

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
        shares = {hand_id: _overlap(box, mesh) for hand_id, mesh in session.hands_here().items()}
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
        version = None if replaced is None else session.project.hand(replaced).version

        def store(model, mesh: HandMesh) -> None:
            if replaced is None:
                session.add_hand(mesh, model, photo_id)
                return
            kept = session.draw_again(replaced, version, mesh)
            session.go(replaced)
            self.say(f"{replaced} is drawn again (Undo takes it back)" + (f"; {kept}" if kept else ""))

        def answered(model, hands) -> None:
            self.say("")
            if self.session is session:
                self._try(lambda: store(model, hands[0]))

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

    def mesh_style(self) -> None:
        layers = self.layers
        layers.style = STYLES[(STYLES.index(layers.style) + 1) % len(STYLES)]
        if layers.hand is not None:
            self._show(layers.hand)
        self.say(f"mesh: {layers.style}")

    def turn_view(self) -> None:
        self.layers.turn(self.layers.turned + 1, self.layers.mirrored)

    def mirror_view(self) -> None:
        self.layers.turn(self.layers.turned, not self.layers.mirrored)
        self.say("the view is mirrored: left is right (Ctrl+2: back)" if self.layers.mirrored else "")

    def swap_views(self) -> None:
        self.arrangement.swap(self.side)

    def show_layers(self) -> None:
        self.arrangement.fold(not self.arrangement.folded)

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

    def _check_shown(self) -> None:
        """InputError unless the hand that is judged is the one on the canvas; then it is shown."""
        if self.session.hand is None:
            raise InputError("no hand is open")
        if not self.is_shown:
            self._refresh()
            raise InputError("the canvas did not show this hand as it is stored: look at it, then judge")

    def _judge(self, state: str) -> None:
        self._check_shown()
        judged = self.session.hand.id
        self.session.set_state(state)
        more = self.session.next_open()
        self.say(f"{judged}: {state}" + ("" if more else "; no other hand waits to be judged"))

    def _judge_many(self, hand_ids: list[str], state: str) -> None:
        """Judge all of these, after a question."""
        session = self.session
        if session is None or len(hand_ids) < 2:
            return
        strained = session.strained_among(hand_ids) if state == "accepted" else []
        wanted = [hand_id for hand_id in hand_ids if hand_id not in strained]
        verb = {"accepted": "Accept", "rejected": "Reject", "flagged": "Flag"}[state]
        left = f"\n\n{len(strained)} with labels that no plausible hand meets stay as they are." if strained else ""

        def sure() -> None:
            if self.session is session:
                self._try(lambda: self.say(f"{session.judge(wanted, state)} hands {state}"))

        choose(self, f"{verb} {len(wanted)} hands, also those that were not looked at?{left}",
               {f"{verb} {len(wanted)}": sure}, lambda: None)  # fmt: skip


def _overlap(box: tuple[float, ...], mesh: HandMesh) -> float:
    """Intersection over union of a box and the one round a hand's keypoints."""
    low, high = mesh.keypoints.min(0), mesh.keypoints.max(0)
    shared = max(min(box[2], high[0]) - max(box[0], low[0]), 0.0) * max(min(box[3], high[1]) - max(box[1], low[1]), 0.0)
    both = (box[2] - box[0]) * (box[3] - box[1]) + float(np.prod(high - low)) - shared
    return float(shared / max(both, 1e-9))
