"""The project: photos, the hands proposed in them, and everything people did to these since.

Every method that changes something is one transaction, and it is on disk when the method returns.
"""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from annotator import __version__
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition
from annotator.project import journal
from annotator.project.context import Context
from annotator.project.definitions import definition_of_project
from annotator.project.editing import Editing
from annotator.project.entering.labels import LabelIntake
from annotator.project.entering.proposing import Proposing
from annotator.project.entering.renewing import Renewing
from annotator.project.instants import InstantHands, Instants
from annotator.project.listing import Listing
from annotator.project.photo_files.pictures import Pictures
from annotator.project.safety.safekeeping import Safekeeping
from annotator.project.storage import places
from annotator.project.storage.database import Database
from annotator.project.subjects import Subjects
from annotator.project.teamwork.shared import Shared
from annotator.project.tracks import Tracks

SERVICES = (
    Listing, Editing, Proposing, LabelIntake, Renewing, Tracks, Instants, InstantHands, Shared, Safekeeping, Pictures,
)  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")


def offered(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Project, P], R]:
    """A method of one of `SERVICES` as one of the project's own: the same name, arguments and documentation."""
    service = method.__qualname__.rpartition(".")[0]

    @wraps(method)
    def through(project: Project, *args: P.args, **named: P.kwargs) -> R:
        return method(project._services[service], *args, **named)

    return through


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
        self._services = {service.__name__: service(self._context) for service in SERVICES}
        self.subjects = Subjects(self._context)

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
        """A new project; the folder is made if it is missing.

        Parameters
        ----------
        place
            Its folder, or the URL of a PostgreSQL database.
        who
            The name written beside every change; None: the system's user name.
        database
            The URL of a PostgreSQL database for its hands and journal; the folder remembers it.

        Returns
        -------
        Project

        Raises
        ------
        InputError
            There is a project already, or none can be made there.
        """
        at = places.locate(place, database)
        values = {"project": uuid.uuid4().hex, "created": journal.now(), "code_version": __version__}
        made = places.make(at, values)
        places.remember(at)
        return cls(at.folder, made, who)

    @classmethod
    def open(cls, place: str | Path, who: str | None = None) -> Project:
        """An existing project.

        Parameters
        ----------
        place
            Its folder, its URL, its project.db or a snapshot of that.
        who
            As for `create`.

        Returns
        -------
        Project

        Raises
        ------
        InputError
            There is none, or it is damaged, locked, or of a newer version.
        """
        at = places.locate(place)
        return cls(at.folder, places.connect(at), who)

    @classmethod
    def open_or_create(cls, place: str | Path, who: str | None = None, database: str | None = None) -> Project:
        """The project in this place, made if there is none; a folder joins the project of `database`.

        Parameters
        ----------
        place, who, database
            As for `create`.

        Returns
        -------
        Project

        Raises
        ------
        InputError
            As for `open`, and where none can be made.
        """
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
        """How this project's people mean the joints.

        Returns
        -------
        JointDefinition
            What its newest finished round learned from their labels; before the first, the anatomical definition.

        Raises
        ------
        InputError
            The round's file is damaged.
        """
        return definition_of_project(self.folder)

    # reading
    hand = offered(Listing.hand)
    mesh = offered(Listing.mesh)
    proposal = offered(Listing.proposal)
    hands = offered(Listing.hands)
    status = offered(Listing.status)
    people = offered(Listing.people)
    bare_photos = offered(Listing.bare_photos)
    history = offered(Listing.history)

    # changes
    edit = offered(Editing.edit)
    set_state = offered(Editing.set_state)
    set_states = offered(Editing.set_states)
    delete = offered(Editing.delete)
    undo_batch = offered(Editing.undo_batch)
    redo_batch = offered(Editing.redo_batch)
    undo = offered(Editing.undo)
    redo = offered(Editing.redo)

    # photos and proposals
    add_photo = offered(Proposing.add_photo)
    add_photos = offered(Proposing.add_photos)
    has_photo = offered(Proposing.has_photo)
    photo = offered(Proposing.photo)
    photos = offered(Proposing.photos)
    add_proposals = offered(Proposing.add_proposals)
    add_proposal = offered(Proposing.add_proposal)
    add_drawn = offered(Proposing.add_drawn)
    hashes_looked_at = offered(Proposing.hashes_looked_at)
    add_looks = offered(Proposing.add_looks)

    # labelled hands from elsewhere
    add_label = offered(LabelIntake.add_label)

    # newer proposals
    repropose = offered(Renewing.repropose)

    # hands through videos
    new_tracks = offered(Tracks.new_tracks)
    add_tracked = offered(Tracks.add_tracked)
    renew_tracked = offered(Tracks.renew_tracked)
    tracks = offered(Tracks.tracks)
    track = offered(Tracks.track)
    track_of = offered(Tracks.track_of)
    propagated = offered(Tracks.propagated)
    renew_tracked = offered(Tracks.renew_tracked)
    edit_many = offered(Tracks.edit_many)
    undo_many = offered(Tracks.undo_many)

    # several cameras at once
    add_rig = offered(Instants.add_rig)
    rigs = offered(Instants.rigs)
    set_instants = offered(Instants.set_instants)
    instants = offered(Instants.instants)
    instant_of = offered(Instants.instant_of)
    add_instant = offered(InstantHands.add_instant)
    one_mesh = offered(InstantHands.one_mesh)
    one_meshes = offered(InstantHands.one_meshes)
    edit_instant = offered(InstantHands.edit_instant)

    # long lists
    each_hand = offered(Listing.each_hand)
    count_hands = offered(Listing.count_hands)

    # several people
    lease = offered(Shared.lease)
    release = offered(Shared.release)
    next_hand = offered(Shared.next_hand)
    review = offered(Shared.review)
    to_review = offered(Shared.to_review)
    make_gold = offered(Shared.make_gold)
    gold_hands = offered(Shared.gold_hands)
    skills = offered(Shared.skills)

    # its own safety
    verify = offered(Safekeeping.verify)
    check_hand = offered(Safekeeping.check_hand)
    check_file = offered(Safekeeping.check_file)
    snapshot = offered(Safekeeping.snapshot)
    origin = offered(Safekeeping.origin)
    recent = offered(Safekeeping.recent)
    find_photos = offered(Safekeeping.find_photos)
    copy_photos = offered(Safekeeping.copy_photos)

    # what photos show
    is_same_photo = offered(Pictures.is_same_photo)
    known_as = offered(Pictures.known_as)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in a container
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"
