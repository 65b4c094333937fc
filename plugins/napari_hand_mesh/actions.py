"""What keys and buttons do: one method for each of keys.ACTIONS, by its name; verdicts are in `judging`, what asks the
network for a hand in `redrawing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annotator.errors import InputError
from napari_hand_mesh.canvas.picture import STYLES
from napari_hand_mesh.judging import Judging
from napari_hand_mesh.redrawing import Redrawing
from napari_hand_mesh.session.keys import HARMLESS

if TYPE_CHECKING:
    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.canvas.layers import HandLayers
    from napari_hand_mesh.docks.frame.layout import Layout
    from napari_hand_mesh.docks.frame.typing import Typing
    from napari_hand_mesh.docks.side_view import SideView
    from napari_hand_mesh.session.session import Session


class Actions(Judging, Redrawing):
    """The part of the plugin's widget that acts on its session, layers and mouse."""

    session: Session | None
    layers: HandLayers | None
    dragging: Dragging | None
    side: SideView
    typing: Typing
    arrangement: Layout
    _last_joint: int | None
    _chosen_joint: int | None

    # -- actions: names of keys.ACTIONS ----------------------------------------------------------------------
    def act(self, name: str) -> None:
        """Do what a key or button stands for; what cannot be done is said, not raised."""
        if self.session is None:
            self.say("open a project first: Photos … makes one")
            return
        if name != "play" and name not in HARMLESS:
            self.stop_playing()
        try:
            if not name.startswith("nudge_"):
                self.settle()
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

    def next_open(self, step: int = 1) -> None:
        more = self.session.next_open(step)
        self.say(self.session.passed if more else "no other hand waits to be judged")

    def previous_open(self) -> None:
        self.next_open(-1)

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

    def _clicked(self, place: tuple[float, float]) -> None:
        """A click beside the keypoints: on another hand it goes there."""
        self.settle()
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
        known = (self._chosen_joint, self.dragging.hovered, self._last_joint)
        joint = next((one for one in known if one is not None), None)
        if joint is None:
            raise InputError("put the mouse on a keypoint first, or choose one by a number")
        return joint
