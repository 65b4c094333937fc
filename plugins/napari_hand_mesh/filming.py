"""Through a video: from frame to frame, playing it, labels carried over, to where a person is needed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

from annotator.errors import InputError
from napari_hand_mesh.docks.frame.layout import dock_of
from napari_hand_mesh.jobs import labels_over_time
from napari_hand_mesh.session.video.timeline import usual_wait

if TYPE_CHECKING:
    from annotator.project import HandEntry
    from napari_hand_mesh.docks.video.panel import VideoPanel
    from napari_hand_mesh.session.session import Session

REST = 10  # ms at least that the window has for itself between two frames


class Filming:
    """The part of the plugin's widget that goes through videos of its session."""

    session: Session | None
    video: VideoPanel

    def _start_filming(self) -> None:
        """Once, after Qt's own part of the widget is there."""
        self._frames = QTimer(self)
        self._frames.setSingleShot(True)
        self._frames.timeout.connect(self._play_on)
        self.playing = False
        self._due = 0.0
        self.video.acted.connect(self.act)
        self.video.chosen.connect(self._go_to_frame)
        self.video.missed.connect(self.say)

    def _show_video(self) -> None:
        """The strip as the session has it now; a project without tracks has none."""
        self.video.show_session(self.session)
        dock = dock_of(self.video)
        wanted = self.session is not None and self.video.timeline.any_track
        if dock is not None and dock.isHidden() == wanted:
            dock.setVisible(wanted)

    # -- from frame to frame: names of keys.ACTIONS ------------------------------------------------------------
    def next_frame(self) -> None:
        self._step(1)

    def previous_frame(self) -> None:
        self._step(-1)

    def next_doubtful(self) -> None:
        self._doubtful(1)

    def previous_doubtful(self) -> None:
        self._doubtful(-1)

    def other_track(self) -> None:
        self._on_track()
        other = self.video.timeline.other_lane()
        if other is None:
            raise InputError("no other track has a hand within a second of this frame")
        self.session.go(other.id)

    def play(self) -> None:
        """Play the track from here, or stop."""
        if self.playing:
            self.stop_playing()
            return
        self._on_track()
        if self.video.timeline.neighbour(1) is None:
            raise InputError("this is the last frame of the track")
        self.playing, self._due = True, time.monotonic()
        self.video.show_playing(True)
        self._play_on()

    def stop_playing(self) -> None:
        """Stay at the frame that is shown."""
        if self.playing:
            self._frames.stop()
            self.playing = False
            self.video.show_playing(False)
            if self.session is not None and self.session.mesh is not None:
                self._look()  # the network was not asked on the way

    def accept_to_here(self) -> None:
        """Accept what waits up to this frame, after a question."""
        self._on_track()
        timeline = self.video.timeline
        found = [entry.id for entry in timeline.lane.to_here(timeline.row)]
        if not found:
            raise InputError("nothing waits for a verdict up to this frame")
        if found == [self.session.hand.id]:
            self.accept()
        elif len(found) == 1:
            raise InputError("one hand waits before this frame: go there to judge it")
        else:
            self._judge_many(found, "accepted")

    # -- labels over time ----------------------------------------------------------------------------------------
    def propagate_forward(self) -> None:
        self._propagate("forward")

    def propagate_backward(self) -> None:
        self._propagate("backward")

    def needs_you(self) -> None:
        """Go to the frame whose correction helps the tracks of this video most."""
        self._on_track()
        session, here = self.session, self.session.hand.id
        tracks = [lane.track for lane in self.video.timeline.lanes]
        folder = session.project.folder

        def found(needed) -> None:
            if self.session is not session:
                return
            if needed is None:
                self.say("no frame of this video waits for a person")
                return
            if session.hand is not None and session.hand.id == here:  # else the person went elsewhere meanwhile
                self.settle()  # a joint may have been nudged meanwhile
                self._try(lambda: session.go(needed.id))
                self._finish()
            joint = needed.joint.replace("_", " ")
            self.say(f"frame {needed.frame} of track {needed.track} needs you: {needed.why}; begin with the {joint}")

        self._ask("looking for the frame that needs you …", lambda: labels_over_time.needed(folder, tracks), found)

    def _propagate(self, direction: str) -> None:
        self._on_track()
        session, hand, timeline = self.session, self.session.hand.id, self.video.timeline
        if timeline.lane.mark(timeline.row) not in ("corrected", "accepted"):
            raise InputError(f"hand {hand} has nothing to carry: correct or accept it first")
        folder, who = session.project.folder, session.project.who

        def done(carried) -> None:
            if self.session is not session:
                return
            self.settle()  # a joint may have been nudged meanwhile
            session.read_queue()
            if session.hand is not None:
                self._try(lambda: session.go(session.hand.id))
            self.say(labels_over_time.words_of(carried))

        self._ask(
            f"carrying the labels {direction} …",
            lambda: labels_over_time.propagate(folder, hand, direction, who),
            done,
        )

    # -- inside --------------------------------------------------------------------------------------------------
    def _on_track(self) -> None:
        """InputError unless the hand that is looked at is on a track."""
        self.video.timeline.follow(self.session)  # the strip itself may not have been painted yet
        if self.session.hand is None:
            raise InputError("no hand is open")
        if self.video.timeline.entry() is None:
            raise InputError("this hand is on no track: `annotator track` finds them in a video")

    def _go_to_frame(self, hand_id: str) -> None:
        self.stop_playing()
        self.settle()
        self._try(lambda: self.session.go(hand_id))

    def _step(self, step: int) -> None:
        self._on_track()
        there = self.video.timeline.neighbour(step)
        if there is None:
            raise InputError(f"this is the {'last' if step > 0 else 'first'} frame of the track")
        self._arrive(there, step)

    def _doubtful(self, step: int) -> None:
        self._on_track()
        timeline = self.video.timeline
        row = timeline.lane.next_doubtful(timeline.row, step)
        if row is None:
            raise InputError(f"nothing doubtful {'after' if step > 0 else 'before'} this frame of the track")
        entry = timeline.lane.entries[row]
        self.session.go(entry.id)
        self._finish()
        self.say(f"frame {entry.frame}: {', '.join(entry.reasons)}")

    def _arrive(self, there: HandEntry, step: int) -> None:
        """Go to the next frame, and say what lies between."""
        timeline = self.video.timeline
        jump = abs((there.frame or 0) - (timeline.entry().frame or 0))
        usual = timeline.lane.step
        self.session.go(there.id)
        if jump > 2 * usual and not self.playing:
            self._finish()
            self.say(f"{jump - usual} frames without this hand lie {'before' if step > 0 else 'behind'} this one")

    def _play_on(self) -> None:
        """One frame of the video that plays; a frame is shown for as long as it was filmed, if there is time."""
        if not self.playing:
            return
        self._show_video()
        there = self.video.timeline.neighbour(1)
        if there is None:
            self.stop_playing()
            return
        try:
            self.session.go(there.id)
        except InputError as error:
            self.stop_playing()
            self.say(str(error))
            return
        self._due = max(self._due + usual_wait(self.video.timeline.lane), time.monotonic())
        self._frames.start(max(int(1000 * (self._due - time.monotonic())), REST))
