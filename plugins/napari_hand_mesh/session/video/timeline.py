"""The tracks of the video that is looked at, kept up to date with a session; without Qt and napari."""

from __future__ import annotations

import numpy as np

from annotator.files.frame_places import video_of
from annotator.hand.joint_states import PROPAGATED, PROPOSED
from annotator.project import HandEntry
from napari_hand_mesh.session.memory import uncollected
from napari_hand_mesh.session.session import Session
from napari_hand_mesh.session.video.lanes import Lane


class Timeline:
    """lanes: the tracks of the video of the hand that is looked at, by number, none on a loose photo; lane, row: where
    that hand is in them (None on no track); any_track: whether the project has a track at all."""

    def __init__(self) -> None:
        self.lanes: list[Lane] = []
        self.lane: Lane | None = None
        self.row: int | None = None
        self.any_track = False
        self._session: Session | None = None
        self._generation = self._heard = -1
        self._video: str | None = None
        self._tracks: dict[str, dict[int, list[HandEntry]]] = {}  # of each video
        self._places: dict[str, tuple[Lane, int]] = {}

    def follow(self, session: Session | None) -> None:
        """Take over what changed in the session, which hands there are and where the person is."""
        queue = None if session is None else session.hand_queue
        if session is not self._session or (queue is not None and queue.generation != self._generation):
            self._session = session
            with uncollected():
                self._read()
        elif queue is not None:
            self._hear()
        self._go()

    def entry(self) -> HandEntry | None:
        """The hand that is looked at, if it is on a track."""
        return None if self.lane is None or self.row is None else self.lane.entries[self.row]

    def neighbour(self, step: int) -> HandEntry | None:
        """The track's hand in its next frame (step -1: the one before); None at its end."""
        if self.lane is None or self.row is None or not 0 <= self.row + step < len(self.lane.entries):
            return None
        return self.lane.entries[self.row + step]

    def other_lane(self) -> HandEntry | None:
        """The hand of the next track that has one nearest to this frame, within a second of it; None: there is none."""
        here = self.entry()
        if here is None or self.lane is None:
            return None
        at = self.lanes.index(self.lane)
        for lane in self.lanes[at + 1 :] + self.lanes[:at]:
            row = lane.nearest(here.frame or 0)
            if abs(lane.seconds[row] - (here.seconds or 0.0)) <= 1.0:
                return lane.entries[row]
        return None

    def span(self) -> tuple[int, int]:
        """(first, last + 1) frame of all lanes."""
        if not self.lanes:
            return 0, 1
        first = min(int(lane.frames[0]) for lane in self.lanes)
        return first, max(int(lane.frames[-1]) + lane.step for lane in self.lanes)

    def shown(self, first: float, last: float, most: int) -> list[Lane]:
        """Up to `most` lanes to draw of those with frames in [first, last): the person's own, then those that are
        longest there, by number."""
        counts = {id(lane): lane.count(first, last) for lane in self.lanes}
        there = [lane for lane in self.lanes if counts[id(lane)] or lane is self.lane]
        there.sort(key=lambda lane: (lane is not self.lane, -counts[id(lane)]))
        return sorted(there[:most], key=lambda lane: lane.track)

    def words(self) -> str:
        """Where the person is."""
        entry = self.entry()
        if entry is None or self.lane is None or self.row is None:
            return "this photo is on no track"
        reasons = f": {', '.join(entry.reasons)}" if entry.reasons else ""
        where = f"frame {entry.frame} · {entry.seconds:.2f} s · track {entry.track} ({self.lane.side})"
        return f"{where} · {self.lane.mark(self.row)}{reasons}"

    # -- inside ----------------------------------------------------------------------------------------------
    def _read(self) -> None:
        self._tracks, self._video, self.lanes, self._places = {}, None, [], {}
        self.any_track = False
        if self._session is None:
            self._generation = self._heard = -1
            return
        queue = self._session.hand_queue
        self._generation, self._heard = queue.generation, len(queue.news)
        for entry in queue.entries:
            if entry.track is None:
                continue
            video = video_of(entry.photo)
            if video is not None:
                self._tracks.setdefault(video, {}).setdefault(entry.track, []).append(entry)
                self.any_track = True

    def _hear(self) -> None:
        """Lines that changed since."""
        assert self._session is not None
        queue = self._session.hand_queue
        news, self._heard = queue.news[self._heard :], len(queue.news)
        for hand_id in dict.fromkeys(news):
            if hand_id in self._places:
                lane, row = self._places[hand_id]
                lane.put(row, queue.entry(hand_id), self._is_propagated(hand_id))

    def _is_propagated(self, hand_id: str) -> bool:
        assert self._session is not None
        here = self._session.hand
        stored = here if here is not None and here.id == hand_id else self._session.project.hand(hand_id)
        return stored.state == PROPOSED and PROPAGATED in stored.joint_states

    def _go(self) -> None:
        """To the video, lane and row of the session's hand."""
        session = self._session
        at = None if session is None else session.at
        video = None if at is None else video_of(at.path)
        if video != self._video:
            self._video = video
            with uncollected():
                self._lay()
        hand = None if session is None else session.hand
        self.lane, self.row = self._places.get(hand.id, (None, None)) if hand is not None else (None, None)

    def _lay(self) -> None:
        """The lanes of this video, from the list of hands as it is now."""
        self.lanes, self._places = [], {}
        found = self._tracks.get(self._video or "", {})
        if not found or self._session is None:
            return
        queue, propagated = self._session.hand_queue, self._session.project.propagated()
        for track in sorted(found):
            self.lanes.append(Lane.of(track, [queue.entry(entry.id) for entry in found[track]], propagated))
        self._places = {
            entry.id: (lane, row) for lane in self.lanes for row, entry in enumerate(lane.entries)
        }  # fmt: skip


def usual_wait(lane: Lane) -> float:
    """s between two frames of a lane, as they were filmed."""
    steps = np.diff(lane.seconds)
    return float(np.median(steps)) if len(steps) else 0.04
