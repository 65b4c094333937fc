"""HOT3D-Clips (Banerjee et al. 2024): hands and objects seen from the head, one .tar a clip.

    FRAME.image_STREAM.jpg   photos of Aria (214-1 in colour, 1201-1, 1201-2 grey) or Quest 3 (grey), fisheye
    FRAME.cameras.json       by stream: calibration (FISHEYE624, image_width, image_height), T_world_from_camera
    FRAME.hands.json         right, left: umetrack_pose (joint_angles, T_world_from_wrist), boxes_amodal and
                             visibilities_modeled by stream
    __hand_shapes.json__     umetrack: the person's own hand; mano: shape

The joints are UmeTrack's, posed by its own skeleton: 20 of our 21, for it has no base of the thumb. Photos stay fisheye
pictures: keypoints are where the camera's model puts them, and K is None. Test clips have no hands.json: they hold
nothing to read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.formats.captures.fisheye import fisheye_places
from annotator.formats.captures.umetrack import UmeTrackHand
from annotator.formats.conventions.remarks import remark
from annotator.formats.core.base import LabelledHand, box_of, field_array, labels_of
from annotator.formats.core.details import named
from annotator.formats.core.photo_files import image_size, unpacked
from annotator.formats.hamer.tar import samples

SHAPES = "__hand_shapes"
FEWEST = 4  # keypoints in the picture
LEAST = 0.1  # of the hand's surface to be seen, below which the set's own tools give no crop of it
MODEL = "CameraModelType.FISHEYE624"


def read(folder: str | Path, photos: str | Path | None = None) -> Iterator[LabelledHand]:
    """The hands of all clips in a folder (or of one .tar), frame by frame, stream by stream.

    photos: the folder that the photos are put in; None: a temporary one that goes when the iterator is closed.
    InputError naming clip and frame: a broken tar, a camera of another model, anything missing or not finite.
    """
    folder = Path(folder)
    files = [folder] if folder.is_file() else sorted(folder.glob("*.tar"))
    if not files:
        raise InputError(f"there are no .tar files in {folder}")
    with unpacked(photos, "hot3d-") as kept:
        for file in files:
            hand = _shape(file)
            for key, members in samples(file):
                if "hands.json" not in members:
                    if "cameras.json" in members:
                        remark("frame without hands.json, as test clips are, left out")
                    continue
                yield from _hands(file, key, members, hand, kept)


def _shape(file: Path) -> UmeTrackHand | None:
    for key, members in samples(file):
        if key == SHAPES:
            return named(file, key, _profile, members)
    return None


def _profile(members: Mapping[str, bytes]) -> UmeTrackHand:
    return UmeTrackHand(_json(members, "json__")["umetrack"])


def _tables(members: Mapping[str, bytes]) -> tuple[dict, dict]:
    return _json(members, "cameras.json"), _json(members, "hands.json")


def _json(members: Mapping[str, bytes], name: str) -> dict:
    try:
        found = json.loads(members[name])
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{name} is not a JSON object")
    return found


def _hands(
    file: Path, key: str, members: dict[str, bytes], hand: UmeTrackHand | None, kept: Path
) -> Iterator[LabelledHand]:
    tables = named(file, key, _tables, members)
    if tables is None:
        return
    cameras, hands = tables
    for stream, camera in cameras.items():
        for side in ("right", "left"):
            said = hands.get(side)
            if not said:
                continue
            where = f"{key}, {stream}, {side}"
            record = named(file, where, _record, file, key, str(stream), side, members, camera, said, hand, kept)
            if record is not None:
                yield record


def _record(file, key, stream, side, members, camera, said, hand, kept) -> LabelledHand | None:
    seen = (said.get("visibilities_modeled") or {}).get(stream, 1.0)
    if stream not in (said.get("boxes_amodal") or {}) or seen < LEAST or "umetrack_pose" not in said:
        return None
    if hand is None:
        raise InputError(f"the clip has no {SHAPES}.json__ to pose the hand by")
    calibration = camera["calibration"]
    if calibration["projection_model_type"] != MODEL:
        raise InputError(f"the camera is a {calibration['projection_model_type']}, expected {MODEL}")
    pose = said["umetrack_pose"]
    wrist = _transform(pose["T_world_from_wrist"] if "T_world_from_wrist" in pose else pose["wrist_xform"])
    view = _transform(camera["T_world_from_camera"])
    world = hand.joints(pose["joint_angles"], wrist, side)
    joints = (world - view[:3, 3]) @ view[:3, :3]
    width, height = int(calibration["image_width"]), int(calibration["image_height"])
    known = np.isfinite(joints).all(1) & (np.nan_to_num(joints[:, 2]) > 0)
    places = np.zeros((21, 2))
    if known.any():
        places[known] = fisheye_places(joints[known], calibration["projection_params"])
    inside = known & ((places >= -0.5) & (places <= (width - 0.5, height - 0.5))).all(1)
    if inside.sum() < FEWEST:
        return None
    photo = _photo(file, key, stream, members, kept, (height, width))
    labels = labels_of(places, inside)
    joints = np.where(known[:, None], joints, joints[known].mean(0))
    box = field_array("boxes_amodal", said["boxes_amodal"][stream], (4,))
    return LabelledHand(
        id=f"{file.stem}-{key}-{stream}-{side}", photo=photo, side=side, K=None, joints=joints,
        joint_weights=known.astype(float), box=box if (box[2:] > box[:2]).all() else box_of(places[inside]),
        provenance={"data_set": "HOT3D", "sequence": file.stem, "camera": stream, "frame": key}, **labels,
    )  # fmt: skip


def _photo(file: Path, key: str, stream: str, members: dict[str, bytes], kept: Path, size: tuple[int, int]) -> Path:
    photo = kept / (re.sub(r"[^\w.-]+", "-", f"{file.stem}-{key}-{stream}") + ".jpg")  # names are no paths of ours
    if not photo.exists():
        photo.write_bytes(members[f"image_{stream}.jpg".lower()])
    found = image_size(photo)
    if found != size:
        raise InputError(f"{photo.name} is {found[1]} x {found[0]} px, its camera {size[1]} x {size[0]}")
    return photo


def _transform(said: object) -> np.ndarray:
    """(4, 4) of a quaternion w, x, y, z and a translation, or of itself."""
    if not isinstance(said, dict):
        return field_array("wrist_xform", said, (4, 4))
    w, x, y, z = field_array("quaternion_wxyz", said["quaternion_wxyz"], (4,))
    size = w * w + x * x + y * y + z * z
    if not size > 0:
        raise InputError("quaternion_wxyz is zero")
    outer = np.outer((x, y, z), (x, y, z))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    found = np.eye(4)
    found[:3, :3] += 2 / size * (w * cross + outer - (x * x + y * y + z * z) * np.eye(3))
    found[:3, 3] = field_array("translation_xyz", said["translation_xyz"], (3,))
    return found
