"""A stored track answered again as one of the other side, once all its frames together say so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.errors import InputError
from annotator.model import Model
from annotator.project import Project, Provenance
from annotator.project.entering.intake import prepare
from annotator.project.records.views import TrackEntry
from annotator.project.tracks import TrackedProposal
from annotator.tracking.pieces import doubt_of
from annotator.tracking.records import SEEN, SIDE, Track, TrackedHand
from annotator.tracking.siding import again
from annotator.tracking.trajectories.bridging import completed
from annotator.tracking.trajectories.smoothing import Smoothing
from annotator.vision.video.source import VideoSource

AT_ONCE = 300  # frames that are smoothed together


def restore(
    project: Project,
    source: VideoSource,
    model: Model,
    number: int,
    side: str,
    provenance: Provenance,
    smoothing: Smoothing,
    longest: float,
    K: np.ndarray | None = None,
) -> int:
    """Answer the hands of a stored track that are not of this side again, in one transaction; how many.

    Hands that a person touched stay as they are. longest: seconds of a gap that is bridged.
    """
    entries = [one for one in project.track(number) if one.side != side]
    shape, proposals = None, list[TrackedProposal]()
    for some in _stretches(entries):
        track = Track(number, tuple(_answered(project, source, model, some, side, K)))
        if not len(track):
            continue
        moments = [(one.frame, one.seconds) for one in some]
        whole = completed(track, model.hand, moments, smoothing, longest, shape)
        shape = whole.hands[0].hand.parameters.shape
        last = proposals[-1].known if proposals else None  # it is of the stretch before, too
        known = {one.frame: one for one in some if one.id != last}
        for one in whole.hands:
            entry = known.get(one.frame)
            if entry is None:
                continue
            reasons = tuple(reason for reason in entry.reasons if reason != SIDE)
            confidence = one.hand.confidence * doubt_of(reasons)
            hand = prepare(one.hand.replace(corrections={}, confidence=confidence))
            proposals.append(TrackedProposal(hand, number, entry.kind, reasons, entry.id))
    return project.renew_tracked(proposals, provenance)


def _stretches(entries: Sequence[TrackEntry]) -> list[Sequence[TrackEntry]]:
    """Stretches of `AT_ONCE` entries or so, each begun with the last one of that before, which was seen: what is
    bridged lies between."""
    found, first = [], 0
    for row, one in enumerate(entries):
        if row - first >= AT_ONCE and one.kind == SEEN:
            found.append(entries[first : row + 1])
            first = row
    return [*found, entries[first:]]


def _answered(
    project: Project, source: VideoSource, model: Model, entries: Sequence[TrackEntry], side: str, K: np.ndarray | None
) -> list[TrackedHand]:
    made = []
    for entry in entries:
        if entry.kind != SEEN:
            continue
        try:
            photo = source.read(entry.frame)
        except InputError:  # it could be read when it was tracked
            continue
        (hand,) = again(model, photo, [project.mesh(entry.id)], [side], K)
        made.append(TrackedHand(entry.frame, entry.seconds, hand.replace(features=None)))
    return made
