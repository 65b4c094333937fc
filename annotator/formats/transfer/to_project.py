"""Records of a data set into a project: their photos by reference, their keypoints as labels, a mesh for each.

Where a record has parameters of a hand model that is here, its mesh is that. Else the network proposes and the solver
moves the hand until every labelled keypoint (and depth, where the camera and joints are known) is where the label has
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from annotator.correcting import Depths, solve
from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand, box_of
from annotator.formats.core.details import rebuilt
from annotator.formats.core.places import check_fit
from annotator.formats.mano.mano_file import parameters_of
from annotator.formats.mano.mano_joints import mano_joints
from annotator.formats.table import definition_of_format
from annotator.formats.transfer.marks import Marks, label_digest, returned_label, stored_label
from annotator.formats.transfer.sequences import Sequences, place_of
from annotator.formats.transfer.sides import side_is_known, with_guessed_side
from annotator.hand.depth_labels import DepthLabels
from annotator.hand.mesh import HandMesh, ParametricEstimate
from annotator.hand.model import HandModel
from annotator.project import Project
from annotator.project.guessed import SIDE_GUESSED
from annotator.project.records.meshes import find_hand_model
from annotator.project.records.states import (
    ACCEPTED,
    CONFIRMED,
    CORRECTED,
    HAND_STATES,
    IN_WORK,
    OCCLUDED,
    OUT_OF_FRAME,
)
from annotator.vision.camera import default_camera, project
from annotator.vision.photos import read_photo

VERTEX_SIGMA = 0.003  # m: what is taken for a data set's mesh, which says nothing of its own
KEYPOINT_SIGMA = 2.0  # px, likewise
MARGIN = 0.15  # of the box, round labelled keypoints
MANO_OFF = 0.02  # m: mean distance of joints at which parameters cannot be what they are taken for
FEWEST = 4  # labelled keypoints that a hand needs for a fit


@dataclass
class Imported:
    """What came of records: hands stored, of these with their own mesh or fitted, with a guessed side, by state;
    skipped as done already, of these with another label now (`differs`: the hands' ids) or taken over; (id, why) of
    those left out; whose hands the photos show (name -> how many), where that was asked for."""

    hands: int = 0
    own_mesh: int = 0
    fitted: int = 0
    guessed_sides: int = 0
    states: Counter = field(default_factory=Counter)
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
    records without a mesh and tells sides, called once and only if needed. accept: hands of which every labelled
    keypoint is confirmed or corrected become accepted; else a hand has the record's own state, or is in work. A
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
    by_person = all(s not in ("proposed",) for s, w in zip(record.states, record.weights, strict=True) if w > 0)
    state = ACCEPTED if accept and by_person else record.state
    if state == ACCEPTED and SIDE_GUESSED in record.provenance:
        return IN_WORK
    return state if state in HAND_STATES else IN_WORK


def labelled(record: LabelledHand) -> dict[int, tuple[float, float]]:
    """Keypoint number -> place of those that a person set or confirmed."""
    return {
        k: tuple(record.keypoints[k].tolist())
        for k, state in enumerate(record.states)
        if state in (CORRECTED, CONFIRMED) and record.weights[k] > 0
    }


def with_mano(record: LabelledHand, mano: HandModel) -> LabelledHand:
    """The record as a hand of the user's MANO, where it has MANO's parameters and a camera; else as it is.

    InputError if the mesh that they give is not where the record's joints are: other conventions than the set's.
    """
    if record.mano is None or record.K is None or record.parameters is not None:
        return record
    wrist = None if record.joints is None else record.joints[0]
    parameters = parameters_of(record.mano, record.side, mano, wrist)
    if record.joints is not None:
        trust = np.ones(21) if record.joint_weights is None else record.joint_weights
        apart = np.linalg.norm(mano_joints(mano, parameters, record.side) - record.joints, axis=1)
        off = float(np.average(apart, weights=np.maximum(trust, 1e-9)))
        if off > MANO_OFF:
            raise InputError(f"MANO's parameters give joints {1000 * off:.0f} mm from the labelled ones")
    return replace(record, parameters=parameters, hand_model=mano.digest)


def own_mesh(record: LabelledHand) -> HandMesh | None:
    """The hand by the record's own parameters, or None where it has none or their model is not here."""
    vertices, faces = rebuilt(record.parameters, record.side, record.hand_model)
    if vertices is None or record.K is None or (vertices[:, 2] <= 0).any():
        return None
    assert record.parameters is not None  # they gave the vertices
    hand_model = find_hand_model(record.hand_model)
    joints = hand_model.joints(vertices)
    keypoints = project(joints, record.K)
    middle, side = _square(record.box)
    sigma = record.keypoint_sigma if record.keypoint_sigma is not None else np.full(21, KEYPOINT_SIGMA)
    return HandMesh(
        side=record.side, camera=record.K, crop_center=middle, crop_size=side, crop_angle=0.0, vertices=vertices,
        faces=faces, joints=joints, keypoints=keypoints, keypoint_sigma=sigma,
        vertex_sigma=np.full(len(vertices), VERTEX_SIGMA),
        confidence=float(np.clip(record.provenance.get("confidence", 1.0), 0, 1)), parameters=record.parameters,
        hand_model=hand_model.name, parametric=ParametricEstimate(vertices, joints, keypoints, record.parameters),
        corrections=_corrections(record), depth_labels=DepthLabels.from_dict(record.provenance.get("depth_labels")),
    )  # fmt: skip


def _corrections(record: LabelledHand) -> dict[int, tuple[float, float]]:
    """Where a person put keypoints: as our own exports say, if the photo is still the one it was said of."""
    given, changed = record.provenance.get("corrections"), {"mirrored", "photo_to_image"} & record.provenance.keys()
    if not isinstance(given, dict):
        return labelled(record)
    if not changed:
        return {int(k): tuple(place) for k, place in given.items()}
    # the photo was cut out or mirrored: the record's keypoints are the same labels in it
    return {int(k): tuple(record.keypoints[int(k)].tolist()) for k in given}


def fit(record: LabelledHand, photo: np.ndarray, model, definition: str = "anatomical") -> HandMesh:
    """The model's proposal for the record's box, moved onto its labels. InputError: too few labels, no plausible place.

    Confirmed and corrected keypoints become the mesh's corrections; proposed ones only draw it. definition: how the
    set's labels are meant, see `hand.definitions`.
    """
    known = np.flatnonzero(record.weights > 0)
    if len(known) < FEWEST:
        raise InputError(f"{len(known)} labelled keypoints are too few to fit a hand, at least {FEWEST} are needed")
    points = box_of(np.concatenate([record.keypoints[known], np.reshape(record.box, (2, 2))]))
    reach = MARGIN * max(points[2] - points[0], points[3] - points[1])
    box = points + np.array([-reach, -reach, reach, reach])
    height, width = photo.shape[:2]
    K = record.K if record.K is not None else default_camera(height, width, box[2] - box[0])
    found = model.propose(photo, boxes=[tuple(box)], sides=[record.side], K=K)
    if not found:
        raise InputError("the model proposes no hand in this box")
    targets = {int(k): tuple(record.keypoints[k].tolist()) for k in known}
    depths = _depths(record)
    # labels in space leave nothing to guess; labels of the photo alone are evidence, in their maker's sense
    states = _for_solver(record)
    solution = solve(found[0], model.hand, targets, states, depths, definition=definition, exact=bool(depths))
    places = labelled(record)
    return solution.hand.replace(corrections=places, features=None)


def _for_solver(record: LabelledHand) -> dict[int, str]:
    """What the solver must leave out: keypoints without a label. An occluded one with a label has a place."""
    unknown = np.flatnonzero(record.weights == 0).tolist()
    return {k: OUT_OF_FRAME if record.states[k] == OUT_OF_FRAME else OCCLUDED for k in unknown}


def _depths(record: LabelledHand) -> tuple:
    """The labels' depths, where camera and joints are known (metres)."""
    if record.joints is None or record.K is None:
        return ()
    trust = np.ones(21) if record.joint_weights is None else record.joint_weights
    depths = {k: float(record.joints[k, 2]) for k in range(21) if trust[k] >= 0.5 and record.joints[k, 2] > 0}
    return (Depths(depths),) if depths else ()


def _square(box: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and side of the crop round an upright box."""
    x0, y0, x1, y1 = box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2]), float(1.5 * max(x1 - x0, y1 - y0, 1.0))


def photo_place(target: Project, dataset: Path) -> Path:
    """Where a project keeps the photos that came out of an archive."""
    return target.folder / "imported" / dataset.stem
