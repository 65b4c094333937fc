"""DexYCB's layout, written; `reader` describes its files.

    hands/SEQUENCE/meta.yml, hands/SEQUENCE/SERIAL/color_%06d.jpg, labels_%06d.npz
    calibration/intrinsics/SERIAL_640x480.yml, mano_SHAPE/mano.yml
    calibration/extrinsics_RIG/extrinsics.yml    each camera's pose in the first one's frame, m

A sequence has one hand, as the set's have: one rig, side and shape, and a frame for each instant; photos of no rig are
frames of one camera. Where a camera has no photo of a frame there is no file. Photos are 640 x 480 px: others are
scaled into that, the rest is black, and intrinsics, keypoints and box go with them (`photo_to_image`). Joints of a MANO
hand are MANO's own with manopth's tips, as the set's are; pose_m is zeros, and the calibration mano_none,
where the parameters are not MANO's. There
are no objects, and no depth images; `seg` is 255 where the hand's mesh is seen.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.files.serialization.json_lists import written_rows
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.exporting import export
from annotator.formats.core.photo_files import encoded, image_size, portable
from annotator.formats.dexycb.reader import NAME, SIZE
from annotator.formats.dexycb.sequences import SUBJECT, Place, Sequences
from annotator.formats.freihand.mano import pose_from_mean
from annotator.formats.hamer.fields import mano_of
from annotator.formats.mano.mano_file import pose_space
from annotator.formats.mano.mano_joints import joints_as
from annotator.vision.camera import project
from annotator.vision.drawing.raster import rasterise
from annotator.vision.photos import read_photo

HAND = 255  # of `seg`


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`; a record without joints or camera."""
    with export(records, folder, NAME, overwrite, licence) as out:
        part, sequences = out.marks.own(out.folder / "hands.part"), Sequences()
        with out.list(part) as write_row:
            for row in written_rows(part):  # of an export that was interrupted
                sequences.add(row)
            for record in out.records:
                sample, photo = fitted(record)
                row = _row(sample, out.count)
                place = sequences.add(row)
                _write_frame(out.folder, place, sample, photo, row["betas"] is not None)
                write_row(row)
                out.add(sample, {"photo": f"{SUBJECT}/{place.sequence}/{place.serial}/color_{place.frame:06d}.jpg"})
        sequences.finish(out.folder)
    return {"hands": out.count, "folder": str(folder)}


def fitted(record: LabelledHand) -> tuple[LabelledHand, bytes]:
    """The record as it is in a photo of 640 x 480 px, and that photo's JPEG bytes."""
    if record.joints is None or record.K is None:
        raise InputError(f"hand {record.id} has no joints or no camera: DexYCB's layout needs both")
    height, width = image_size(record.photo)
    if (width, height) == SIZE:
        return record, portable(record.photo, jpeg=True)[1]
    scale = min(SIZE[0] / width, SIZE[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    corner = (SIZE[0] - size[0]) // 2, (SIZE[1] - size[1]) // 2
    pixels = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    small = Image.fromarray(read_photo(record.photo)).resize(size, Image.Resampling.LANCZOS)
    pixels[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]] = np.asarray(small)
    factor = np.array([size[0] / width, size[1] / height])
    shift = (factor - 1) / 2 + corner  # pixel centres are at .0
    move = np.array([[factor[0], 0, shift[0]], [0, factor[1], shift[1]], [0, 0, 1]])
    provenance = dict(record.provenance) | {"photo_to_image": move[:2].tolist(), "photo_K": record.K.tolist()}
    sample = replace(
        record, K=move @ record.K, keypoints=record.keypoints * factor + shift,
        box=(record.box.reshape(2, 2) * factor + shift).ravel(), provenance=provenance,
        keypoint_sigma=None if record.keypoint_sigma is None else record.keypoint_sigma * factor.mean(),
    )  # fmt: skip
    return sample, encoded(pixels, record.photo)


def _row(sample: LabelledHand, number: int) -> dict[str, Any]:
    """What says where a hand lies."""
    rig = sample.provenance.get("rig") or {}
    hands = rig.get("hands") or {}
    mano = None if _pose(sample) is None else sample.mano or mano_of(sample)
    assert sample.K is not None  # see `fitted`
    return {
        "rig": str(rig.get("rig", "")), "camera": str(rig.get("camera", "")), "side": sample.side,
        "moment": str(rig.get("instant", "")) if rig else str(sample.photo),
        "mesh": json.dumps(sorted(map(list, hands.items()))) if hands else f"#{number}",
        "betas": None if mano is None else mano.shape.tolist(), "K": sample.K.tolist(),
        "R": rig.get("R", np.eye(3).tolist()), "t": rig.get("t", [0.0, 0.0, 0.0]),
    }  # fmt: skip


def _write_frame(folder: Path, place: Place, sample: LabelledHand, photo: bytes, mano: bool) -> None:
    at = folder / SUBJECT / place.sequence / place.serial
    at.mkdir(parents=True, exist_ok=True)
    (at / f"color_{place.frame:06d}.jpg").write_bytes(photo)
    joints = joints_as(sample, "manopth")
    assert joints is not None and sample.K is not None  # see `fitted`
    points = np.where(sample.weights[:, None] > 0, sample.keypoints, project(joints, sample.K))
    pose = _pose(sample) if mano else None
    fields: dict[str, Any] = {
        "seg": _seen(sample), "pose_y": np.zeros((0, 3, 4), np.float32),
        "pose_m": np.zeros((1, 51), np.float32) if pose is None else pose.astype(np.float32)[None],
        "joint_3d": joints.astype(np.float32)[None], "joint_2d": points.astype(np.float32)[None],
    }  # fmt: skip
    data = io.BytesIO()
    np.savez_compressed(data, **fields)
    (at / f"labels_{place.frame:06d}.npz").write_bytes(data.getvalue())


def _seen(sample: LabelledHand) -> np.ndarray:
    """(480, 640) uint8: where the hand's mesh is, whatever may be in front of it."""
    seen = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    if sample.vertices is not None and sample.faces is not None:
        assert sample.K is not None  # see `fitted`
        depth = np.asarray(sample.vertices[:, 2])
        drawn = rasterise(project(sample.vertices, sample.K), depth, sample.faces, *seen.shape)
        seen[drawn.rows, drawn.columns] = HAND
    return seen


def _pose(sample: LabelledHand) -> np.ndarray | None:
    """(51,): the whole hand's rotation, components of MANO's pose space, translation m; None where the hand has no such
    parameters, or MANO is not here to say them."""
    label = sample.mano or mano_of(sample)
    if label is None or label.translation is None:
        return None
    if label.form == "components":
        return np.concatenate([label.pose, label.translation])
    pose = pose_from_mean(sample)
    if pose is None:
        return None
    try:
        _, components = pose_space(sample.side)
    except InputError:
        return None
    return np.concatenate([pose[:3], np.linalg.solve(components.T, pose[3:]), label.translation])
