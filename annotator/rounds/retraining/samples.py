"""Accepted hands as keypoint-supervised samples, and the hands that are held out.

A keypoint teaches where a person set it (corrected) or left it on purpose (confirmed). What only a network said
(proposed), what is hidden and what is out of frame has no weight, however sure anybody was: a proposal is never truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.serialization.npz_arrays import read_npz, write_npz
from annotator.hand.mesh import HandMesh
from annotator.learning.data.photos import KeypointTable
from annotator.project import Project, StoredPhoto
from annotator.project.records.states import ACCEPTED, CONFIRMED, CORRECTED
from annotator.vision.crops import Crop

BY_PERSON = (CORRECTED, CONFIRMED)
CROPS = "crops.npz"
UNLABELLED = "no person set or confirmed a keypoint of it"


@dataclass(frozen=True, eq=False)
class Sample:
    """A hand that a person answered for. mesh: as accepted (its crop, camera and where unanswered keypoints are thought
    to be); places (21, 2) photo px; weights (21,) 1 where a person said so, else 0; gold: its truth is known."""

    id: str
    photo: StoredPhoto
    mesh: HandMesh
    places: np.ndarray
    weights: np.ndarray
    gold: bool = False


@dataclass(frozen=True)
class Taken:
    """What a round begins with. train, held: samples; unlabelled: accepted hands without any keypoint by a person;
    missing: (hand, why) of those whose photo is gone or changed; kind: "gold hands", or "gold and every Nth accepted
    hand"; left_out: (hand, why) of all accepted hands that are in neither of the two."""

    train: list[Sample]
    held: list[Sample]
    unlabelled: int
    missing: list[tuple[str, str]]
    kind: str
    left_out: list[tuple[str, str]] = field(default_factory=list)


def weights_of(states: Sequence[str]) -> np.ndarray:
    """(21,) 1 for what a person set or confirmed, 0 for all else."""
    return np.array([float(state in BY_PERSON) for state in states])


def sample_of(hand_id: str, photo: StoredPhoto, mesh: HandMesh, states: Sequence[str], gold: bool = False) -> Sample:
    """A hand and its states as a sample; a corrected keypoint is where the person put it, not where the mesh came
    to."""
    places = np.array(mesh.keypoints, np.float64)
    for joint, place in mesh.corrections.items():
        if states[joint] == CORRECTED:
            places[joint] = place
    return Sample(hand_id, photo, mesh, places, weights_of(states), gold)


def taken(project: Project, least_gold: int, held: int) -> Taken:
    """The project's accepted hands, apart: those to learn from and those to be judged by.

    Gold hands are held out, and so is everything on their photos. Where there are fewer than `least_gold` with
    keypoints by a person, the hands of one accepted photo in `held` (by its content, so always the same) are held out
    as well.
    """
    missing: list[tuple[str, str]] = []
    fit: dict[int, str] = {}
    gold = [
        one for one in (sample_of(g.id, g.photo, g.mesh, g.joint_states, True) for g in project.gold_hands())
        if one.weights.any() and _usable(project, one, fit, missing)
    ]  # fmt: skip
    closed, known = {one.photo.id for one in gold}, {one.id for one in gold}
    closed |= {g.photo.id for g in project.gold_hands()}
    others, unlabelled, closed_out = [], [], []
    for entry in project.hands(ACCEPTED, copies=False):
        if entry.id in known:
            continue
        if entry.photo_id in closed:
            closed_out.append((entry.id, "it is on a photo of a gold hand"))
            continue
        hand = project.hand(entry.id)
        one = sample_of(entry.id, hand.photo, project.mesh(entry.id), hand.joint_states)
        if not one.weights.any():
            unlabelled.append((entry.id, UNLABELLED))
        elif _usable(project, one, fit, missing):
            others.append(one)
    kind = "gold hands"
    if len(gold) < least_gold:
        aside = [one for one in others if int(one.photo.sha256[:12], 16) % held == 0]
        others = [one for one in others if int(one.photo.sha256[:12], 16) % held]
        gold, kind = gold + aside, f"gold hands and those on one accepted photo in {held}"
    return Taken(others, gold, len(unlabelled), missing, kind, [*unlabelled, *missing, *closed_out])


def _usable(project: Project, one: Sample, fit: dict[int, str], missing: list[tuple[str, str]]) -> bool:
    if one.photo.id not in fit:
        try:
            same = project.is_same_photo(one.photo)
            fit[one.photo.id] = "" if same else f"photo {one.photo.path} is not the one that was annotated"
        except InputError as error:
            fit[one.photo.id] = str(error)
    if fit[one.photo.id]:
        missing.append((one.id, fit[one.photo.id]))
    return not fit[one.photo.id]


def table_of(samples: Sequence[Sample], balanced: bool = True) -> KeypointTable:
    """The samples as a keypoint table (photos by absolute path, no 3-D labels).

    balanced: a hand's weights are raised, so that one with few answered keypoints is not drowned by one with 21: hands
    count by the root of their number (21 stay 21, one becomes 4.6).
    """
    count = len(samples)
    weights = np.array([one.weights for one in samples]).reshape(count, 21)
    if balanced:
        weights = weights * np.sqrt(21.0 / np.maximum(weights.sum(1, keepdims=True), 1.0))
    return KeypointTable(
        photo=np.array([str(one.photo.path) for one in samples]),
        side=np.array([one.mesh.side for one in samples]),
        K=np.array([one.mesh.camera for one in samples], np.float64).reshape(count, 3, 3),
        keypoints=np.array([one.places for one in samples]).reshape(count, 21, 2),
        weight=weights,
        joints=np.zeros((count, 21, 3)),
        joint_weight=np.zeros((count, 21)),
        metric=np.zeros(count),
        held=np.zeros(count, bool),
        group=np.array([one.photo.sha256 for one in samples]),
    )


def save_train(samples: Sequence[Sample], folder: Path) -> None:
    """The hands to learn from as a table, and the crops they are seen in."""
    table_of(samples).save(folder)
    _save_crops(samples, folder)


def save_held(samples: Sequence[Sample], folder: Path) -> None:
    """The held-out hands as a table (joints of gold hands with weight 1: their truth), and the crops they are seen
    in."""
    table = table_of(samples, balanced=False)
    gold = np.array([float(one.gold) for one in samples]).reshape(-1, 1)
    joints = np.array([one.mesh.joints for one in samples]).reshape(len(samples), 21, 3)
    replace(table, joints=joints, joint_weight=np.repeat(gold, 21, 1), held=np.ones(len(samples), bool)).save(folder)
    _save_crops(samples, folder)


def _save_crops(samples: Sequence[Sample], folder: Path) -> None:
    crops = [(*one.mesh.crop_center, one.mesh.crop_size, one.mesh.crop_angle) for one in samples]
    ids = np.array([one.id for one in samples])
    write_npz(folder / CROPS, {"crops": np.array(crops, np.float64).reshape(len(samples), 4), "ids": ids})


def _crop(row: np.ndarray, side: str) -> Crop:
    cx, cy, size, angle = row
    return Crop(cx, cy, size, angle, flip=side == "left")


def read(folder: Path) -> tuple[KeypointTable, list[Crop], list[str]]:
    """What `save_train` or `save_held` wrote: table, crops, ids."""
    table = KeypointTable.load(folder)
    arrays = read_npz(folder / CROPS, ("crops", "ids"), "is damaged")
    crops = [_crop(row, side) for row, side in zip(arrays["crops"], table.side, strict=True)]
    return table, crops, arrays["ids"].tolist()
