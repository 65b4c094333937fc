"""Reading HO3D's layout, v2 (PNG photos) and v3 (JPEG): see `writer` for the fields. Its pickles are never run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import inside
from annotator.files.serialization import safe_pickle
from annotator.files.serialization.json_lists import iterate
from annotator.formats.core.base import LabelledHand, ManoLabel, box_of, labels_of
from annotator.formats.core.details import Sidecar, beside, named, record_of
from annotator.formats.core.photo_files import image_size
from annotator.formats.ho3d.writer import FROM_HO3D, NAME, OPENGL, opengl_rotation
from annotator.formats.mano.mano_joints import root_of, turned_place
from annotator.hand.joint_states import OUT_OF_FRAME
from annotator.vision.camera import check_camera, project

SPLITS = ("train", "evaluation")
RATE = 30.0  # frames a second of its cameras
_END = object()


def read(folder: str | Path, split: str = "") -> Iterator[LabelledHand]:
    """The labelled frames of SPLIT.txt, in its order. split: "train" or "evaluation"; "": train if it is there.

    Frames without a hand (handJoints3D None) are left out. The evaluation set's own frames have the wrist alone: their
    joints and vertices are those of `evaluation_xyz.json` and `evaluation_verts.json` beside, same axes and order, as
    its authors published them; without these files its frames are left out too. Right hands, ours in axes, order and
    metres;
    labels count as confirmed, and those outside the photo as out of frame. InputError naming file and frame.
    """
    folder = Path(folder)
    split = split or next((s for s in SPLITS if (folder / f"{s}.txt").is_file()), "")
    if split not in SPLITS or not (folder / f"{split}.txt").is_file():
        raise InputError(f"{folder} is not an HO3D set: there is no {split or 'train'}.txt")
    lists = folder / f"{split}.txt"
    sidecar = Sidecar.of(folder, NAME)
    truth = {key: folder / f"{split}_{name}.json" for key, name in (("handJoints3D", "xyz"), ("handVerts", "verts"))}
    published = {key: iterate(path) for key, path in truth.items() if path.is_file()}
    with lists.open(encoding="utf-8", errors="replace") as lines:  # a name that is no text is no frame's either
        names = (line.strip() for line in lines)
        for index, name, details in beside((n for n in names if n), sidecar, lists):
            more = {key: next(rows, _END) for key, rows in published.items()}
            for key, value in more.items():
                if value is _END:
                    raise InputError(f"{truth[key]} ends at {index}, {lists.name} goes on")
            record = named(lists, f"{index} ({name})", _record, folder / split, name, details, more)
            if record is not None:
                yield record


def _record(folder: Path, name: str, details: dict | None, more: dict) -> LabelledHand | None:
    if not re.fullmatch(r"[\w-]{1,100}/[\w-]{1,100}", name):
        raise InputError(f"{name!r} is not SEQUENCE/FRAME")
    sequence, frame = name.split("/")
    place = folder / sequence
    photo = next((p for s in ("jpg", "png") if (p := place / "rgb" / f"{frame}.{s}").is_file()), None)
    if photo is None:
        raise InputError(f"there is no {place / 'rgb' / frame}.jpg (nor .png)")
    inside(folder, photo.relative_to(folder).as_posix())
    path = place / "meta" / f"{frame}.pkl"
    meta = safe_pickle.load_file(path)
    if not isinstance(meta, dict):
        raise InputError(f"{path} is not a dict")
    meta |= more
    if details is not None:
        vertices = meta.get("handVerts")
        own = {} if vertices is None else {"vertices": _array(path, "handVerts", vertices, (None, 3)) * OPENGL}
        return record_of(details, photo, **own, **_faces(folder.parent, details, own))
    if meta.get("handJoints3D") is None or np.ndim(meta["handJoints3D"]) < 2:
        return None
    joints = (_array(path, "handJoints3D", meta["handJoints3D"], (21, 3)) * OPENGL)[list(FROM_HO3D)]
    K = check_camera(meta["camMat"])
    if (joints[:, 2] <= 0).any():
        raise InputError(f"{path}: handJoints3D has joints behind the camera: are these OpenGL axes?")
    keypoints = project(joints, K)
    height, width = image_size(photo)
    if not (0.25 * width < K[0, 2] < 0.75 * width and 0.25 * height < K[1, 2] < 0.75 * height):
        raise InputError(
            f"{path}: camMat has its centre at ({K[0, 2]:.0f}, {K[1, 2]:.0f}) px, far from the middle of {photo.name} "
            f"with {width} x {height} px: is it of another size?"
        )
    shown = np.all((keypoints > -0.5) & (keypoints < (width - 0.5, height - 0.5)), axis=1)
    labels = labels_of(keypoints, np.ones(21, bool))
    labels["states"] = tuple(s if i else OUT_OF_FRAME for s, i in zip(labels["states"], shown, strict=True))
    labels |= {"visible": shown, "weights": shown.astype(float)}
    box = meta.get("handBoundingBox")
    box = box_of(keypoints) if box is None else _array(path, "handBoundingBox", box, (4,))
    vertices = meta.get("handVerts")
    return LabelledHand(
        id=name, photo=photo, side="right", box=box, K=K, joints=joints, mano=_mano(path, meta),
        vertices=None if vertices is None else _array(path, "handVerts", vertices, (None, 3)) * OPENGL,
        hand_model="mano", **labels,
        provenance={"data_set": "HO3D", "sequence": sequence, "frame": frame, "track": sequence, "rate": RATE},
    )  # fmt: skip


def _mano(path: Path, meta: dict) -> ManoLabel | None:
    if meta.get("handPose") is None or meta.get("handBeta") is None:
        return None
    pose = _array(path, "handPose", meta["handPose"], (48,)).copy()
    pose[:3] = opengl_rotation(pose[:3])
    shape, moved = _array(path, "handBeta", meta["handBeta"], (10,)), meta.get("handTrans")
    moved = None if moved is None else _array(path, "handTrans", moved, (3,))
    root = root_of(shape)  # without MANO's file only the wrist says where the hand is
    return ManoLabel(pose, shape, None if root is None or moved is None else turned_place(moved, root, OPENGL))


def _faces(root: Path, details: dict, own: dict) -> dict:
    if not own:
        return {}
    return {"faces": Sidecar(root).faces_of(details["hand_model"], details["side"])}


def _array(path: Path, name: str, value, shape: tuple[int | None, ...]) -> np.ndarray:
    array = np.asarray(value, np.float64)
    if array.ndim != len(shape) or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        raise InputError(f"{path}: {name} has shape {array.shape}, expected {shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{path}: {name} holds values that are not finite")
    return array
