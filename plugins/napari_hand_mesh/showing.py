"""How the widget shows what its session has: the mesh first, then in steps what can wait until that is painted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer

from annotator.files.frame_places import video_of
from annotator.hand.joints import JOINT_NAMES, joint_index
from annotator.hand.mesh import HandMesh

if TYPE_CHECKING:
    from napari_hand_mesh.canvas.dragging import Dragging
    from napari_hand_mesh.canvas.layers import HandLayers
    from napari_hand_mesh.jobs.background import Background
    from napari_hand_mesh.session.session import Session

NOTHING = (
    "<b>No hands yet.</b><br>They appear here as they are found. <i>Photos …</i> and <i>Video …</i> look for more."
)
AFTER_PAINT = 25  # ms; at 0 Qt may call what can wait before the canvas
STAYED = 200  # ms: who looks at a frame of a video for so long wants to know more of it


class Showing:
    """The part of the plugin's widget that brings its session's hand onto canvas, side view and lists."""

    session: Session | None
    layers: HandLayers | None
    background: Background
    dragging: Dragging | None
    _last_joint: int | None
    _chosen_joint: int | None
    playing: bool

    def _start_showing(self) -> None:
        """Once, after Qt's own part of the widget is there."""
        self._recommended: int | None = None
        self._reason: tuple[tuple, str] | None = None  # of which hand, and the reason to look at it
        self._rest: Iterator[int | None] = iter(())  # what can wait, see `_describe`; ms until the next step
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(AFTER_PAINT)
        self._later.timeout.connect(self._go_on)
        # hand and photo on the canvas; the photo itself: an id may come again
        self._shown: tuple[str | None, np.ndarray | None] = (None, None)
        self._film: str | None = None  # the video whose frame was shown last
        self._unhurried = False  # whether a hand comes in steps, between which the window gets its turn

    def _stop_showing(self) -> None:
        """The project is closed."""
        self._later.stop()
        self._rest, self._shown, self._reason, self._film = iter(()), (None, None), None, None

    def _refresh(self) -> None:
        """Everything as the session has it now."""
        session, layers = self.session, self.layers
        self.depths.forget()
        layers.guard.mend()
        self.verdicts.show_burst(len(session.burst), session.burst.seconds)
        if session.hand is None:
            self._show_bare()
            return
        same = self._shown[0] == session.hand.id
        another = self._shown[1] is not session.photo
        self._shown = (None, None)  # until all of it is there
        if another:
            layers.show_photo(session.photo)
        film = video_of(session.at.path)
        at_once = not same and film is not None and film == self._film
        self._film = film
        arriving = self._arrive_at(same)
        if self._unhurried and not same:
            self._rest = itertools.chain(arriving, (None,), self._describe(listed=True))
            self._later.start(AFTER_PAINT)
            return
        for _ in arriving:
            pass
        if at_once:
            self._rest = self._describe_frame()
            self._go_on()  # its first step is painted with the canvas
        else:
            self._rest = self._describe(listed=not same)
            self._later.start(AFTER_PAINT)

    def _arrive_at(self, same: bool) -> Iterator[int | None]:
        """The hand on the canvas, in steps; the mesh comes first, everything else when it is painted. same: as the hand
        before."""
        session, layers = self.session, self.layers
        layers.definition = session.definition
        self._show(session.mesh)
        yield
        if not same:
            self._drop_grip()
            self._name()
            self.queue.refresh()
            self._chosen_joint = None
            self._over(None, (0, 0))  # words beside the pointer are of the hand before
            self._order(None)
            self._frame()
            self._mark()  # at once: another symbol later would have the canvas painted twice
            self._last_joint = None
            self.side.show_hand(None)  # rather nothing than the hand before
            self.say("")
            yield
        self._show_others()
        self._shown = (session.hand.id, session.photo)

    def _drop_grip(self) -> None:
        """Another hand: what the mouse drags belongs to the one before."""
        self.dragging.let_go()
        self._magnify(None)

    def _frame(self) -> None:
        """Bring another hand into view, as the person wants it."""
        layers, mesh = self.layers, self.session.mesh
        if self.view_mode == "photo":
            layers.look_at(None)
        elif self.view_mode == "hand" or not layers.sees(mesh):
            layers.look_at(mesh)
        else:
            layers.thin()  # it may be smaller on the screen than the hand before

    def _finish(self) -> None:
        """What can wait, at once."""
        self._later.stop()
        for _ in self._rest:
            pass

    @property
    def is_shown(self) -> bool:
        """Whether the canvas shows the session's hand, as it is stored."""
        hand, mesh = self.session.hand, self.session.mesh
        return hand is not None and self._shown[0] == hand.id and self.layers.hand is mesh

    def _go_on(self) -> None:
        """One step of what can wait; then the window gets its turn."""
        for wait in self._rest:
            self._later.start(AFTER_PAINT if wait is None else wait)
            return

    def _show_bare(self) -> None:
        """A photo without a hand, or nothing at all."""
        photo = self.session.photo
        self._rest = iter(())
        if self._shown[0] is not None or self._shown[1] is not photo:
            self._drop_grip()
        self.queue.refresh()
        self.history.show_session(self.session)
        self._show_video()
        self.side.show_hand(None)
        self._show_evidence()
        self._all_views()
        self._show_person()
        self._order(None)
        self._chosen_joint = None
        self._over(None, (0, 0))
        self.layers.clear()
        self._last_joint = None
        self.what.setText(
            NOTHING
            if photo is None
            else f"<b>{self.session.at.name}</b><br>No hand here. Is one missed? Draw a box round it (Shift+X)."
        )
        if photo is not None and (self._shown[0] is not None or self._shown[1] is not photo):
            self.layers.show_photo(photo)
            self.layers.look_at(None)
        self._shown = (None, photo)

    def _show(self, mesh: HandMesh) -> None:
        """The hand on the canvas, with this mesh."""
        strained = [joint_index(one.joint) for one in self.session.strained(mesh)]
        self.layers.show(mesh, self.session.hand.joint_states, strained=strained)

    def _show_others(self) -> None:
        self.layers.show_others(list(self.session.others.values()))

    def _look_at_depth(self, one) -> None:
        """Show another hand that looks the same, without storing it; None: the hand as it is."""
        if self.session is None or self.session.mesh is None:
            return
        mesh = self.session.mesh if one is None else one.hand
        self._show(mesh)
        self.side.show_hand(mesh, self.session.photo)

    def _take_depth(self, one) -> None:
        self._try(lambda: self.session.take_alternative(one))

    def _describe_frame(self) -> Iterator[int | None]:
        """As `_describe`, of a frame that was stepped to: the docks with the canvas, as each painting puts the window
        together anew; why to look, and the network's word, once somebody stays."""
        self._show_docks()
        yield STAYED
        self._why()
        self._tell()
        yield None
        yield from self._show_views()
        self._look()

    def _describe(self, listed: bool) -> Iterator[int | None]:
        """What can wait until the canvas shows the new mesh, in steps: markers; why to look, which takes longest; then
        at once what is in the docks, as whatever is painted of a window with OpenGL puts all of it together anew.
        Another step of the person makes a new one of it. listed: queue and markers are as they should be."""
        if not listed:
            self._mark()
            yield
        self._why()
        yield
        if not listed:
            self.queue.refresh()
        self._show_docks()
        self._tell()
        yield
        yield from self._show_views()
        self._look()

    def _show_docks(self) -> None:
        self._show_video()
        self.history.show_session(self.session)
        self.side.show_hand(self.session.mesh, self.session.photo)
        self._show_evidence()
        self._show_person()

    def _recommend(self) -> Iterator[int | None]:
        """What depends on the keypoint most worth correcting, in steps: markers, words."""
        self._mark()
        yield
        self._tell()

    def _looked(self) -> None:
        """The network knows the hand by now, and which keypoint it doubts."""
        if self.session is not None and self.session.mesh is not None and self.dragging.dragged is None:
            self._rest = itertools.chain(self._rest, self._recommend())
            self._later.start(AFTER_PAINT)

    def _mark(self) -> None:
        self._recommended = self.session.worth_correcting()
        self.layers.mark(self._recommended)

    def _tell(self) -> None:
        """The hand in words."""
        recommended = self._recommended
        next_one = "" if recommended is None else f"Look first ◇: {JOINT_NAMES[recommended].replace('_', ' ')}<br>"
        self.what.setText(f"{self._facts()}<br>{next_one}Why look: {self._why()}")

    def _why(self) -> str:
        """Why a person should look at the hand; found once for each hand as it is stored."""
        session = self.session
        of = session.hand.id, session.hand.version, session.definition
        if self._reason is None or self._reason[0] != of:
            self._reason = of, session.why()
        return self._reason[1]

    def _facts(self) -> str:
        hand = self.session.hand
        many = f"{len(hand.corrections)} label{'' if len(hand.corrections) == 1 else 's'}"
        seen = "" if hand.photo.frame is None else f"<br>{hand.photo.name}"
        return f"<b>{hand.id}</b><br>{hand.side} hand · {hand.state} · {many}{seen}"

    def _name(self) -> None:
        """Which hand it is, until the rest is known."""
        self.what.setText(f"{self._facts()}<br>…")

    def _look(self) -> None:
        if self.session is not None and self.background.model is not None and not self.playing:
            self.background.look(self.session)

    def _first_hand(self) -> Iterator[int | None]:
        """The first hand that was found comes in steps, so that the window never waits for all: it is read, then the
        list, the photo, the way to it, and itself."""
        ahead = self.session.next_ahead()
        yield
        self.queue.refresh()
        yield
        if ahead is not None and self.session.photo is None:
            mesh, photo = ahead
            self.layers.show_photo(photo)
            self._shown = (None, photo)
            yield
            self.layers.place(mesh)
            yield
            self.layers.look_at(mesh)
        yield
        if self.session.photo is None:
            self._unhurried = True
            try:
                self._try(self.session.next_open)
            finally:
                self._unhurried = False
