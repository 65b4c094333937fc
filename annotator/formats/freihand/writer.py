"""FreiHAND's layout (Zimmermann et al. 2019; files as its public release has them), written and read.

    training/rgb/%08d.jpg   224 x 224 px, RIGHT hands: left ones are mirrored (image, K and coordinates)
    training_K.json         (3, 3) px          training_xyz.json    (21, 3) m, camera frame
    training_scale.json     m, keypoint 9-10   training_verts.json  (V, 3) m, camera frame

and beside these, in our exports:
    training_faces.json     (F, 3) of the hand model, one for all (FreiHAND leaves them to MANO's files)
    training_details.json   per hand: id, side in its photo, mirrored, hand model, keypoints px, visible, states,
                            weights, sigmas, box, parameters
    provenance.json         about the set and, in `hands`, about each hand: id, state, side in its photo,
                            mirrored, photo, photo_to_image (2, 3), digests, corrections

    training_mano.json      (1, 61), see `mano`: only where the hands are of the user's own MANO; without the
                            file the parameters are absent, FreiHAND has no other way to say so

Pixel centres are at .0, as everywhere here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from annotator import __version__
from annotator.errors import InputError
from annotator.files.serialization.json_lists import ListWriter
from annotator.formats.core.base import LabelledHand, box_of
from annotator.formats.core.details import mano_details
from annotator.formats.core.exporting import Export, export
from annotator.formats.core.photo_files import encoded
from annotator.formats.freihand.mano import mano_row
from annotator.formats.mano.mano_joints import joints_as
from annotator.vision.photos import read_photo

SIZE = 224  # px, of FreiHAND's own images
MARGIN = 1.3  # side of the crop over the longer side of the hand's box
MIRROR = np.diag([-1.0, 1.0, 1.0])
FORMAT = "hand-mesh-annotator/freihand"
PROVENANCE = "provenance.json"
LISTS = ("xyz", "verts", "K", "scale", "details")


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write the records as a FreiHAND training set; {"hands", "folder"}. The folder appears whole or not at
    all.

    InputError: the folder exists (and may not be overwritten), a record has no mesh, there are two hand
    models, or no records at all.
    """
    with (
        export(records, folder, "freihand", overwrite, licence, with_details=False, mark=False) as out,
        ExitStack() as files,
    ):
        images = out.folder / "training" / "rgb"
        images.mkdir(parents=True, exist_ok=True)
        head = {"format": FORMAT, "version": 1, "code_version": __version__, "faces": "training_faces.json"}
        lists = {name: files.enter_context(out.list(out.folder / f"training_{name}.json")) for name in LISTS}
        lists["provenance"] = files.enter_context(out.list(out.folder / PROVENANCE, head, "hands"))
        model = _HandModel(out)
        photo: tuple[Any, Any] = (None, None)
        for record in out.records:
            sample, crop = to_sample(record, f"training/rgb/{out.count:08d}.jpg")
            model.check(sample)
            if photo[0] != record.photo:
                photo = (record.photo, read_photo(record.photo))
            pixels = np.rint(crop.extract(photo[1]) * 255).astype(np.uint8)
            (out.folder / sample.photo).write_bytes(encoded(pixels, record.photo))
            _write_sample(lists, sample)
            out.add(sample)
        files.close()
        model.finish()
    return {"hands": out.count, "folder": str(folder)}


class _HandModel:
    """The one hand model of a set: FreiHAND has one topology, and MANO's parameters for every hand or none."""

    def __init__(self, out: Export):
        self._out, self._mano = out, out.folder / "training_mano.json"
        self._seen: list | None = out.marks.part("hand model", lambda: self._seen)
        self._list: ListWriter | None = None

    def check(self, sample: LabelledHand) -> None:
        """InputError if it is another one's; its MANO parameters go to training_mano.json where it has them."""
        row = mano_row(sample)
        assert sample.faces is not None
        seen = [hashlib.sha256(sample.faces.tobytes()).hexdigest(), row is not None]
        if self._seen is None:
            self._seen = seen
        if seen != self._seen:
            raise InputError(f"hand {sample.id} is of another hand model than those before: export them apart")
        if row is not None:
            if self._list is None:
                self._list = self._out.list(self._mano)
            self._list(row)

    def finish(self) -> None:
        if self._list is not None:
            self._list.__exit__(None, None, None)
        for faces in self._out.faces.values():  # none of MANO's: they stay with MANO's file
            with ListWriter(self._out.folder / "training_faces.json") as row:
                for face in faces:
                    row(face)


