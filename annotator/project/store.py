"""The project: photos, the hands proposed in them, and everything people did to these since.

Every method that changes something is one transaction, and it is on disk when the method returns.
"""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from annotator import __version__
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition
from annotator.hand.joints import ByJoint
from annotator.hand.mesh import HandMesh
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.definitions import definition_of_project
from annotator.project.entering import intake
from annotator.project.entering.labels import LabelIntake
from annotator.project.entering.proposing import Proposing
from annotator.project.entering.renewing import Renewing
from annotator.project.instants import Instant, Instants, OneMesh, companions
from annotator.project.journal import EDIT, STATE, Event
from annotator.project.listing import Listing
from annotator.project.overview.steps import BATCH
from annotator.project.photo_files.pictures import Pictures
from annotator.project.records.changes import edited, with_state
from annotator.project.records.states import check_hand_state
from annotator.project.records.views import (
    GoldHand,
    HandEntry,
    Origin,
    Provenance,
    Skill,
    StoredHand,
    StoredPhoto,
    TrackEntry,
    TrackSummary,
)
from annotator.project.safety.safekeeping import Safekeeping
from annotator.project.storage import places
from annotator.project.storage.database import Database
from annotator.project.subjects import Subjects
from annotator.project.teamwork import batches, gold, team, user_history
from annotator.project.teamwork.shared import Shared
from annotator.project.teamwork.team import LEASE
from annotator.project.tracks import Edit, TrackedProposal, Tracks
from annotator.vision.rigs import Rig

if TYPE_CHECKING:  # torch comes with it
    from annotator.correcting.views import InstantHand


