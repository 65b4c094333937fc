"""InterHand2.6M's layout, written; `reader` describes its files.

    annotations/skeleton.txt     the 42 joints and their parents, as the set's own loader reads them
    annotations/train/InterHand2.6M_train_data.json, ..._camera.json, ..._joint_3d.json
    annotations/train/InterHand2.6M_train_MANO_NeuralAnnot.json    only where hands are of the user's own MANO
    images/train/%08d.jpg

A rig is a capture and an instant of it a frame, so that a hand of an instant is one hand in all its cameras; a photo
that is of no rig is a frame of a camera at the world's origin. Captures, frames and cameras are numbered, as the set's
own code wants numbers; what they are called stands beside (`capture_name`, `moment`, `camera_name` of an image).
The layout has pinhole cameras alone. A lens that bends is written as the pinhole nearest to it where the hand is, so
such a camera has an entry for each of its photos, all in one place. A frame has one hand of a side: a second one is a
frame of its own, of the same photos. Right and left hand of one photo are one annotation, `interacting`.
Joints are the record's; a joint is valid in an annotation where its keypoint has any weight as a label.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.serialization.json_lists import written_rows
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.exporting import export
from annotator.formats.core.photo_files import PhotoFolder
from annotator.formats.freihand.mano import pose_from_mean
from annotator.formats.hamer.fields import mano_of
from annotator.formats.interhand.frames import Frames
from annotator.formats.interhand.reader import FROM_INTERHAND, MM, NAME
from annotator.formats.mano.mano_joints import root_of
from annotator.hand.rotations import rotation_matrices, rotation_vectors

SPLIT = "train"
FINGERS = ("thumb", "index", "middle", "ring", "pinky")


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`; a record without joints or camera."""
    with (
        export(records, folder, NAME, overwrite, licence) as out,
        PhotoFolder(out.folder / "images" / SPLIT, out.marks) as photos,
    ):
        part = out.marks.own(out.folder / "hands.part")
        with out.list(part) as write_row:
            for record in out.records:
                number, file, size, _ = photos.add(record.photo)
                write_row(_row(record) | {"photo": number, "file": file, "size": size, "index": out.count})
                out.add(record)
        _finish(out.folder / "annotations", part)
    return {"hands": out.count, "folder": str(folder)}


def _row(record: LabelledHand) -> dict[str, Any]:
    """What is kept of a record until all are known: its joints (42 places of a side) in the world, mm, its camera."""
    if record.joints is None or record.K is None:
        raise InputError(f"hand {record.id} has no joints or no camera: InterHand2.6M's layout needs both")
    rig = record.provenance.get("rig") or {}
    turn, shift = np.array(rig.get("R", np.eye(3)), float), np.array(rig.get("t", np.zeros(3)), float)
    world, valid, labelled = np.zeros((21, 3)), np.zeros(21, int), np.zeros(21, int)
    order = list(FROM_INTERHAND)
    world[order] = (record.joints - shift) @ turn / MM
    valid[order] = 1 if record.joint_weights is None else record.joint_weights > 0
    labelled[order] = (record.weights > 0) & (valid[order] > 0)
    x0, y0, x1, y1 = record.box.tolist()
    return {
        "side": record.side, "K": record.K.tolist(), "R": turn.tolist(), "t": shift.tolist(),
        "rig": str(rig.get("rig", "")), "moment": str(rig.get("instant", "")), "camera": str(rig.get("camera", "")),
        "world": world.tolist(), "valid": valid.tolist(), "labelled": labelled.tolist(),
        "box": [x0, y0, x1, y1], "mano": _mano(record, turn, shift),
    }  # fmt: skip


def _mano(record: LabelledHand, turn: np.ndarray, shift: np.ndarray) -> dict | None:
    """MANO's parameters in the world's frame; None where the hand has none, or MANO is not here to say them."""
    pose, label = pose_from_mean(record), record.mano or mano_of(record)
    if pose is None or label is None or label.translation is None:
        return None
    root = root_of(label.shape, record.side, record.hand_model)
    if root is None:
        return None
    pose = np.array(pose)
    pose[:3] = rotation_vectors(turn.T @ rotation_matrices(pose[:3]))
    place = turn.T @ (root + label.translation - shift) - root
    return {"pose": pose.tolist(), "shape": label.shape.tolist(), "trans": place.tolist()}


def _finish(annotations: Path, part: Path) -> None:
    """The set's files, made of the rows."""
    frames = Frames()
    for row in written_rows(part):
        frames.add(row)
    folder = annotations / SPLIT
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in frames.files().items():
        (folder / f"InterHand2.6M_{SPLIT}_{name}.json").write_text(json.dumps(content), encoding="utf-8")
    (annotations / "skeleton.txt").write_text("\n".join(_skeleton()) + "\n", encoding="utf-8")


def _skeleton() -> Iterator[str]:
    """'name number parent' of each joint: fingers from tip to base, then the wrist."""
    yield "# joint_name joint_id joint_parent_id"
    for first, side in ((0, "r"), (21, "l")):
        for at, finger in enumerate(FINGERS):
            for step in range(4):
                number = first + 4 * at + step
                yield f"{side}_{finger}{4 - step} {number} {number + 1 if step < 3 else first + 20}"
        yield f"{side}_wrist {first + 20} -1"
