"""Keypoints without a mouse: one is chosen by its finger's number, nudged by arrows, pushed nearer or farther. Nudges
show at once and are stored as one step when the keys rest, or when anything else is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer

from annotator.errors import InputError
from annotator.hand.joints import FINGERS, JOINT_NAMES
from napari_hand_mesh.canvas.framing import on_canvas, to_photo

if TYPE_CHECKING:
    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.canvas.layers import HandLayers
    from napari_hand_mesh.session.session import Session

REST = 700  # ms after the last nudge: it is over
NUDGE, FAR = 1.0, 10.0  # photo px
PUSH = 0.004  # m, in depth


class ByKeys:
    """The part of the plugin's widget that works on a keypoint chosen by keys."""

    session: Session | None
    layers: HandLayers | None
    dragging: Dragging | None

    def _start_keys(self) -> None:
        """Once, after Qt's own part of the widget is there."""
        self._chosen_joint: int | None = None
        self._nudged: tuple[str, tuple[float, float]] | None = None  # of which hand; where the joint is by now
        self._resting, self._following = QTimer(self), QTimer(self)
        for timer, wait, call in ((self._resting, REST, self.settle), (self._following, 0, self._follow)):
            timer.setSingleShot(True)
            timer.setInterval(wait)
            timer.timeout.connect(call)

    def choose_joint(self, joint: int | None) -> None:
        """Work on this joint by keys; None: on the one under the mouse again."""
        self.settle()
        if self.session is not None and self.session.hand is None and joint is not None:
            raise InputError("no hand is open")
        self._chosen_joint = joint
        self._point_at(joint)

    def settle(self) -> None:
        """Store where a joint was nudged to, if one was."""
        self._resting.stop()
        self._following.stop()
        (hand, place), self._nudged = self._nudged or ("", (0.0, 0.0)), None
        session, joint = self.session, self._chosen_joint
        if not hand or session is None or session.hand is None or session.hand.id != hand or joint is None:
            return
        self._drop(joint, place, False, False)
        self._point_at(joint)

    def _point_at(self, joint: int | None) -> None:
        """The words about a chosen joint beside it, its finger brought out."""
        place = (0.0, 0.0) if joint is None else on_canvas(self.layers, self.layers.places[joint])
        self._over(joint, tuple(place))

    def _finger(self, finger: str) -> None:
        """The finger's tip; again: the next joint towards the palm."""
        from_tip = [JOINT_NAMES.index(name) for name in reversed(JOINT_NAMES) if name.startswith(finger)]
        now = self._chosen_joint
        at = from_tip.index(now) + 1 if now in from_tip else 0
        self.choose_joint(from_tip[at % len(from_tip)])

    def _walk(self, by: int) -> None:
        now = self._chosen_joint
        if now is None:
            now = self.dragging.hovered if self.dragging.hovered is not None else (-1 if by > 0 else 0)
        self.choose_joint((now + by) % len(JOINT_NAMES))

    def _nudge(self, across: float, down: float) -> None:
        """So many photo px as the view shows them."""
        joint, hand = self._joint(), self.session.hand
        if hand is None:
            raise InputError("no hand is open")
        if joint != self._chosen_joint:
            self.choose_joint(joint)
        before = self.layers.places[joint] if self._nudged is None else self._nudged[1]
        x, y = np.asarray(before) + to_photo(self.layers, (across, down))
        self._nudged = hand.id, (float(x), float(y))
        self._following.start()  # a key that repeats is faster than a mesh
        self._resting.start()

    def _follow(self) -> None:
        joint = self._chosen_joint
        if self._nudged is None or joint is None:
            return
        self._preview(joint, self._nudged[1], False, False)
        self._point_at(joint)

    def _push(self, by: float) -> None:
        joint = self._joint()
        self.session.push(joint, by)
        words = "nearer" if by < 0 else "farther"
        self.say(f"{JOINT_NAMES[joint].replace('_', ' ')} {words} by {1000 * abs(by):g} mm (Undo takes it back)")
        if joint == self._chosen_joint:
            self._point_at(joint)

    # -- actions: names of keys.ACTIONS ----------------------------------------------------------------------
    def next_joint(self) -> None:
        self._walk(1)

    def joint_before(self) -> None:
        self._walk(-1)

    def choose_wrist(self) -> None:
        self.choose_joint(0)

    def leave_joint(self) -> None:
        self.dragging.box(False)
        self._show_others()  # in place of a box that was begun
        self._order(None)
        self.choose_joint(None)

    def nearer(self) -> None:
        self._push(-PUSH)

    def farther(self) -> None:
        self._push(PUSH)


def _choosing(finger: str):
    def choose(self: ByKeys) -> None:
        self._finger(finger)

    return choose


def _nudging(across: float, down: float):
    def nudge(self: ByKeys) -> None:
        self._nudge(across, down)

    return nudge


for _name in FINGERS:
    setattr(ByKeys, f"choose_{_name}", _choosing(_name))
for _name, _way in {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}.items():
    setattr(ByKeys, f"nudge_{_name}", _nudging(_way[0] * NUDGE, _way[1] * NUDGE))
    setattr(ByKeys, f"nudge_{_name}_far", _nudging(_way[0] * FAR, _way[1] * FAR))
