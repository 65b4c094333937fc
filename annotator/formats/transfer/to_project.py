"""Records of a data set into a project: their photos by reference, their keypoints as labels, a mesh for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.formats.conventions.places import check_fit
from annotator.formats.core.base import LabelledHand
from annotator.formats.table import definition_of_format
from annotator.formats.transfer.marks import Marks, StoredLabel, label_digest, returned_label, stored_label
from annotator.formats.transfer.record_meshes import fit, own_mesh, with_mano
from annotator.formats.transfer.sequences import Sequences, place_of
from annotator.formats.transfer.sides import side_is_known, with_guessed_side
from annotator.hand.joint_states import PROPAGATED, PROPOSED
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.project import Project
from annotator.project.guessed_sides import SIDE_GUESSED
from annotator.project.records.states import ACCEPTED, HAND_STATES, IN_WORK
from annotator.vision.photos import read_photo


@dataclass
class Imported:
    """What came of records: hands stored, of these with their own mesh or fitted, with a guessed side, by state, with
    the state that they left with in an export of ours (`restored`); skipped as done already, of these with another
    label now (`differs`: the hands' ids) or taken over; (id, why) of those left out; whose hands the photos show
    (name -> how many), where that was asked for."""

    hands: int = 0
    own_mesh: int = 0
    fitted: int = 0
    guessed_sides: int = 0
    states: Counter = field(default_factory=Counter)
    restored: int = 0
    done_before: int = 0
    differs: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    subjects: dict[str, int] = field(default_factory=dict)


def import_records(
    target: Project,
    records: Iterable[LabelledHand],
    source: str,
    load_model: Callable[[], object],
    accept: bool = False,
    mano: HandModel | None = None,
    update: bool = False,
    subject_of: Callable[[LabelledHand], str] | None = None,
) -> Imported:
    """Store the records, each whole or not at all; a label that was imported before is not again, wherever its set
    lies.

    source: FORMAT:PLACE; a label is known by its photo, the format and its id in its set, and a hand that left this
    very project in an export by its id and its last change. load_model: gives the `annotator.model.Model` that fits
    records without a mesh and tells sides, called once and only if needed. accept: hands with labels of which none
    is only proposed or carried along a track become accepted; else a hand has the record's own state, or is in work. A
    hand whose side nobody said is never accepted: it is the network's guess. mano: the user's own, if hands with
    MANO's parameters are to be hands of it. update: hands whose label has changed since, and that nobody has
    worked on here since, take it over. subject_of: whose hand a record is ("": nobody knows); a photo with hands of
    several people is nobody's.
    """
    run = _Run(target, source, load_model, accept, mano, update, subject_of)
    for record in records:
        try:
            run.take(record)
        except InputError as error:
            run.done.left_out.append((record.id, str(error)))
    run.sequences.finish()
    run.done.subjects = _assign(target, run.whose)
    return run.done


class _Run:
    """One import under way; the arguments are those of `import_records`. done: what came of it so far; whose: the
    people that a photo's records are of."""

    def __init__(self, target: Project, source: str, load_model: Callable[[], object], accept: bool,
                 mano: HandModel | None, update: bool, subject_of: Callable[[LabelledHand], str] | None):  # fmt: skip
        self.target, self.accept, self.mano, self.update, self.subject_of = target, accept, mano, update, subject_of
        self.done, self.marks, self.sequences = Imported(), Marks(source), Sequences(target)
        self.definition = definition_of_format(source.partition(":")[0])
        self.whose: dict[int, set[str]] = {}
        self._load_model = load_model
        self._model: Any = None
        self._before: tuple[Path | None, int] = (None, 0)  # the record before: its photo, and the photo's id

    def take(self, record: LabelledHand) -> None:
        """Store a record, or note why it need not be. InputError: it cannot be."""
        mark, photo = self.marks.of(record), read_photo(record.photo)
        photo_id = self._photo_of(record, photo)
        self.sequences.belongs(record, photo_id)
        if self.subject_of is not None:
            self.whose.setdefault(photo_id, set()).add(self.subject_of(record))
        known, goes_on = self._known(record, photo_id, mark)
        if not goes_on:
            return
        check_fit(record, photo.shape[:2])
        if not side_is_known(record):
            record = with_guessed_side(record, photo, self.model())
        mesh = own_mesh(record if self.mano is None else with_mano(record, self.mano))
        fitted = mesh is None
        if mesh is None:
            mesh = fit(record, photo, self.model(), self.definition)
        note = {"imported": record.id, "data_set": str(record.provenance.get("data_set", ""))}
        note |= {"mark": mark, "label": label_digest(record)}
        if known is not None:
            self._take_over(known, record, mesh, note)
            return
        state = _state(record, self.accept)
        label = photo_id, mesh, self.marks.provenance(record), record.states, state, mark, note
        if self.target.add_label(*label, track=self.sequences.track(record, photo_id)) is None:
            self.done.done_before += 1  # somebody else imports it, too, and was quicker
            return
        self.done.hands += 1
        self.done.fitted += fitted
        self.done.own_mesh += not fitted
        self.done.guessed_sides += SIDE_GUESSED in record.provenance
        self.done.states[state] += 1
        self.done.restored += record.state == state

    def model(self) -> Any:
        """The `annotator.model.Model`, loaded when it is first needed."""
        self._model = self._model or self._load_model()
        return self._model

    def _photo_of(self, record: LabelledHand, photo: np.ndarray) -> int:
        """The id of the record's photo in the project; a photo's records follow each other."""
        if self._before[0] != record.photo:
            place = place_of(record)
            path = record.photo if place is None else place.as_path()
            self._before = record.photo, self.target.add_photo(path, photo.shape[:2])
        return self._before[1]

    def _known(self, record: LabelledHand, photo_id: int, mark: str) -> tuple[StoredLabel | None, bool]:
        """(the label as it was imported before, or None; whether there is something to store)."""
        here = self.marks.is_here(self.target, photo_id, mark)
        own = None if here else returned_label(self.target, photo_id, record)
        if not here and own is None:
            return None, True
        self.done.done_before += 1
        known = stored_label(self.target, photo_id, mark, record) or own
        if known is not None:
            self.sequences.goes_on(record, known.hand)
        if known is None or known.same:
            return known, False
        self.done.differs.append(known.hand)
        return known, self.update and known.untouched

    def _take_over(self, known: StoredLabel, record: LabelledHand, mesh: HandMesh, note: dict) -> None:
        """The hand that was imported before gets the label as it is now."""
        if self.target.hand(known.hand).side != mesh.side:
            raise InputError(f"hand {known.hand} is of the other side: reject it, then import again")
        self.target.edit(known.hand, mesh, record.states, note=note)
        self.done.updated.append(known.hand)


def subject_said(record: LabelledHand) -> str:
    """The person that a record's data set names, by a name that no other set's has; "": it names none."""
    name = str(record.provenance.get("subject", "")).strip()
    data_set = str(record.provenance.get("data_set", "")).strip()
    return f"{data_set} {name}".strip() if name else ""


def _assign(target: Project, whose: dict[int, set[str]]) -> dict[str, int]:
    """Photos to the one person whose hands they show."""
    photos_of: dict[str, list[int]] = {}
    for photo, names in whose.items():
        if len(names) == 1 and "" not in names:
            photos_of.setdefault(next(iter(names)), []).append(photo)
    for name, photos in photos_of.items():
        target.subjects.assign(name, photos)
    return {name: len(photos) for name, photos in photos_of.items()}


def _state(record: LabelledHand, accept: bool) -> str:
    labels = [s for s, w in zip(record.states, record.weights, strict=True) if w > 0]
    by_person = bool(labels) and not {PROPOSED, PROPAGATED} & set(labels)
    state = ACCEPTED if accept and by_person else record.state
    if state == ACCEPTED and SIDE_GUESSED in record.provenance:
        return IN_WORK
    return state if state in HAND_STATES else IN_WORK


def photo_place(target: Project, dataset: Path) -> Path:
    """Where a project keeps the photos that came out of an archive."""
    return target.folder / "imported" / dataset.stem