class Project:
    """A project, from `create`, `open` or `open_or_create`. Close it, or use it in `with`.

    Its place is a folder with a project.db, or a folder whose project.toml names a PostgreSQL database, or
    that database's URL (`postgresql+psycopg://USER@HOST/NAME`).
    who: the name written beside every change (default: the system's user name).
    subjects: whose hands its photos show, see `project.subjects.Subjects`.
    Several processes may work on one project at the same time. All methods raise InputError, with one clear
    line, for a damaged, locked or read-only project, and for ids, states and joints that do not exist.
    """

    def __init__(self, folder: Path, database: Database, who: str | None = None):
        self._context = Context(folder, database, who or _user())
        self._proposing = Proposing(self._context)
        self._labels = LabelIntake(self._context)
        self._renewing = Renewing(self._context)
        self._listing = Listing(self._context)
        self._shared = Shared(self._context)
        self._kept = Safekeeping(self._context)
        self._pictures = Pictures(self._context)
        self.subjects = Subjects(self._context)
        self._tracks = Tracks(self._context)
        self._instants = Instants(self._context)

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self._context.folder

    @property
    def who(self) -> str:
        """The name written beside every change."""
        return self._context.who

    @who.setter
    def who(self, name: str) -> None:
        self._context.who = name

    @property
    def _database(self) -> Database:
        return self._context.database

    @_database.setter
    def _database(self, database: Database) -> None:
        self._context.database = database

    @classmethod
    def create(cls, place: str | Path, who: str | None = None, database: str | None = None) -> Project:
        """A new project; the folder is made if it is missing. InputError if there is a project already.

        database: the URL of a PostgreSQL database for its hands and journal; the folder remembers it.
        """
        at = places.locate(place, database)
        values = {"project": uuid.uuid4().hex, "created": journal.now(), "code_version": __version__}
        made = places.make(at, values)
        places.remember(at)
        return cls(at.folder, made, who)

    @classmethod
    def open(cls, place: str | Path, who: str | None = None) -> Project:
        """An existing project, by its folder, its URL, its project.db or a snapshot of that."""
        at = places.locate(place)
        return cls(at.folder, places.connect(at), who)

    @classmethod
    def open_or_create(cls, place: str | Path, who: str | None = None, database: str | None = None) -> Project:
        """The project in this place, made if there is none; a folder joins the project of `database`."""
        at = places.locate(place, database)
        if not at.exists:
            return cls.create(place, who, database)
        try:
            opened = cls(at.folder, places.connect(at), who)
        except InputError as error:
            if "is not a project database" not in str(error) or not at.begun:
                raise
            return cls.create(place, who, database)
        places.remember(at)
        return opened

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_exception) -> None:
        self.close()

    def definition(self) -> JointDefinition:
        """How this project's people mean the joints: what its newest finished round learned from their labels; before
        the first, the anatomical definition. InputError if the round's file is damaged."""
        return definition_of_project(self.folder)

    # -- reading -------------------------------------------------------------------------------------------
    def hand(self, hand_id: str) -> StoredHand:
        """All of one hand, as it stands now."""
        with self._database.reading() as connection:
            return reading.stored_hand(connection, self.folder, hand_id)

    def mesh(self, hand_id: str) -> HandMesh:
        """The hand's mesh, rebuilt from its parameters. It has no cached features: to refine it, propose its
        box again.
        """
        with self._database.reading() as connection:
            return reading.mesh(connection, self.folder, hand_id)

    def proposal(self, hand_id: str) -> HandMesh:
        """The hand as a model proposed it, before anybody touched it (the newest proposal, if it was proposed anew)."""
        with self._database.reading() as connection:
            return reading.proposal(connection, self.folder, hand_id)

    def hands(
        self,
        state: str | Iterable[str] | None = None,
        photo: int | None = None,
        after: int = 0,
        limit: int | None = None,
        copies: bool = True,
    ) -> list[HandEntry]:
        """The list of hands, oldest first: of one state or several, of one photo, numbered above `after`,
        `limit` many; copies: also people's copies of gold hands, which are no labels. `each_hand` is for long ones.
        """
        with self._database.reading() as connection:
            return reading.entries(connection, state, photo, after, limit, copies)

    def status(self) -> dict:
        """{"project", "photos", "looked_at", "states": {state: count}, "events"}: counts, without going
        through the hands.
        """
        with self._database.reading() as connection:
            return {"project": str(self.folder), **reading.counts(connection)}

    def people(self) -> dict[str, int]:
        """{name: how many steps of theirs the journal has}, those of most steps first."""
        with self._database.reading() as connection:
            return reading.people(connection)

    def bare_photos(self) -> list[StoredPhoto]:
        """Photos in which no hand was found, in the order they came."""
        with self._database.reading() as connection:
            return reading.bare(connection, self.folder)

    def history(self, hand_id: str) -> list[Event]:
        """The hand's journal, oldest first."""
        with self._database.reading() as connection:
            reading.row_of(connection, self.folder, hand_id)
            return journal.history(connection, hand_id)

    # -- changes -------------------------------------------------------------------------------------------
    def edit(
        self,
        hand_id: str,
        mesh: HandMesh | None = None,
        joint_states: ByJoint[str] | Iterable[str] | None = None,
        version: int | None = None,
        note: Mapping | None = None,
    ) -> int:
        """Put a corrected mesh, other joint states, or both in force; the hand is then in work. Its new
        version.

        joint_states: {joint: state}, or all 21. Joints whose correction is new become 'corrected' by
        themselves. version: the one the edit was made on; InputError if the hand has changed since. note:
        JSON, kept in the journal.
        """
        return self._change(hand_id, EDIT, version, note, lambda row, record: edited(row, record, mesh, joint_states))

    def set_state(self, hand_id: str, state: str, version: int | None = None, note: Mapping | None = None) -> int:
        """Give the hand one of states.HAND_STATES; its new version."""
        check_hand_state(state)
        return self._change(hand_id, STATE, version, note, lambda _row, record: with_state(record, state))

    def set_states(self, notes: Mapping[str, Mapping], state: str) -> dict[str, int]:
        """Give many hands a state in one transaction, all or none; {id: new version}.

        notes: {hand's id: what the journal keeps beside its change}. The steps stay together: `undo_batch` takes all of
        them back.
        """
        check_hand_state(state)
        batch = {BATCH: batches.new_batch()} if len(notes) > 1 else {}
        with self._database.writing() as connection:
            return {
                hand_id: self._change_in(
                    connection, hand_id, STATE, None, {**note, **batch}, lambda _row, record: with_state(record, state)
                )
                for hand_id, note in notes.items()
            }

    def undo_batch(self) -> list[str]:
        """Take back your own last change, and those of other hands that were made together with it (`set_states`) and
        are in force; the hands' ids. InputError, and nothing changed: as for `undo`."""
        with self._database.writing(stored_only=True) as connection:
            return batches.undo(connection, self.folder, self.who)

    def redo_batch(self) -> list[str]:
        """Put what you undid last in force again, with what was made together with it; the hands' ids. InputError, and
        nothing changed: as for `redo`."""
        with self._database.writing(stored_only=True) as connection:
            return batches.redo(connection, self.folder, self.who)

    def undo(self, hand_id: str | None = None) -> str:
        """Take back the change of a hand that is in force, whoever made it (None: your own last change, never
        another person's); the hand's id.

        InputError, and nothing changed: there is none, or somebody else has changed your last hand since.
        """
        return self._back_or_forth(hand_id, user_history.last_changed, journal.undo)

    def redo(self, hand_id: str | None = None) -> str:
        """Put what was undone last (None: by you) in force again; the hand's id. InputError if there is nothing."""
        return self._back_or_forth(hand_id, user_history.last_undone, journal.redo)

    # -- photos and proposals --------------------------------------------------------------------------------
    def add_photo(self, path: str | Path, size: tuple[int, int] | None = None, copy: bool = False) -> int:
        """Add a photo; its id. The same content (SHA-256) is the same photo, wherever it lies.

        size: (height, width) if the caller has read the photo; else it is read here. copy: keep a copy in the
        project's folder instead of a reference to the file. InputError if it is no photo.
        """
        return self._proposing.add_photo(path, size, copy)

    def add_photos(
        self,
        paths: Iterable[str | Path],
        sizes: Iterable[tuple[int, int]] | None = None,
        copy: bool = False,
    ) -> list[int]:
        """`add_photo` for many, in one transaction: all or, if one cannot be read, none."""
        return self._proposing.add_photos(paths, sizes, copy)

    def has_photo(self, sha256: str, model_digest: str | None = None) -> bool:
        """Whether a photo of this content is here and, with a digest, whether that model has looked at it."""
        return self._proposing.has_photo(sha256, model_digest)

    def photo(self, photo_id: int) -> StoredPhoto:
        """The photo of this id; its path is where the file is now, as far as that is known."""
        return self._proposing.photo(photo_id)

    def photos(self) -> list[StoredPhoto]:
        """All photos, in the order they came."""
        return self._proposing.photos()

    def add_proposals(
        self,
        photo_id: int,
        meshes: Iterable[HandMesh],
        provenance: Provenance,
        untold: Iterable[HandMesh] | None = None,
    ) -> list[str]:
        """Store what a model proposed on a photo (also if that is no hand at all); the new hands' ids, in
        order.

        untold: the same hands as the model had them before their subject's shape was given to them; kept beside them.

        From then on `has_photo(hash, provenance.model_digest)` is true. InputError if a mesh's parameters do
        not give its vertices, or its hand model is not known.
        """
        return self._proposing.add_proposals(photo_id, meshes, provenance, untold)

    def add_proposal(self, photo_id: int, mesh: HandMesh, provenance: Provenance) -> str:
        """`add_proposals` for one hand."""
        return self._proposing.add_proposal(photo_id, mesh, provenance)

    def add_drawn(self, photo_id: int, mesh: HandMesh, provenance: Provenance, note: Mapping | None = None) -> str:
        """A hand that a person saw and the model had missed; its id. A step of that person's: undo makes it rejected,
        like one that was deleted. The model has not looked at the photo by that (`has_photo`): it saw a box."""
        return self._proposing.add_drawn(photo_id, mesh, provenance, note)

    def hashes_looked_at(self, model_digest: str) -> list[str]:
        """SHA-256 of every photo that this model has looked at."""
        return self._proposing.hashes_looked_at(model_digest)

    def add_looks(
        self, looks: Iterable[tuple[intake.Header, Sequence[intake.Prepared]]], provenance: Provenance
    ) -> list[list[str] | None]:
        """What a model proposed on many photos, in one transaction: the new hands' ids, photo by photo.

        None for a photo that this model has looked at already, also earlier in `looks`: nothing is stored twice,
        whoever else was at work meanwhile.
        """
        return self._proposing.add_looks(looks, provenance)

    # -- labelled hands from elsewhere -----------------------------------------------------------------------
    def add_label(
        self,
        photo_id: int,
        mesh: HandMesh,
        provenance: Provenance,
        joint_states: Iterable[str],
        state: str,
        mark: str,
        note: Mapping | None = None,
    ) -> str | None:
        """Store a hand with its label in one transaction; its id, or None if a label of this mark is on this photo.

        The journal has it as a proposal without corrections, an edit that adds them, and, unless `state` is "in
        work", a change of state: whose work it is can be read there. mark: names the label for good (its data set and
        its id in that); `has_photo(hash, mark)` is true from then on. note: JSON, kept with the edit and the state.
        """
        return self._labels.add_label(photo_id, mesh, provenance, joint_states, state, mark, note)

    # -- newer proposals -------------------------------------------------------------------------------------
    def repropose(self, hand_id: str, mesh: HandMesh, provenance: Provenance, version: int | None = None) -> int:
        """Put a newer model's proposal in place of the hand's old one, which stays in the journal; the new version.

        Only for a hand as it was proposed: InputError if a person has touched it (or has it in work just now), if it
        has changed since `version`, or if the hand model is another.
        """
        return self._renewing.repropose(hand_id, mesh, provenance, version)

    # -- hands through videos --------------------------------------------------------------------------------
    def new_tracks(self, count: int) -> list[int]:
        """Numbers for so many new tracks, which nobody else gets."""
        return self._tracks.new_tracks(count)

    def add_tracked(
        self, frames: Iterable[tuple[intake.Header, Sequence[TrackedProposal]]], provenance: Provenance, mark: str
    ) -> list[list[str]]:
        """Store hands of tracks in their frames, in one transaction; their ids, frame by frame.

        A hand that is known already joins its track; if nobody has touched it, it becomes what the track says of it.
        mark: names the tracking for good: `has_photo(hash, mark)` is true from then on.
        """
        return self._tracks.add_tracked(frames, provenance, mark)

    def renew_tracked(self, proposals: Iterable[TrackedProposal], provenance: Provenance) -> int:
        """Put what a track says now in place of its stored hands (`known`), of whichever side, in one transaction; how
        many. Hands that a person touched, or has in work, stay as they are."""
        return self._tracks.renew_tracked(proposals, provenance)

    def tracks(self) -> list[TrackSummary]:
        """All tracks, by number."""
        return self._tracks.tracks()

    def track(self, number: int) -> list[TrackEntry]:
        """The hands of a track, in the order of their frames. InputError if there is none of this number."""
        return self._tracks.track(number)

    def track_of(self, hand_id: str) -> int | None:
        """The number of the hand's track; None if it is on none."""
        return self._tracks.track_of(hand_id)

    def propagated(self) -> frozenset[str]:
        """The ids of hands that nobody judged and that labels of other frames of their track moved last."""
        return self._tracks.propagated()

    def edit_many(self, edits: Iterable[Edit], note: Mapping | None = None) -> list[int]:
        """Several hands' edits in one transaction, all or (InputError: one was changed meanwhile, or is leased) none;
        their new versions. note: JSON, kept in the journal with each."""
        return self._tracks.edit_many(edits, note)

    def undo_many(self, name: str, value: str) -> list[str]:
        """Take back the edits whose note says `name`: `value`, in one transaction; the hands' ids. A hand that somebody
        changed since stays as it is."""
        return self._tracks.undo_many(name, value)

    # -- several cameras at once -----------------------------------------------------------------------------
    def add_rig(self, rig: Rig, name: str) -> None:
        """Keep a rig under a name; one of that name is replaced."""
        self._instants.add_rig(rig, name)

    def rigs(self) -> dict[str, Rig]:
        """The rigs by their names."""
        return self._instants.rigs()

    def set_instants(self, rig: str, moments: Mapping[str, Mapping[str, int]]) -> None:
        """Say which photos are of one moment: {moment: {camera: photo's id}}, all or none.

        InputError: no such rig or camera, a photo of another size than its camera's, or one of another instant.
        """
        self._instants.set_instants(rig, moments)

    def instants(self, rig: str | None = None) -> list[Instant]:
        """The instants (of one rig), by name."""
        return self._instants.instants(rig)

    def add_instant(self, instant: Instant, found: Sequence[InstantHand], provenance: Provenance) -> list[OneMesh]:
        """Store what a model proposed on the photos of an instant, in one transaction: a hand in each photo, the same
        mesh in all. A hand that was proposed in a photo before and that nobody has touched takes the mesh; one that
        somebody worked on stays as it is. [] if the instant's hands were made already."""
        return self._instants.add_instant(instant, found, provenance)

    def one_mesh(self, hand_id: str) -> OneMesh | None:
        """Which hands of other photos are the same mesh as this one; None: none."""
        return self._instants.one_mesh(hand_id)

    def one_meshes(self) -> list[OneMesh]:
        """All of them, by rig and moment."""
        return self._instants.one_meshes()

    def edit_instant(
        self,
        meshes: Mapping[str, HandMesh],
        joint_states: Mapping[str, ByJoint[str] | Iterable[str] | None],
        versions: Mapping[str, int],
        note: Mapping,
    ) -> dict[str, int]:
        """`edit` of hands that are one mesh (id -> the mesh there), in one transaction and as one step: undo and redo
        of any of them are of all. Their new versions; InputError, and nothing changed, as for `edit`."""
        return self._instants.edit_instant(meshes, joint_states, versions, note)

    # -- long lists ------------------------------------------------------------------------------------------
    def each_hand(
        self, state: str | Iterable[str] | None = None, photo: int | None = None, after: int = 0, copies: bool = True
    ) -> Iterator[HandEntry]:
        """What `hands` lists, a page at a time: each hand once, as it is when its page is read.

        No transaction stays open between pages, so others (and the caller, too) may change hands meanwhile; one that
        came since is at the end.
        """
        return self._listing.each_hand(state, photo, after, copies)

    def count_hands(
        self, state: str | Iterable[str] | None = None, photo: int | None = None, copies: bool = True
    ) -> int:
        """How many hands `hands` would list."""
        return self._listing.count_hands(state, photo, copies)

    # -- several people --------------------------------------------------------------------------------------
    def lease(self, hand_id: str, seconds: float = LEASE) -> str:
        """Take the hand for so long: nobody else can change it. Until when, UTC, ISO 8601.

        Every change of yours starts the time anew; a verdict or `release` ends it. InputError, naming who and
        until when, if somebody else has it.
        """
        return self._shared.lease(hand_id, seconds)

    def release(self, hand_id: str) -> None:
        """Give a hand back that was taken by `lease` or `next_hand`; nothing happens if you do not have it."""
        self._shared.release(hand_id)

    def next_hand(
        self, skip: Iterable[str] = (), lease: bool = True, gold_every: int | None = gold.EVERY
    ) -> str | None:
        """The id of the open hand that the network is least sure of and nobody else works on, or None.

        lease: take it, so that the next person gets another. gold_every: one hand in so many is the copy of a
        gold hand (None: never); it comes only to who takes it. skip: ids not to be given.
        """
        return self._shared.next_hand(skip, lease, gold_every)

    def review(self, hand_id: str, agreed: bool, remark: str = "") -> int:
        """Say of an accepted hand, as a second person, that it is right, or that it is not; its version.

        A hand that is returned becomes flagged, by an event like any other. What was agreed to counts as long
        as nobody changes the hand. InputError: not accepted, or you worked on it yourself.
        """
        return self._shared.review(hand_id, agreed, remark)

    def to_review(self) -> list[str]:
        """Ids of accepted hands that you did not work on and nobody has reviewed as they are now."""
        return self._shared.to_review()

    def make_gold(self, hand_id: str) -> None:
        """Take an accepted hand, as it is now, for the truth: copies of its proposal come to other people
        unmarked (`next_hand`), and `skills` says how far they end from it.
        """
        self._shared.make_gold(hand_id)

    def gold_hands(self) -> list[GoldHand]:
        """All gold hands with their truth, oldest first."""
        return self._shared.gold_hands()

    def skills(self) -> list[Skill]:
        """Each person's error on gold hands, mm."""
        return self._shared.skills()

    # -- its own safety --------------------------------------------------------------------------------------
    def verify(self, photos: bool = False) -> list[str]:
        """Check every event's sums, replay every hand's journal and compare: what is wrong, one line each; []
        if all is well. photos: read every photo, too, and compare its hash.
        """
        return self._kept.verify(photos)

    def check_hand(self, hand_id: str) -> None:
        """One hand's events, sums, chain and stored state, before anything is built on them. InputError: damaged."""
        self._kept.check_hand(hand_id)

    def check_file(self) -> None:
        """The pages of the project's file: a second for 300 MB. InputError: damaged."""
        self._kept.check_file()

    def snapshot(self, path: str | Path | None = None) -> Path:
        """Write all hands and the whole journal, as they are at this moment, into one SQLite file; its path.

        Others may go on working meanwhile. path: default FOLDER/snapshots/TIME.db. A snapshot opens like a
        project (`Project.open(path)`), on PostgreSQL, too; in a folder of its own, named project.db, it is
        one. The file is whole or not there, and checked as `verify` does before it is. InputError if there is one, it
        cannot be written, or the project is damaged.
        """
        return self._kept.snapshot(path)

    def origin(self, hand_id: str) -> Origin:
        """Who and what made the hand what it is: proposer, people, time, reviews."""
        return self._kept.origin(hand_id)

    def recent(self, limit: int = 200) -> list[Event]:
        """The newest `limit` events of the journal, of all hands, newest first."""
        return self._kept.recent(limit)

    def find_photos(self, folder: str | Path) -> dict[str, Path]:
        """Look below `folder` for photos that are not where they were, by their content, or by what they show where
        that is not found; {old path: new}. What is found is remembered.
        """
        return self._kept.find_photos(folder)

    def copy_photos(self) -> list[Path]:
        """Copy every photo that is outside into FOLDER/photos, named by its content; the new copies.

        InputError naming the photo that is gone or changed; those before it are copied by then.
        """
        return self._kept.copy_photos()

    # -- what photos show ------------------------------------------------------------------------------------
    def is_same_photo(self, photo: StoredPhoto, path: Path | None = None) -> bool:
        """Whether the file (the photo's own, unless another is given) shows what was annotated: the same bytes, or the
        same picture under other metadata. InputError if it cannot be read."""
        return self._pictures.is_same_photo(photo, path)

    def known_as(self, path: Path) -> str:
        """The file digest by which the project knows this photo: the file's own, or that of the photo which shows the
        same. InputError if it cannot be read."""
        return self._pictures.known_as(path)

    # -- inside ---------------------------------------------------------------------------------------------
    def _change(self, hand_id, kind, version, note, make) -> int:
        with self._database.writing() as connection:
            return self._change_in(connection, hand_id, kind, version, note, make)

    def _change_in(self, connection, hand_id, kind, version, note, make) -> int:
        with self._database.sensible():
            row, record, _ = reading.stored(connection, self.folder, hand_id)
        leased = team.refuse_if_leased(connection, hand_id, self.who)
        if version is not None and version != row.version:
            raise InputError(
                f"hand {hand_id} was changed meanwhile (version {row.version}, yours {version}): load it again"
            )
        after = make(row, record)
        with self._database.sensible():
            version = journal.change(connection, row, after, kind, self.who, note or {})
        team.after_change(connection, hand_id, self.who, after.state, leased)
        return version

    def _back_or_forth(self, hand_id, find_own, move) -> str:
        with self._database.writing(stored_only=True) as connection:
            if hand_id is None:
                hand_id = find_own(connection, self.who, self.folder)
            row = reading.row_of(connection, self.folder, hand_id)
            team.refuse_if_leased(connection, hand_id, self.who)
            others = companions(connection, self.folder, row, move is journal.redo)
            for one in others:
                team.refuse_if_leased(connection, one.id, self.who)
            for one in (row, *others):
                move(connection, one, self.who)
            return hand_id


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in a container
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
