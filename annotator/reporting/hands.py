"""The hands of a project as a report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from annotator.errors import InputError
from annotator.project import HandEntry, Project, StoredPhoto
from annotator.project.guessed_sides import side_in_doubt
from annotator.project.overview.doubts import doubts
from annotator.project.overview.steps import steps_of
from annotator.project.photo_files.pixels import pixels_of
from annotator.project.records.meshes import find_hand_model
from annotator.reporting.pictures import ReportedHand

BARE = 60  # photos without a hand that are shown
STEPS = 8  # of a hand's journal that are told one by one


class Reader:
    """Reads hands of a project one by one; a photo with several hands is read once."""

    def __init__(self, project: Project):
        self.project = project
        self.definition = project.definition()
        self._last: tuple[int, tuple[np.ndarray | None, str]] | None = None

    def hand(self, hand_id: str) -> ReportedHand:
        """The hand as it is stored now, beside its proposal. A photo that is gone or has changed is a remark.
        InputError: there is no such hand."""
        stored, mesh = self.project.hand(hand_id), self.project.mesh(hand_id)
        photo, why = self._photo(stored.photo)
        found = doubts(
            mesh,
            find_hand_model(str(stored.provenance["hand_model"])),
            stored.joint_states,
            self.definition,
            side_in_doubt(self.project, hand_id),
        )
        return ReportedHand(
            id=hand_id,
            photo_name=stored.photo.name,
            photo=photo,
            before=self.project.proposal(hand_id),
            after=mesh,
            joint_states=stored.joint_states,
            state=stored.state,
            remarks=[*([why] if why else []), *told(self.project, hand_id)],
            doubts=[(one.kind, one.words) for one in found],
            severity=max((one.severity for one in found), default=0.0),
        )

    def _photo(self, photo: StoredPhoto) -> tuple[np.ndarray | None, str]:
        """(the photo, "") or (None, why it cannot be shown); one with several hands is read once."""
        if self._last is None or self._last[0] != photo.id:
            try:
                self._last = photo.id, (pixels_of(photo), "")
            except InputError as error:
                self._last = photo.id, (None, str(error))
        return self._last[1]

    def each(self, entries: Iterable[HandEntry]) -> Iterator[ReportedHand]:
        """The hands of a list."""
        for entry in entries:
            yield self.hand(entry.id)


def bare(project: Project) -> Iterator[tuple[str, str, np.ndarray | None]]:
    """(name, why, photo) of photos without a hand; pictures of the first ones alone, a video has very many."""
    photos = project.bare_photos()
    for photo in photos[:BARE]:
        try:
            yield photo.name, "no hand was found", pixels_of(photo)
        except InputError as error:
            yield photo.name, str(error), None
    if len(photos) > BARE:
        yield f"{len(photos) - BARE} more photos", "no hand was found", None


def told(project: Project, hand_id: str) -> list[str]:
    """What was done to a hand and is in force, oldest first, one line a step."""
    steps = [one for one in steps_of(reversed(project.history(hand_id))) if not one.undone][::-1]
    lines = [f"{one.words} by {one.who}, {one.at[:16].replace('T', ' ')} UTC" for one in steps]
    if len(lines) > STEPS:
        lines = [f"{len(lines) - STEPS} earlier steps", *lines[-STEPS:]]
    return lines