def to_sample(record: LabelledHand, image: str):
    """The record as FreiHAND wants it, in an upright 224 px crop and as a right hand, and that
    vision.crops.Crop.

    K is the photo's seen through the crop (and the mirror), so projecting with it gives the crop's pixels
    exactly.
    """
    from annotator.vision.crops import Crop  # torch: only for who exports

    if record.joints is None or record.vertices is None or record.faces is None:
        raise InputError(f"hand {record.id} has no mesh: FreiHAND's layout needs one")
    assert record.K is not None  # there is a mesh in its camera's frame
    left = record.side == "left"
    crop = Crop.from_box(record.box, margin=MARGIN, flip=left)
    mirror = MIRROR if left else np.eye(3)
    scale = SIZE / crop.size
    provenance = dict(record.provenance) | {"side": record.side, "mirrored": left}
    provenance |= {"photo_to_image": crop.matrix.tolist(), "photo_K": record.K.tolist()}
    joints = joints_as(record, "freihand")
    assert joints is not None  # checked above
    sample = LabelledHand(
        id=record.id,
        photo=Path(image),
        side="right",
        box=box_of(crop.to_crop(np.reshape(record.box, (2, 2)))),
        K=np.vstack([crop.matrix, (0, 0, 1)]) @ record.K @ mirror,
        keypoints=crop.to_crop(record.keypoints),
        visible=record.visible,
        states=record.states,
        weights=record.weights,
        joints=joints @ mirror,
        vertices=record.vertices @ mirror,
        faces=record.faces[:, ::-1] if left else record.faces,
        parameters=record.parameters,  # a left hand's are those of its mirror image already
        keypoint_sigma=None if record.keypoint_sigma is None else record.keypoint_sigma * scale,
        joint_weights=record.joint_weights,
        mano=record.mano.mirrored() if left and record.mano is not None else record.mano,
        hand_model=record.hand_model,
        state=record.state,
        provenance=provenance,
    )
    return sample, crop


def scale_of(joints: np.ndarray) -> float:
    """FreiHAND's scale: the length of the bone from keypoint 9 to 10 (middle finger, MCP to PIP), m."""
    return float(np.linalg.norm(joints[10] - joints[9]))


def _write_sample(writers: dict[str, ListWriter], sample: LabelledHand) -> None:
    assert sample.joints is not None  # see `to_sample`
    writers["xyz"](sample.joints)
    writers["verts"](sample.vertices)
    writers["K"](sample.K)
    writers["scale"](scale_of(sample.joints))
    parameters = sample.parameters
    names = ("pose", "shape", "translation", "offsets")
    writers["details"](
        {
            "id": sample.id,
            "side": sample.provenance["side"],
            "mirrored": sample.provenance["mirrored"],
            "hand_model": sample.hand_model,
            "keypoints": sample.keypoints,
            "visible": sample.visible,
            "states": sample.states,
            "weights": sample.weights,
            "keypoint_sigma": sample.keypoint_sigma,
            "box": sample.box,
            "joint_weights": sample.joint_weights,
            "mano": None if sample.mano is None else mano_details(sample.mano),
            "parameters": None if parameters is None else {name: getattr(parameters, name) for name in names},
        }
    )
    document = {
        "id": sample.id,
        "image": str(sample.photo),
        "state": sample.state,
        "hand_model": sample.hand_model,
    }
    writers["provenance"](document | {"provenance": dict(sample.provenance)})
