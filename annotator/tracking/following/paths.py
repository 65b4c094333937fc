"""What is known of a hand that is being followed, and of one that was seen in a frame."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from annotator.hand.mesh import HandMesh
from annotator.tracking.following.frames import Frame
from annotator.tracking.following.portraits import Portrait, Sight
from annotator.tracking.matching import Candidate, Known, Looks, bones_of, looks_of
from annotator.tracking.records import Track, TrackedHand
from annotator.tracking.siding import MARGIN, reasons_of, side_of, word_of

LONGEST_STEP = 1.5  # steps between the last two frames: no farther ahead is a motion believed to go on


class SeenHand(NamedTuple):
    """A hand as it was answered in a crop. landmarks (21, 2) photo px: what the next crop is placed by; presence: 0..1;
    right: 0..1."""

    hand: HandMesh
    landmarks: np.ndarray
    presence: float
    right: float

    @classmethod
    def of(cls, hand: HandMesh) -> SeenHand:
        """What the encoder saw in the hand's crop; keypoints of the mesh for an encoder without landmarks."""
        features, crop = hand.features.features, hand.features.crop
        points = features.landmarks[0].double().cpu().numpy()
        landmarks = crop.to_photo(points) if np.isfinite(points).all() else np.array(hand.keypoints)
        right = float(np.nan_to_num(features.right[0].item(), nan=1.0))  # of the crop, which shows all as right hands
        presence = float(np.nan_to_num(features.presence[0].item(), nan=hand.confidence))
        return cls(hand, landmarks, presence, 1 - right if crop.flip else right)

    def candidate(self, frame: Frame) -> Candidate:
        """What `matching` needs of it."""
        return Candidate(self.landmarks, self.right, looks_of(frame.photo, self.hand))


@dataclass(frozen=True, eq=False)
class Identity:
    """What a hand is known by: see `Path`."""

    portrait: Portrait
    right: float
    looks: Looks
    odds: float
    heard: int


@dataclass(frozen=True, eq=False)
class Tail:
    """What was followed from some moment on, whosever hand it is: see `Path`. portrait, odds, heard: of these frames
    alone."""

    hands: list[TrackedHand]
    recent: deque[tuple[float, np.ndarray]]
    since: float | None
    portrait: Portrait
    odds: float
    heard: int


@dataclass(eq=False)
class Path:
    """A hand that is being followed."""

    id: int
    side: str
    right: float
    looks: Looks
    recent: deque[tuple[float, np.ndarray]]  # (seconds, landmarks), newest last
    since: float | None = None  # the moment it was lost, None while it is seen
    odds: float = 0.0  # log odds of a right hand, of all its frames
    heard: int = 0  # of how many
    weight: float = 0.0  # above 0: tried as both, it held together as a right hand; see `weighing`
    doubted: int = 0  # searches in a row that did not find it where it is followed
    hands: list[TrackedHand] = field(default_factory=list)
    portrait: Portrait = field(default_factory=Portrait)  # of frames in which it was by itself
    latest: Sight | None = None  # in the frame in which it was seen last

    @classmethod
    def of_track(cls, track: Track) -> Path:
        """A hand that is known from the frames before."""
        recent = deque(((one.seconds, np.array(one.hand.keypoints)) for one in track.hands[-2:]), maxlen=2)
        plain = Looks(np.full(3, np.nan), bones_of(track.hands[-1].hand))
        odds = MARGIN if track.side == "right" else -MARGIN  # its frames were heard before
        right = float(track.side == "right")
        return cls(track.id, track.side, right, plain, recent, odds=odds, hands=list(track.hands))

    def expected(self, seconds: float) -> np.ndarray:
        """(21, 2) photo px: where its landmarks should be at that time. It goes on as it moved last, for a moment."""
        (before, then), (last, now) = self.recent[0], self.recent[-1]
        if last == before:
            return now
        step = (seconds - last) / (last - before)
        return now + np.clip(step, -LONGEST_STEP, LONGEST_STEP) * (now - then).mean(0)

    def known(self, seconds: float) -> Known:
        """What `matching` needs of it at that time."""
        missing = 0.0 if self.since is None else seconds - self.recent[-1][0]
        return Known(self.expected(seconds), missing, self.right, self.looks)

    def put(self, frame: Frame, seen: SeenHand) -> None:
        """It was seen in this frame."""
        self.recent.append((frame.seconds, seen.landmarks))
        self.right += 0.1 * (seen.right - self.right)
        self.latest = Sight(looks_of(frame.photo, seen.hand), seen.right, float(seen.hand.joints[:, 2].mean()))
        self.looks = self.looks.mixed(self.latest.looks, 0.05)
        self.hear(seen)
        reasons = reasons_of(self.side, seen.right)
        self.hands.append(TrackedHand(frame.number, frame.seconds, seen.hand.replace(features=None), reasons=reasons))
        self.side = self.told(MARGIN)  # it is followed as one of the other side from here on

    def hear(self, seen: SeenHand) -> None:
        """What a frame says of its side."""
        self.odds += word_of(seen.right, seen.presence)
        self.heard += 1

    def weigh(self, weight: float) -> None:
        """It was tried as both sides: see `weight`. That goes before what single frames say."""
        self.weight += weight
        self.side = self.told()

    def told(self, margin: float = 0.0) -> str:
        """The side by all that is known. margin: log odds by which frames must contradict the side that it has."""
        return side_of(self.side, self.weight) if self.weight else side_of(self.side, self.odds, margin)

    # -- where it proves to have been another hand since some moment -------------------------------------------
    def identity(self) -> Identity:
        """What it is known by now."""
        return Identity(replace(self.portrait), self.right, self.looks, self.odds, self.heard)

    def cut(self, portrait: Portrait, after: float = -np.inf, known: Identity | None = None) -> Tail:
        """Take away what was followed after that time (s). portrait: of it; known: what the hand was known by then;
        None: by nothing."""
        tail = [one for one in self.hands if one.seconds > after]
        self.hands = [one for one in self.hands if one.seconds <= after]
        odds, heard = (known.odds, known.heard) if known is not None else (0.0, 0)
        return Tail(tail, self.recent, self.since, portrait, self.odds - odds, self.heard - heard)

    def go_on(self, known: Identity, tail: Tail | None) -> None:
        """It is the hand that it was, `known`, and what was followed since is `tail`; None: it is lost."""
        self.right, self.looks = known.right, known.looks
        self.odds, self.heard, self.portrait, self.doubted = known.odds, known.heard, known.portrait, 0
        if tail is None:
            last = [(one.seconds, np.array(one.hand.keypoints)) for one in self.hands[-2:]]
            self.recent = deque(last or self.recent, maxlen=2)
            self.since = self.recent[-1][0]
            return
        there = {one.frame for one in self.hands}
        self.hands += [one for one in tail.hands if one.frame not in there]
        self.recent, self.since = tail.recent, tail.since
        self.odds, self.heard = self.odds + tail.odds, self.heard + tail.heard
        self.portrait = known.portrait + tail.portrait
