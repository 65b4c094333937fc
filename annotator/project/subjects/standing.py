"""What the statements about subjects mean together: whose each photo is, what was measured, which shape holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, func, select

from annotator.correcting.subjects.subject import Subject
from annotator.errors import InputError
from annotator.project.records.states import REJECTED
from annotator.project.statements import Statement, in_force, said
from annotator.project.storage.schema import hands, trials

TOPIC = "subject"
PHOTOS, SIZES, SHAPE = "photos", "sizes", "shape"  # kinds of statements
# what a person says, and takes back: an estimate only follows from it, and is made again when that changes
BY_PEOPLE = (PHOTOS, SIZES)
FIRST = 12  # labels that a subject needs to be estimated at all
GROWN, MORE = 1.25, 8  # it is estimated again when labels have grown by this factor and by so many more
LONGEST_NAME = 80


@dataclass
class Standing:
    """One subject as it stands: photos (ids), sizes (m), shape and when it was estimated, on how many labels."""

    name: str
    photos: set[int] = field(default_factory=set)
    sizes: dict[str, float] = field(default_factory=dict)
    shape: Subject | None = None
    estimated_at: str = ""
    labels_then: int = 0

    def is_due(self, labels: int) -> bool:
        """Whether enough has changed since the estimate, with so many labels now."""
        if self.shape is None:
            return labels >= FIRST or bool(self.sizes)
        if dict(self.shape.sizes) != self.sizes:
            return True
        fewer = labels < self.labels_then / GROWN - MORE  # photos went to somebody else
        return fewer or labels >= self.labels_then * GROWN + MORE


def standings(connection: Connection) -> dict[str, Standing]:
    """All subjects that have a photo, a size or a shape, by name, in the order in which they were first named."""
    return replayed(said(connection, TOPIC))


def replayed(told: Iterable[Statement]) -> dict[str, Standing]:
    """The same from statements. A photo is of the subject that was named last; of none after a statement without a
    name."""
    found: dict[str, Standing] = {}
    for one in in_force(told):
        if one.kind == PHOTOS:
            ids = {int(photo) for photo in one.said["photos"]}
            for other in found.values():
                other.photos -= ids
            if one.name:
                found.setdefault(one.name, Standing(one.name)).photos |= ids
            continue
        subject = found.setdefault(one.name, Standing(one.name))
        if one.kind == SIZES:
            subject.sizes = {str(name): float(size) for name, size in one.said["sizes"].items()}
        elif one.kind == SHAPE:
            subject.shape = Subject.from_dict(one.said["shape"])
            subject.labels_then, subject.estimated_at = int(one.said["labels"]), one.at
    for subject in found.values():
        if subject.shape is not None and subject.shape.sizes and not subject.sizes and subject.labels_then < FIRST:
            subject.shape = None  # sizes that were taken back since were all that it was made from
    return {name: one for name, one in found.items() if one.photos or one.sizes}


def owner(connection: Connection, photo: int) -> Standing | None:
    """The subject of a photo, or None."""
    return next((one for one in standings(connection).values() if photo in one.photos), None)


def counted(connection: Connection, photos: set[int]) -> tuple[int, int]:
    """(hands, labels) in these photos, without rejected hands and copies of gold ones."""
    copies = select(trials.c.hand).where(trials.c.hand == hands.c.id)
    rows = connection.execute(
        select(hands.c.photo, func.count(), func.sum(hands.c.corrections))
        .where(hands.c.state != REJECTED, ~copies.exists())
        .group_by(hands.c.photo)
    )
    own = [(count, labels) for photo, count, labels in rows if photo in photos]
    return sum(count for count, _ in own), int(sum(labels for _, labels in own))


def checked_name(name: str) -> str:
    """A subject's name without blanks around it. InputError: empty, too long, or more than a line."""
    plain = str(name).strip()
    if not plain or len(plain) > LONGEST_NAME or not plain.isprintable():
        raise InputError(f"{name!r} is no name for a subject: expected one line of 1 to {LONGEST_NAME} characters")
    return plain


def named(connection: Connection, name: str, folder: Path) -> Standing:
    """The subject of this name; InputError listing those that `folder`'s project has if there is none."""
    plain, found = checked_name(name), standings(connection)
    if plain not in found:
        known = ", ".join(found) or "none yet"
        raise InputError(f"no subject {plain!r} in {folder} (there are: {known})")
    return found[plain]


def hands_in(connection: Connection, of_photos: set[int]) -> list:
    """Rows of `hands` in these photos, without copies of gold ones, in order."""
    copies = select(trials.c.hand).where(trials.c.hand == hands.c.id)
    rows = connection.execute(select(hands).where(~copies.exists()).order_by(hands.c.number))
    return [row for row in rows if row.photo in of_photos]
