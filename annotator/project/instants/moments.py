"""Rigs of a project, and which of its photos are of one moment."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from annotator.errors import InputError
from annotator.project import journal, reading
from annotator.project.context import Context
from annotator.project.instants.keys import INSTANT, MOMENT, RIG
from annotator.project.records.instants import Instant
from annotator.project.records.views import StoredPhoto
from annotator.project.storage import documents
from annotator.project.storage.schema import photos
from annotator.vision.rigs import Rig


class Instants:
    """A service of `Project`: rigs and instants."""

    def __init__(self, context: Context):
        self._context = context

    def add_rig(self, rig: Rig, name: str) -> None:
        """Keep a rig under a name; one of that name is replaced.

        Parameters
        ----------
        rig
            Its cameras.
        name
            At most 100 characters, without a slash.

        Raises
        ------
        InputError
            A name that is none.
        """
        if not name or "/" in name or len(name) > 100:
            raise InputError(f"{name!r} is no name for a rig")
        with self._context.database.writing() as connection:
            documents.put(
                connection,
                f"{RIG}{name}",
                rig.as_dict() | {"name": name, "who": self._context.who, "at": journal.now()},
            )

    def rigs(self) -> dict[str, Rig]:
        """The project's rigs.

        Returns
        -------
        dict of str to Rig
            By their names.
        """
        with self._context.database.reading() as connection:
            found = documents.below(connection, RIG)
        return {name.removeprefix(RIG): Rig.of(content, content["name"]) for name, content in found.items()}

    def set_instants(self, rig: str, moments: Mapping[str, Mapping[str, int]]) -> None:
        """Say which photos are of one moment: all or none of it is stored.

        Parameters
        ----------
        rig
            The rig's name.
        moments
            Moment -> camera -> photo's id.

        Raises
        ------
        InputError
            No such rig or camera, a photo of another size than its camera's, or one of another instant.
        """
        with self._context.database.writing() as connection:
            document = documents.get(connection, f"{RIG}{rig}")
            if document is None:
                raise InputError(f"there is no rig {rig!r} in {self._context.folder}")
            for moment, of in moments.items():
                shas = {}
                for camera, photo_id in of.items():
                    photo = reading.photo_of(connection, self._context.folder, photo_id)
                    try:
                        Rig.of(document)[camera].check_photo(photo.height, photo.width)
                    except InputError as error:
                        raise InputError(f"{photo.path}: {error}") from error
                    other = documents.get(connection, f"{MOMENT}{photo.sha256}")
                    if other is not None and (other["rig"], other["moment"]) != (rig, moment):
                        raise InputError(
                            f"{photo.path} is of instant {other['moment']!r} of rig {other['rig']!r} already: it "
                            f"cannot be of {moment!r} of {rig!r}, too"
                        )
                    shas[camera] = photo.sha256
                    documents.put(
                        connection, f"{MOMENT}{photo.sha256}", {"rig": rig, "moment": moment, "camera": camera}
                    )
                before = documents.get(connection, f"{INSTANT}{rig}/{moment}") or {}
                photos_before = before.get("photos", {})
                documents.put(connection, f"{INSTANT}{rig}/{moment}", before | {"photos": photos_before | shas})

    def instants(self, rig: str | None = None) -> list[Instant]:
        """The project's instants.

        Parameters
        ----------
        rig
            Of this one alone; None: of all.

        Returns
        -------
        list of Instant
            By rig and moment.
        """
        found = []
        with self._context.database.reading() as connection:
            for key, content in documents.below(connection, INSTANT if rig is None else f"{INSTANT}{rig}/").items():
                name, _, moment = key.removeprefix(INSTANT).partition("/")
                of = {camera: self._photo(connection, sha256) for camera, sha256 in content["photos"].items()}
                found.append(Instant(name, moment, of, bool(content.get("proposed"))))
        return sorted(found, key=lambda one: (one.rig, one.moment))

    def instant_of(self, photo_id: int) -> tuple[Instant, str] | None:
        """The instant that a photo is of, and its camera.

        Parameters
        ----------
        photo_id
            The photo's.

        Returns
        -------
        tuple of (Instant, str) or None
            None: it is of none.
        """
        with self._context.database.reading() as connection:
            photo = reading.photo_of(connection, self._context.folder, photo_id)
            said = documents.get(connection, f"{MOMENT}{photo.sha256}")
            content = None if said is None else documents.get(connection, f"{INSTANT}{said['rig']}/{said['moment']}")
            if said is None or content is None:
                return None
            of = {camera: self._photo(connection, sha256) for camera, sha256 in content["photos"].items()}
        return Instant(said["rig"], said["moment"], of, bool(content.get("proposed"))), said["camera"]

    def _photo(self, connection: Connection, sha256: str) -> StoredPhoto:
        number = connection.scalar(select(photos.c.id).where(photos.c.sha256 == sha256))
        if number is None:
            raise self._context.database.damaged(f"is damaged: photo {sha256[:12]} of an instant is missing")
        return reading.photo_of(connection, self._context.folder, number)
