"""HO3D's layout (Hampali et al. 2020; v2 and v3), written; `reader` reads it.

    train/SEQ/rgb/%04d.jpg    the photo; HO3D has RIGHT hands only, so a left hand's photo is mirrored (see `exporting`)
    train/SEQ/meta/%04d.pkl   camMat (3,3) px; handJoints3D (21,3) m, OpenGL axes, MANO's order with the tips last;
                              handPose (48,), handBeta (10,), handTrans (3,): MANO's or None; objects' fields: None;
                              joints of a MANO hand are MANO's own, with HO3D's tips (`mano_joints`);
                              and in ours handVerts (V,3) m, OpenGL axes, handBoundingBox (4,) px, handWeights (21,),
                              handSide ("left": of the photo that was mirrored), mirrored
    train.txt                 SEQ/FID, one a line

OpenGL axes: x right, y up, z backward: y and z times -1 of ours. One photo of one hand a frame; SEQ counts thousands.
The pickles hold only names that every numpy has.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.resuming import Growing
from annotator.formats.core.base import LabelledHand, ManoLabel
from annotator.formats.core.exporting import Export, export, mirrored
from annotator.formats.core.photo_files import encoded, image_size, portable
from annotator.formats.hamer.fields import mano_of
from annotator.formats.hamer.tar import dumped
from annotator.formats.mano.mano_joints import joints_as, root_of, turned_place
from annotator.hand.joints import KEYPOINT_OF_MANO, TIPS
from annotator.vision.photos import read_photo

NAME = "ho3d"
OPENGL = np.array([1.0, -1.0, -1.0])
# HO3D's joint j is our keypoint TO_HO3D[j]; ours k is HO3D's FROM_HO3D[k].
TO_HO3D = (*KEYPOINT_OF_MANO, *TIPS)
FROM_HO3D = tuple(np.argsort(TO_HO3D).tolist())
FRAMES_A_SEQUENCE = 1000
OBJECT = ("objName", "objLabel", "objRot", "objTrans", "objCorners3D", "objCorners3DRest")


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records; {"hands", "folder"}. InputError: see `exporting.export`; a record without joints or camera."""
    with export(records, folder, NAME, overwrite, licence) as out:
        size = out.marks.part("frames", lambda: frames.mark())
        with closing(Growing(out.folder / "train.txt", size)) as frames:
            _write_frames(out, frames)
    return {"hands": out.count, "folder": str(folder)}


def _write_frames(out: Export, frames: Growing) -> None:
    for record in out.records:
        if record.joints is None or record.K is None:
            raise InputError(f"hand {record.id} has no joints or no camera: HO3D's layout needs both")
        place = f"hands{out.count // FRAMES_A_SEQUENCE:04d}", f"{out.count % FRAMES_A_SEQUENCE:04d}"
        sample = _write_frame(out.folder / "train" / place[0], place[1], record)
        frames.write("/".join(place) + "\n")
        out.add(sample)


def _write_frame(sequence: Path, frame: str, record: LabelledHand) -> LabelledHand:
    for name in ("rgb", "meta"):
        (sequence / name).mkdir(parents=True, exist_ok=True)
    photo = sequence / "rgb" / f"{frame}.jpg"
    if record.side == "left":
        pixels = read_photo(record.photo)
        photo.write_bytes(encoded(pixels[:, ::-1], record.photo))
        sample = mirrored(record, pixels.shape[1])
    else:
        photo.write_bytes(portable(record.photo, jpeg=True)[1])
        sample = mirrored(record, image_size(photo)[1])
    (sequence / "meta" / f"{frame}.pkl").write_bytes(dumped(meta_of(sample)))
    return sample


def meta_of(sample: LabelledHand) -> dict:
    """HO3D's fields of a right hand."""
    mano = mano_of(sample)
    turned = None
    if mano is not None:
        turned = mano.pose.copy()
        turned[:3] = opengl_rotation(turned[:3])
    return {
        "camMat": np.array(sample.K),
        "handJoints3D": (joints_as(sample, "ho3d") * OPENGL)[list(TO_HO3D)],
        "handPose": turned,
        "handBeta": None if mano is None else np.array(mano.shape),
        "handTrans": None if mano is None else _translation(mano, sample.hand_model),
        "handVerts": None if sample.vertices is None else sample.vertices * OPENGL,
        "handBoundingBox": sample.box.tolist(),
        "handWeights": np.array(sample.weights),
        "handSide": str(sample.provenance.get("side", sample.side)),
        "mirrored": bool(sample.provenance.get("mirrored", False)),
        **dict.fromkeys(OBJECT),
    }


def _translation(label: ManoLabel, hand_model: str) -> np.ndarray | None:
    """MANO's translation in OpenGL axes; None where it is not known, or MANO is not here to say where its wrist
    rests."""
    root = root_of(label.shape, "right", hand_model)
    return None if root is None or label.translation is None else turned_place(label.translation, root, OPENGL)


def opengl_rotation(vector: np.ndarray) -> np.ndarray:
    """A whole hand's rotation (3,) axis-angle from our camera axes to OpenGL's, or back: half a turn about x, first.

    MANO's own axes stay what they are, so the camera's half turn comes from the left only.
    """
    from annotator.hand.rotations import rotation_matrices, rotation_vectors

    return rotation_vectors(np.diag(OPENGL) @ rotation_matrices(np.asarray(vector, np.float64)))
