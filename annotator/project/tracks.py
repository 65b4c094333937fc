"""Tracks of a project: which of its hands are one hand through a video, and what speaks against it.

Hands of tracks are hands like any other, each with its own journal. The table `tracked` says which belong together; the
frames come from their photos.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from annotator.errors import InputError
from annotator.files.frame_places import frame_place
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.entering import intake
from annotator.project.journal import EDIT
from annotator.project.records.changes import edited, with_state
from annotator.project.records.states import ACCEPTED, PROPOSED
from annotator.project.records.views import Provenance, TrackEntry, TrackSummary
from annotator.project.storage.schema import events, hands, meta, photos, tracked
from annotator.project.teamwork import team

PROPAGATION = "propagation"  # in the note of an edit: which propagation of labels over time it is of
GIVEN = "tracks given"  # in `meta`: the last number, so that two people who track at once have tracks of their own


@dataclass(frozen=True, eq=False)
class TrackedProposal:
    """A hand of a track to be stored. track: its number (see `Project.new_tracks`); kind: 'seen' or 'bridged'; reasons:
    what speaks against it; known: the id of the project's hand that it is (None: a new one)."""

    hand: intake.Prepared
    track: int
    kind: str = "seen"
    reasons: tuple[str, ...] = ()
    known: str | None = None


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of one hand among several: mesh, joint_states and version as in `Project.edit`; proposed: the hand stays
    one that nobody touched, if it was."""

    hand: str
    mesh: HandMesh | None = None
    joint_states: ByJoint[str] | Iterable[str] | None = None
    version: int | None = None
    proposed: bool = False


class Tracks:
    """A service of `Project`: hands through videos."""

    def __init__(self, context: Context):
        self._context = context

    def new_tracks(self, count: int) -> list[int]:
        """Numbers for so many new tracks, which nobody else gets.

        Parameters
        ----------
        count
            How many.

        Returns
        -------
        list of int
            Ascending.
        """
        if not count:
            return []
        with self._context.database.writing() as connection:
            given = connection.scalar(select(meta.c.value).where(meta.c.key == GIVEN))
            last = max(int(given or 0), connection.scalar(select(func.max(tracked.c.track))) or 0)
            if given is None:
                connection.execute(insert(meta).values(key=GIVEN, value=str(last + count)))
            else:
                connection.execute(update(meta).where(meta.c.key == GIVEN).values(value=str(last + count)))
        return list(range(last + 1, last + 1 + count))

    def add_tracked(
        self, frames: Iterable[tuple[intake.Header, Sequence[TrackedProposal]]], provenance: Provenance, mark: str
    ) -> list[list[str]]:
        """Store hands of tracks in their frames, in one transaction.

        A hand that is known already joins its track; if nobody has touched it, it becomes what the track says of it.

        Parameters
        ----------
        frames
            Each frame's file and the hands of tracks in it.
        provenance
            What proposed them.
        mark
            Names the tracking for good: `has_photo(hash, mark)` is true from then on.

        Returns
        -------
        list of list of str
            The hands' ids, frame by frame.

        Raises
        ------
        InputError
            A photo or a hand that cannot be stored; then none is.
        """
        added = []
        with self._context.database.writing() as connection:
            source = intake.add_source(connection, provenance)
            for header, proposals in frames:
                photo_id = intake.add_photo(connection, self._context.folder, header)
                for digest in (provenance.model_digest, mark):
                    intake.mark_looked_at(connection, photo_id, digest)
                photo = reading.photo_of(connection, self._context.folder, photo_id)
                ids = []
                for one in proposals:
                    hand_id = one.known
                    if hand_id is None:
                        hand_id = intake.add_hand(connection, photo, source, one.hand, self._context.who)
                    else:
                        self._renew(connection, hand_id, one, source, provenance)
                    _put(connection, hand_id, one)
                    ids.append(hand_id)
                added.append(ids)
        return added

    def renew_tracked(self, proposals: Iterable[TrackedProposal], provenance: Provenance) -> int:
        """Put what tracks say now in place of their stored hands, of whichever side, in one transaction.

        Hands that a person touched, or has in work, stay as they are.

        Parameters
        ----------
        proposals
            Those with a `known` hand.
        provenance
            What proposed them.

        Returns
        -------
        int
            How many were renewed.
        """
        renewed = 0
        with self._context.database.writing() as connection:
            source = intake.add_source(connection, provenance)
            for one in proposals:
                if one.known is not None and self._renew(connection, one.known, one, source, provenance, True):
                    _put(connection, one.known, one)
                    renewed += 1
        return renewed

    def _renew(
        self, connection: Connection, hand_id: str, one: TrackedProposal, source: int, provenance, any_side=False
    ) -> bool:
        """A hand that nobody touched becomes what the track says of it (True); another one stays as it is. any_side:
        even one of the other side."""
        row, record, _ = reading.stored(connection, self._context.folder, hand_id)
        same = one.hand.model.digest == row.hand_model_digest
        same = same and (any_side or one.hand.record.side == record.side)
        wanted = record.untouched and same and not team.leased_by(connection, hand_id)
        if wanted:
            note = {"model": provenance.model_digest, "track": one.track}
            journal.repropose(connection, row, one.hand.record, one.hand.parametric, source, self._context.who, note)
        return wanted

    def tracks(self) -> list[TrackSummary]:
        """All tracks.

        Returns
        -------
        list of TrackSummary
            By number.
        """
        columns = (
            tracked.c.track, photos.c.path, photos.c.video, photos.c.frame, photos.c.seconds, hands.c.side,
            hands.c.state, hands.c.corrections, tracked.c.kind, tracked.c.reasons,
        )  # fmt: skip
        statement = select(*columns).select_from(_JOINED).order_by(tracked.c.track, photos.c.seconds)
        found: dict[int, list] = {}
        with self._context.database.reading() as connection:
            for row in connection.execute(statement):
                found.setdefault(row.track, []).append(row)
        return [_summary(number, rows) for number, rows in found.items()]

    def track(self, number: int) -> list[TrackEntry]:
        """The hands of a track.

        Parameters
        ----------
        number
            The track's.

        Returns
        -------
        list of TrackEntry
            In the order of their frames.

        Raises
        ------
        InputError
            There is no track of this number.
        """
        statement = select(*_ENTRY).select_from(_JOINED).where(tracked.c.track == number).order_by(photos.c.seconds)
        with self._context.database.reading() as connection:
            rows = connection.execute(statement).all()
        if not rows:
            raise InputError(f"no track {number} in {self._context.folder} (`annotator track` lists them)")
        return [_entry(row) for row in rows]

    def track_of(self, hand_id: str) -> int | None:
        """Which track a hand is on.

        Parameters
        ----------
        hand_id
            The hand's id.

        Returns
        -------
        int or None
            The track's number; None: it is on none.

        Raises
        ------
        InputError
            There is no such hand.
        """
        with self._context.database.reading() as connection:
            reading.row_of(connection, self._context.folder, hand_id)
            return connection.scalar(select(tracked.c.track).where(tracked.c.hand == hand_id))

    def propagated(self) -> frozenset[str]:
        """Hands that nobody judged and that labels of other frames of their track moved last.

        Returns
        -------
        frozenset of str
            Their ids.
        """
        statement = (
            select(hands.c.id)
            .join(events, events.c.seq == hands.c.head)
            .where(hands.c.state == PROPOSED, events.c.note.like(f'%"{PROPAGATION}"%'))
        )
        with self._context.database.reading() as connection:
            return frozenset(connection.scalars(statement))

    def edit_many(self, edits: Iterable[Edit], note: Mapping | None = None) -> list[int]:
        """Several hands' edits in one transaction: all or none.

        Parameters
        ----------
        edits
            One a hand.
        note
            JSON, kept in the journal with each.

        Returns
        -------
        list of int
            The hands' new versions.

        Raises
        ------
        InputError
            A hand was changed meanwhile, or somebody else has it.
        """
        versions, who = [], self._context.who
        with self._context.database.writing() as connection:
            for one in edits:
                with self._context.database.sensible():
                    row, record, _ = reading.stored(connection, self._context.folder, one.hand)
                leased = team.refuse_if_leased(connection, one.hand, who)
                if one.version is not None and one.version != row.version:
                    raise InputError(
                        f"hand {one.hand} was changed meanwhile (version {row.version}, yours {one.version})"
                    )
                after = edited(row, record, one.mesh, one.joint_states)
                if one.proposed and record.state == PROPOSED:
                    after = with_state(after, PROPOSED)
                with self._context.database.sensible():
                    versions.append(journal.change(connection, row, after, EDIT, who, note or {}))
                team.after_change(connection, one.hand, who, after.state, leased)
        return versions

    def undo_many(self, name: str, value: str) -> list[str]:
        """Take back the edits whose note says `name`: `value`, in one transaction.

        Parameters
        ----------
        name, value
            Of the note, see `edit_many`.

        Returns
        -------
        list of str
            The hands' ids, the last edit first; one that somebody changed since stays as it is.

        Raises
        ------
        InputError
            Somebody else has one of the hands.
        """
        undone = []
        with self._context.database.writing(stored_only=True) as connection:
            for event in reversed(journal.noted(connection, name, value)):
                row = reading.row_of(connection, self._context.folder, event.hand)
                if row.head == event.seq:  # else somebody went on from there: that stays
                    team.refuse_if_leased(connection, event.hand, self._context.who)
                    journal.undo(connection, row, self._context.who)
                    undone.append(event.hand)
        return undone


_JOINED = tracked.join(hands, hands.c.id == tracked.c.hand).join(photos, photos.c.id == hands.c.photo)
_ENTRY = (
    hands.c.id, photos.c.frame, photos.c.seconds, hands.c.photo, hands.c.side, tracked.c.kind, tracked.c.reasons,
    hands.c.state, hands.c.confidence, hands.c.corrections, hands.c.version,
)  # fmt: skip # the order of TrackEntry's fields


def _entry(row) -> TrackEntry:
    values = dict(row._mapping)
    return TrackEntry(**values | {"reasons": reading.words(row.reasons)})


def _put(connection: Connection, hand_id: str, one: TrackedProposal) -> None:
    values = {"track": one.track, "kind": one.kind, "reasons": ",".join(one.reasons)}
    if connection.scalar(select(tracked.c.hand).where(tracked.c.hand == hand_id)) is None:
        connection.execute(insert(tracked).values(hand=hand_id, **values))
    else:
        connection.execute(update(tracked).where(tracked.c.hand == hand_id).values(**values))


def _summary(number: int, rows: list) -> TrackSummary:
    right = sum(row.side == "right" for row in rows)
    return TrackSummary(
        track=number,
        video=str(place.video if (place := frame_place(rows[0].path)) else rows[0].path),
        sha256=rows[0].video or "",
        side="right" if 2 * right >= len(rows) else "left",
        hands=len(rows),
        seen=sum(row.kind == "seen" for row in rows),
        doubtful=sum(bool(row.reasons) for row in rows),
        corrected=sum(row.corrections > 0 for row in rows),
        accepted=sum(row.state == ACCEPTED for row in rows),
        first=(rows[0].frame, rows[0].seconds),
        last=(rows[-1].frame, rows[-1].seconds),
    )


__all__ = ["PROPAGATION", "Edit", "TrackedProposal", "Tracks"]
