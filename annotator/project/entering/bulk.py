"""Many photos and their proposals at once: a few questions for all of them, then whole tables of rows.

What is stored is what `intake` stores one by one, numbers, ids and chains included; only the ways to and from the
database are shared. Called under the write lock, so that what is asked first holds when the rows are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, func, select

from annotator.project import journal
from annotator.project.entering import intake
from annotator.project.photo_files import pictures
from annotator.project.storage.rows import matching, write
from annotator.project.storage.schema import events, hands, looked_at, next_number, photos, records

Look = tuple[intake.Header, Sequence[intake.Prepared]]


def add_looks(
    connection: Connection, folder: Path, looks: Sequence[Look], source: int, model_digest: str, who: str
) -> list[list[str] | None]:
    """Photos with what a model found in them; the new hands' ids, photo by photo, None where this model had looked
    before. See `Project.add_looks`."""
    ids = _photos(connection, folder, [header for header, _ in looks])
    seen = set(matching(connection, select(looked_at.c.photo).where(looked_at.c.model_digest == model_digest),
                        looked_at.c.photo, set(ids)))  # fmt: skip
    fresh: list[tuple[int, int]] = []  # (which look, its photo)
    for at, photo in enumerate(ids):
        if photo not in seen:
            seen.add(photo)
            fresh.append((at, photo))
    now = journal.now()
    write(connection, looked_at, [{"photo": photo, "model_digest": model_digest, "at": now} for _, photo in fresh])
    return _hands(connection, looks, fresh, source, who)


def _hands(
    connection: Connection, looks: Sequence[Look], fresh: Sequence[tuple[int, int]], source: int, who: str
) -> list[list[str] | None]:
    names = _Names(connection, [(looks[at][0].path, photo, len(looks[at][1])) for at, photo in fresh])
    number, seq = next_number(connection, hands.c.number), next_number(connection, events.c.seq)
    added: list[list[str] | None] = [None] * len(looks)
    now = journal.now()
    rows: list[tuple[dict, dict, dict]] = []
    for at, photo in fresh:
        header, prepared = looks[at]
        mine: list[str] = []
        for one in prepared:
            mine.append(names.new(header.path, photo))
            hand = {
                "id": mine[-1], "number": number + len(rows), "photo": photo, "source": source,
                "hand_model": one.name, "hand_model_digest": one.model.digest,
            }  # fmt: skip
            rows.append(journal.proposal_rows(hand, one, who, {}, seq + len(rows), now))
        added[at] = mine
    for table, some in zip((events, hands, records), zip(*rows, strict=True), strict=False):
        write(connection, table, some)
    return added


def _photos(connection: Connection, folder: Path, headers: Sequence[intake.Header]) -> list[int]:
    """The photos' ids; those that are new are added."""
    known = dict(matching(connection, select(photos.c.sha256, photos.c.id), photos.c.sha256,
                          {header.sha256 for header in headers}))  # fmt: skip
    asked = {header.picture for header in headers if header.picture and header.sha256 not in known}
    if asked:  # few photos show what another file shows: these are asked for one by one
        showing = pictures.photos_showing(connection, asked)
        others = dict(matching(connection, select(photos.c.sha256, photos.c.id), photos.c.sha256,
                               set(showing.values())))  # fmt: skip
        shown = {picture: others[sha256] for picture, sha256 in showing.items() if sha256 in others}
    else:
        shown = {}
    new: list[dict] = []
    ids: list[int] = []
    first = next_number(connection, photos.c.id)
    told: dict[str, str] = {}
    for header in headers:
        found = known.get(header.sha256) or (shown.get(header.picture) if header.picture else None)
        if found is None:
            found = first + len(new)
            new.append(intake.photo_row(header, folder, found))
            known[header.sha256] = found
            if header.picture:
                shown[header.picture], told[header.sha256] = found, header.picture
        ids.append(found)
    write(connection, photos, new)
    for sha256, picture in told.items():
        pictures.remember(connection, sha256, picture)
    return ids


class _Names:
    """New hands' ids, as `intake.new_id` gives them, with a question for all. wanted: (photo's path, its id, how many
    hands come) each."""

    def __init__(self, connection: Connection, wanted: Iterable[tuple[Path, int, int]]):
        self._connection, wanted = connection, list(wanted)
        counted = select(hands.c.photo, func.count()).group_by(hands.c.photo)
        self._counts = Counter(dict(matching(connection, counted, hands.c.photo, {photo for _, photo, _ in wanted})))
        self._asked = {
            name
            for path, photo, count in wanted
            for number in range(self._counts[photo] + 1, self._counts[photo] + count + 1)
            for name in intake.candidates(path, photo, number)
        }
        self._taken = set(matching(connection, select(hands.c.id), hands.c.id, self._asked))

    def new(self, path: Path, photo: int) -> str:
        number = self._counts[photo]
        self._counts[photo] += 1
        while True:
            number += 1
            for name in intake.candidates(path, photo, number):
                if not self._is_taken(name):
                    self._asked.add(name)
                    self._taken.add(name)
                    return name

    def _is_taken(self, name: str) -> bool:
        if name not in self._asked:
            self._asked.add(name)
            if self._connection.scalar(select(hands.c.id).where(hands.c.id == name)) is not None:
                self._taken.add(name)
        return name in self._taken
