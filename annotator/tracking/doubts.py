"""What speaks against a track, frame by frame, in words for the queue.

jump       what was seen in this frame lies far from where the track runs: a slip of the network, or a swap
crossing   another hand of the video is in the same place: from here on it may be the other one
side       the network sees a hand of the other side
gap        the track was lost here, or comes back here
not seen   bridged: nothing was found in this frame
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotator.tracking.matching import apart
from annotator.tracking.records import BRIDGED, SIDE, Track

JUMP, CROSSING, GAP, NOT_SEEN = "jump", "crossing", "gap", "not seen"
REASONS = (JUMP, CROSSING, SIDE, GAP, NOT_SEEN)
JUMPED = 0.12  # mean distance of keypoints over the hand's size
CROSSED = 0.45  # the same between two hands
OPEN = 2.5  # of the usual time between frames: a longer way from frame to frame is a gap


def doubted(tracks: Sequence[Track], seen: Mapping[int, Track]) -> list[Track]:
    """The tracks with their reasons. seen: each track (by id) as it was answered, frame by frame, before smoothing."""
    marked = [_own(track, seen.get(track.id)) for track in tracks]
    for a in range(len(marked)):
        for b in range(a):
            marked[a], marked[b] = _crossed(marked[a], marked[b])
    return marked


def _own(track: Track, seen: Track | None) -> Track:
    answered = {} if seen is None else {one.frame: one.hand for one in seen.hands}
    steps = np.diff(track.seconds)
    usual = float(np.median(steps)) if len(steps) else 0.0
    made = []
    for row, one in enumerate(track.hands):
        if one.kind == BRIDGED:
            made.append(one.because(NOT_SEEN))
            continue
        before = row > 0 and (steps[row - 1] > OPEN * usual or track.hands[row - 1].kind == BRIDGED)
        after = row < len(steps) and (steps[row] > OPEN * usual or track.hands[row + 1].kind == BRIDGED)
        if before or after:
            one = one.because(GAP)
        hand = answered.get(one.frame)
        if hand is not None and apart(hand.keypoints, one.hand.keypoints) > JUMPED:
            one = one.because(JUMP)
        made.append(one)
    return track.with_hands(made)


def _crossed(a: Track, b: Track) -> tuple[Track, Track]:
    """Both tracks, marked where they are in the same place."""
    others = {one.frame: one for one in b.hands}
    together = {
        one.frame
        for one in a.hands
        if one.frame in others and apart(one.hand.keypoints, others[one.frame].hand.keypoints) < CROSSED
    }
    if not together:
        return a, b
    marked = [
        track.with_hands([one.because(CROSSING) if one.frame in together else one for one in track.hands])
        for track in (a, b)
    ]
    return marked[0], marked[1]
