"""Records of a data set into a project: their photos by reference, their keypoints as labels, a mesh for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.places import check_fit
from annotator.formats.table import definition_of_format
from annotator.formats.transfer.marks import Marks, label_digest, returned_label, stored_label
from annotator.formats.transfer.record_meshes import fit, own_mesh, with_mano
from annotator.formats.transfer.sequences import Sequences, place_of
from annotator.formats.transfer.sides import side_is_known, with_guessed_side
from annotator.hand.joint_states import PROPAGATED, PROPOSED
from annotator.hand.model import HandModel
from annotator.project import Project
from annotator.project.guessed import SIDE_GUESSED
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
    done = Imported()
    model: Any = None
    before: tuple[Path | None, int, tuple[int, int]] = (None, 0, (0, 0))
    marks = Marks(source)
    definition = definition_of_format(source.partition(":")[0])
    sequences = Sequences(target)
    whose: dict[int, set[str]] = {}

    def loaded():
        nonlocal model
        model = model or load_model()
        return model

    for record in records:
        mark = marks.of(record)
        try:
            photo = read_photo(record.photo)
            if before[0] != record.photo:
                place = place_of(record)
                path = record.photo if place is None else place.as_path()
                before = record.photo, target.add_photo(path, photo.shape[:2]), photo.shape[:2]
            sequences.belongs(record, before[1])
            if subject_of is not None:
                whose.setdefault(before[1], set()).add(subject_of(record))
            here = marks.is_here(target, before[1], mark)
            own = None if here else returned_label(target, before[1], record)
            known = None
            if here or own is not None:
                done.done_before += 1
                known = stored_label(target, before[1], mark, record) or own
                if known is not None:
                    sequences.goes_on(record, known.hand)
                if known is None or known.same:
                    continue
                done.differs.append(known.hand)
                if not (update and known.untouched):
                    continue
            check_fit(record, photo.shape[:2])
            if not side_is_known(record):
                record = with_guessed_side(record, photo, loaded())
            mesh = own_mesh(record if mano is None else with_mano(record, mano))
            fitted = mesh is None
            if mesh is None:
                mesh = fit(record, photo, loaded(), definition)
            note = {"imported": record.id, "data_set": str(record.provenance.get("data_set", ""))}
            note |= {"mark": mark, "label": label_digest(record)}
            if known is not None:
                if target.hand(known.hand).side != mesh.side:
                    raise InputError(f"hand {known.hand} is of the other side: reject it, then import again")
                target.edit(known.hand, mesh, record.states, note=note)
                done.updated.append(known.hand)
                continue
            state = _state(record, accept)
            label = before[1], mesh, marks.provenance(record), record.states, state, mark, note
            if target.add_label(*label, track=sequences.track(record, before[1])) is None:
                done.done_before += 1  # somebody else imports it, too, and was quicker
                continue
        except InputError as error:
            done.left_out.append((record.id, str(error)))
            continue
        done.hands += 1
        done.fitted += fitted
        done.own_mesh += not fitted
        done.guessed_sides += SIDE_GUESSED in record.provenance
        done.states[state] += 1
        done.restored += record.state == state
    sequences.finish()
    done.subjects = _assign(target, whose)
    return done


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
