"""A track as a lane: its frames in order, what each is, and how doubtful; without Qt and napari."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from annotator.project import HandEntry
from napari_hand_mesh.session.navigation.hand_queue import OPEN

# what a frame of a track is; of several in one column of the screen the later one in this tuple is shown
MARKS = ("gap", "proposed", "bridged", "propagated", "accepted", "rejected", "flagged", "corrected")
CODE = {mark: code for code, mark in enumerate(MARKS)}
NOT_SEEN = "not seen"  # the reason of a bridged frame


def mark_of(entry: HandEntry, propagated: bool = False) -> str:
    """Which of MARKS a hand of a track is. propagated: labels of other frames moved it last."""
    if entry.state not in OPEN:
        return entry.state
    if entry.corrections or entry.state != "proposed":
        return "corrected"
    if propagated:
        return "propagated"
    return "bridged" if NOT_SEEN in entry.reasons else "proposed"


@dataclass(eq=False)
class Lane:
    """A track. track: its number; entries: its hands by frame; frames (N,) int64; seconds (N,); marks (N,) uint8, see
    CODE; doubts (N,) 0..1: how unsure the network is of what nobody judged; doubtful (N,) bool: something speaks
    against the frame and nobody judged it. frames stay what they are; the rest changes by `put`, and changes counts how
    often."""

    track: int
    entries: list[HandEntry]
    frames: np.ndarray
    seconds: np.ndarray
    marks: np.ndarray
    doubts: np.ndarray
    doubtful: np.ndarray
    changes: int = 0
    _right: int = field(default=0, init=False)  # how many of its hands are right ones

    @classmethod
    def of(cls, track: int, hands: Sequence[HandEntry], propagated: Collection[str]) -> Lane:
        """Of the track's hands, in any order. propagated: ids of those that labels of other frames moved last."""
        entries = sorted(hands, key=lambda entry: (entry.frame or 0, entry.number))
        count = len(entries)
        lane = cls(
            track,
            entries,
            np.array([entry.frame or 0 for entry in entries], np.int64),
            np.array([entry.seconds or 0.0 for entry in entries], np.float64),
            np.zeros(count, np.uint8),
            np.zeros(count, np.float32),
            np.zeros(count, bool),
        )
        for row, entry in enumerate(entries):
            lane._set(row, entry, entry.id in propagated)
        lane._right = sum(entry.side == "right" for entry in entries)
        return lane

    def put(self, row: int, entry: HandEntry, propagated: bool) -> None:
        """The hand of this row as it is now."""
        before, mark = self.entries[row], self.marks[row]
        self._set(row, entry, propagated)
        self._right += (entry.side == "right") - (before.side == "right")
        if before != entry or self.marks[row] != mark:
            self.changes += 1

    def _set(self, row: int, entry: HandEntry, propagated: bool) -> None:
        mark = mark_of(entry, propagated)
        untouched = mark in ("proposed", "bridged", "propagated")
        self.entries[row] = entry
        self.marks[row] = CODE[mark]
        self.doubts[row] = 1.0 - entry.confidence if untouched else 0.0
        self.doubtful[row] = untouched and bool(entry.reasons)

    @property
    def side(self) -> str:
        """'right' or 'left': what most of its frames say."""
        return "right" if 2 * self._right >= len(self.entries) else "left"

    @cached_property
    def step(self) -> int:
        """Frames from one of its hands to the next, as a rule: 1, or more if every second, third, ... was looked at."""
        return int(np.median(np.diff(self.frames))) if len(self.frames) > 1 else 1

    def mark(self, row: int) -> str:
        return MARKS[self.marks[row]]

    def nearest(self, frame: float) -> int:
        """The row whose frame is nearest."""
        after = int(np.searchsorted(self.frames, frame))
        if after == len(self.frames) or (after > 0 and frame - self.frames[after - 1] <= self.frames[after] - frame):
            after -= 1
        return int(np.searchsorted(self.frames, self.frames[after]))  # of several hands in a frame the first

    def count(self, first: float, last: float) -> int:
        """How many of its hands are in frames from `first` up to `last`."""
        low, high = np.searchsorted(self.frames, (first, last))
        return int(high - low)

    def next_doubtful(self, row: int, step: int) -> int | None:
        """The next row (step -1: the one before) at which a stretch of doubtful frames begins, or where another reason
        joins it; None: there is none."""
        at = row + step
        while 0 <= at < len(self.entries):
            before = at - step
            if self.doubtful[at] and (
                not self.doubtful[before] or set(self.entries[at].reasons) - set(self.entries[before].reasons)
            ):
                return at
            at += step
        return None

    def to_here(self, row: int) -> list[HandEntry]:
        """The hands that wait for a person, from behind the last frame that somebody judged or corrected up to this
        one; bridged ones are left out: nobody can see there whether they are right."""
        first = row
        while first > 0 and self.mark(first - 1) in ("proposed", "bridged", "propagated"):
            first -= 1
        rows = range(first, row + 1)
        return [self.entries[at] for at in rows if self.entries[at].state in OPEN and self.mark(at) != "bridged"]

    def columns(self, first: float, last: float, width: int) -> Columns:
        """How `width` columns of pixels show the frames from `first` up to `last`."""
        marks, doubt = np.zeros(width, np.uint8), np.zeros(width, np.float32)
        doubtful = np.zeros(width, bool)
        scale = width / max(last - first, 1e-9)
        begin = np.floor((self.frames - first) * scale).astype(np.int64)
        end = np.floor((self.frames + self.step - first) * scale).astype(np.int64)
        end = np.maximum(end, begin + 1)
        seen = np.flatnonzero((end > 0) & (begin < width))
        widest = int((end - begin)[seen].max(initial=0))
        for shift in range(min(widest, width + 1)):
            at = np.maximum(begin[seen], 0) + shift
            there = (at < np.minimum(end[seen], width)) & (at >= 0)
            rows, at = seen[there], at[there]
            np.maximum.at(marks, at, self.marks[rows])
            np.maximum.at(doubt, at, self.doubts[rows])
            np.logical_or.at(doubtful, at, self.doubtful[rows])
        return Columns(marks, doubt, doubtful)


@dataclass(frozen=True, eq=False)
class Columns:
    """A lane in columns of pixels: marks (W,) uint8, 0 where no frame of it is; doubts (W,); doubtful (W,) bool."""

    marks: np.ndarray
    doubts: np.ndarray
    doubtful: np.ndarray

    def runs(self) -> list[tuple[int, int, str]]:
        """(first column, count, mark) of what is not a gap."""
        edges = np.flatnonzero(np.diff(self.marks)) + 1
        starts = np.concatenate([[0], edges])
        ends = np.concatenate([edges, [len(self.marks)]])
        return [
            (int(a), int(b - a), MARKS[self.marks[a]])
            for a, b in zip(starts, ends, strict=True)
            if b > a and self.marks[a]
        ]
