"""Depth by hand: joints pulled in the side view, joints put in order by two clicks, what was said taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annotator.errors import InputError
from annotator.hand.joints import JOINT_NAMES

if TYPE_CHECKING:
    from annotator.hand.depth_labels import DepthLabels
    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.canvas.layers import HandLayers
    from napari_hand_mesh.session.session import Session

FIRST, SECOND = "click the joint that is in front (Shift+Z: stop)", "in front of which joint? Click it (Shift+Z: stop)"
FLAT = "depth is not seen from here: turn the hand first, as by the button 'side'"
PUSH_HAND = 0.01  # m


class ByDepth:
    """The part of the plugin's widget that hears what a person says of depth."""

    session: Session | None
    layers: HandLayers | None
    dragging: Dragging | None
    _chosen_joint: int | None

    def _start_depth(self) -> None:
        """Once, after Qt's own part of the widget is there."""
        self._ordering: list[int] | None = None  # the joints that were clicked so far; None: clicks are no order
        picture = self.side.picture
        picture.pulled.connect(self._pulled)
        picture.let_go.connect(self._let_go)
        picture.clicked.connect(self._click_joint)
        picture.over.connect(self._over_side)
        picture.flat.connect(lambda: self.say(FLAT))
        picture.ghosted.connect(lambda number: self.depths.list.setCurrentRow(number + 1))
        self.side.evidence.taken_back.connect(self._take_back_depth)
        self.depths.changed.connect(lambda: picture.show_ghosts(self.depths.hands, self.depths.looked_at_number))

    # -- joints in the side view -----------------------------------------------------------------------------
    def _pulled(self, joint: int, by: float, whole: bool) -> None:
        """A joint is being dragged along its line of sight."""
        session = self.session
        if session is None or session.mesh is None:
            return
        self.stop_playing()
        self.settle()
        try:
            mesh = session.preview_push(joint, by, whole)
        except InputError as error:
            self.say(str(error))
            return
        self.layers.show(mesh, session.hand.joint_states, smooth=False)
        self.side.show_hand(mesh, session.photo, live=True)
        self.viewer.status = _words("hand" if whole else _spoken(joint), by)

    def _let_go(self, joint: int, by: float, whole: bool) -> None:
        try:
            self.session.push(joint, by, whole)
            self.say(f"{_words('the hand' if whole else _spoken(joint), by)} (Undo takes it back)")
        except InputError as error:
            self._refresh()
            self.say(str(error))

    def _over_side(self, joint: int | None) -> None:
        """A joint is under the mouse in the side view: keys are for it."""
        if self.session is None or self.session.mesh is None:
            return
        if joint is not None:
            self.settle()
            self._last_joint, self._chosen_joint = joint, None
            self.dragging.hovered = joint
        self.viewer.status = "" if joint is None else self.layers.describe(joint)
        self.layers.bring_out(joint)

    def _show_evidence(self) -> None:
        """What was said of the hand's depth, as it is stored."""
        hand = self.session.hand if self.session is not None else None
        self.side.evidence.show_labels(None if hand is None else hand.depth_labels)

    def _take_back_depth(self, said: DepthLabels) -> None:
        def take_back() -> None:
            self.session.take_back_depth(said)
            self.say(f"taken back: {said.words()} (Undo brings it back)")

        self.settle()
        self._try(take_back)

    # -- one joint in front of another -----------------------------------------------------------------------
    def _order(self, joints: list[int] | None) -> None:
        """These were clicked so far; None: no more clicks."""
        self._ordering = joints
        self.dragging.picking = None if joints is None else self._click_joint
        self.side.picture.picked = joints or ()
        self.side.picture.update()

    def _click_joint(self, joint: int) -> None:
        """A joint was clicked, in the photo or in the side view."""
        if self._ordering is None:
            return
        clicked = [*self._ordering, joint]
        if len(clicked) == 1:
            self._order(clicked)
            self.say(f"{_spoken(joint)}: {SECOND}")
            return
        near, far = clicked

        def put() -> None:
            self.session.put_in_front(near, far)
            self.say(f"{_spoken(near)} is in front of {_spoken(far)} (Undo takes it back)")

        self._order(None)
        self._try(put)

    # -- actions: names of keys.ACTIONS ------------------------------------------------------------------------
    def in_front(self) -> None:
        """Two clicks follow, or two joints chosen by keys."""
        if self.session.hand is None:
            raise InputError("no hand is open")
        chosen = self._chosen_joint
        if self._ordering is not None and chosen in (None, *self._ordering):
            self._order(None)
            self.say("")
            return
        if self._ordering is None:
            self._order([])
            self.say(FIRST)
        if chosen is not None:
            self._click_joint(chosen)

    def hand_nearer(self) -> None:
        self._push_hand(-PUSH_HAND)

    def hand_farther(self) -> None:
        self._push_hand(PUSH_HAND)

    def _push_hand(self, by: float) -> None:
        self.session.push(0, by, whole=True)
        self.say(f"{_words('the hand', by)} (Undo takes it back)")


def _spoken(joint: int) -> str:
    return JOINT_NAMES[joint].replace("_", " ")


def _words(what: str, by: float) -> str:
    return f"{what} {'nearer' if by < 0 else 'farther'} by {1000 * abs(by):.0f} mm"
