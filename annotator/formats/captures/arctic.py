"""ARCTIC (Fan et al. 2023): two hands and an object that opens, seen by eight cameras that stand still.

    splits/pX_SPLIT.npy             data_dict: SID/SEQUENCE -> cam_coord, 2d, params; imgnames: the photos
    processed_seqs/SID/SEQUENCE.npy cam_coord, 2d, params of one sequence; photos: those that are there
    meta/misc.json                  by subject: intris_mat (8,3,3), image_size (9,2) width, height, ioi_offset
    images/SID/SEQUENCE/VIEW/%05d.jpg   VIEW 0: egocentric; the number is the frame's and ioi_offset

cam_coord: joints.right and joints.left (frames, views, 21, 3) m, right_valid and left_valid (frames, views); 2d: the
same joints (frames, views, 21, 2) px; params: pose_r, shape_r, ... of MANO. Joints are MANO's 16, then tips, thumb to
little, as smplx gives them. The egocentric view's labels are of a picture without distortion, its photos are not: it is
left out. Pickles are not run (`files.serialization.safe_pickle`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reason
from annotator.files.paths import BROKEN, existing, inside, read_json
from annotator.files.serialization.npz_arrays import read_npy
from annotator.formats.captures.views import seen_hand
from annotator.formats.conventions.orders import places_of
from annotator.formats.conventions.places import Picture
from annotator.formats.conventions.remarks import remark
from annotator.formats.core.base import LabelledHand, ManoLabel, field_array
from annotator.formats.core.details import named
from annotator.vision.camera import check_camera

PHOTO = re.compile(r"(s\d+)/([\w-]+)/(\d+)/(\d+)\.jpg$")


def read(folder: str | Path, part: str = "") -> Iterator[LabelledHand]:
    """The hands of a set's folder (the one with `meta`), or of one .npy of it.

    part: such as "p1_val", of splits; "": all of processed_seqs, or where there is none the first of the splits.
    InputError naming file and photo: anything missing, of a wrong shape, or not finite.
    """
    folder = Path(folder)
    files = [folder] if folder.is_file() else _files(folder, part)
    top = next((one for one in files[0].parents if (one / "meta" / "misc.json").is_file()), None)
    if top is None:
        raise InputError(f"{folder} is not an ARCTIC set: there is no meta/misc.json above {files[0].name}")
    misc = read_json(top / "meta" / "misc.json", dict)
    for path in files:
        for name, sequence in _photos(path, top, misc):
            for side in ("right", "left"):
                record = named(path, f"{name}, {side}", _record, top, misc, name, side, sequence)
                if record is not None:
                    yield record


def _files(folder: Path, part: str) -> list[Path]:
    found = [] if part else sorted(folder.glob("processed_seqs/*/*.npy"))
    found = found or sorted(folder.glob(f"splits/{part or '*'}.npy"))[:1]
    if not found:
        raise InputError(
            f"{folder} is not an ARCTIC set: there is no splits/{part or 'p1_train'}.npy, no processed_seqs"
        )
    return found


def _photos(path: Path, top: Path, misc: Mapping) -> Iterator[tuple[str, Any]]:
    """(photo SID/SEQUENCE/VIEW/NUMBER.jpg, its sequence's arrays) of a file."""
    read = read_npy(path)
    content: Any = read.item() if read.shape == () else None
    if not isinstance(content, dict):
        raise InputError(f"{path} is not a file of ARCTIC's: it holds no names and values")
    if "data_dict" in content:
        sequences, names = content["data_dict"], [str(name) for name in content.get("imgnames", ())]
        if not isinstance(sequences, dict) or not names:
            raise InputError(f"{path} is not a split of ARCTIC's: there is no data_dict with imgnames")
    else:
        own = f"{path.parent.name}/{path.stem}"
        sequences = {own: content}
        names = sorted(p.relative_to(top / "images").as_posix() for p in (top / "images").glob(f"{own}/*/*.jpg"))
    for name in names:
        found = PHOTO.search(name.replace("\\", "/"))
        if found is None:
            raise InputError(f"{path}: {name!r} is no photo SID/SEQUENCE/VIEW/NUMBER.jpg")
        if found[3] == "0":
            remark("photo of the egocentric view left out: its labels are of a picture without distortion")
            continue
        if f"{found[1]}/{found[2]}" not in sequences:
            raise InputError(f"{path}: {name!r} is of no sequence in it")
        yield found[0], sequences[f"{found[1]}/{found[2]}"]


def _record(top: Path, misc: Mapping, name: str, side: str, sequence: Any) -> LabelledHand | None:
    subject, action, view, number = PHOTO.search(name).groups()  # type: ignore[union-attr]  # it was found by this
    frame, v = int(number) - int(misc[subject]["ioi_offset"]), int(view)
    if not 0 <= frame < len(sequence["cam_coord"][f"joints.{side}"]):
        return None  # photos go on before and after the labels
    if not sequence["cam_coord"][f"{side}_valid"][frame, v] or not sequence["cam_coord"]["is_valid"][frame, v]:
        return None
    order = places_of("mano")
    joints = field_array("joints", sequence["cam_coord"][f"joints.{side}"][frame, v], (21, 3))[order]
    K = check_camera(field_array("intris_mat", misc[subject]["intris_mat"][v - 1], (3, 3)))
    photo = existing(inside(top / "images", name))
    width, height = misc[subject]["image_size"][v]
    Picture.of(photo, height, width)
    return seen_hand(
        joints, np.ones(21, bool), K, id=f"{name.removesuffix('.jpg').replace('/', '-')}-{side}", photo=photo,
        side=side, hand_model="mano", mano=_mano(sequence, frame, v, side),
        provenance={"data_set": "ARCTIC", "subject": subject, "sequence": f"{subject}/{action}", "camera": view,
                    "frame": frame},
    )  # fmt: skip


def _mano(sequence: Any, frame: int, view: int, side: str) -> ManoLabel | None:
    """The parameters with the whole hand's rotation in the camera's frame; the translation stands in the world's."""
    try:
        pose, shape = (sequence["params"][f"{name}_{side[0]}"][frame] for name in ("pose", "shape"))
        turn = sequence["cam_coord"][f"rot_{side[0]}_cam"][frame, view]
    except BROKEN as error:
        raise InputError(f"MANO's parameters: {reason(error)}") from None
    # the fingers from MANO's mean, as its layer with flat_hand_mean=False takes them
    return ManoLabel(np.concatenate([np.ravel(turn), np.ravel(pose)]), shape, form="from mean")
