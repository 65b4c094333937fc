"""The table of formats. Help texts, README and docs/formats.md are made from it (`python docs/tables.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from annotator.errors import InputError
from annotator.registry import Registry

HERE = "annotator.formats."


@dataclass(frozen=True)
class Format:
    """One layout of a data set.

    definition: how those who made the labels mean the joints, a name of `hand.definitions`.

    name: as in `--format`. summary: one line. place: the module with `write(records, folder, overwrite=False,
    licence="") -> dict`, `read(folder) -> Iterator[LabelledHand]`, or both (readers of archives also take `photos`, a
    folder to put their photos in); an object in it behind a colon, or the object itself. writes, reads: which of the
    two it has. suffixes: of its label files. extra: the package it needs beside ours. The rest is for the docs: what of
    it is read, where photos are, how left hands and the lack of MANO's parameters look.
    """

    name: str
    summary: str
    place: Any
    writes: bool = False
    reads: bool = False
    suffixes: tuple[str, ...] = ()
    extra: str = ""
    reading: str = "yes"
    photos: str = ""
    left: str = ""
    without_mano: str = ""
    definition: str = "anatomical"

    def load(self) -> Any:
        """What has `write` and `read`; imported when it is first asked for."""
        if not isinstance(self.place, str):
            return self.place
        module, _, inside = self.place.partition(":")
        found = import_module(module)
        return getattr(found, inside) if inside else found


def _mesh(name: str, summary: str) -> Format:
    return Format(
        name, summary, f"{HERE}meshes:{name.upper()}", writes=True, reads=True,
        suffixes=(".glb",) if name == "gltf" else (f".{name}",), extra="trimesh", reading="ours", photos="by path",
        left="left", without_mano="none exist",
    )  # fmt: skip


_BUILT_IN = (
    Format(
        "freihand", "FreiHAND's json lists and 224 px crops", HERE + "freihand", writes=True, reads=True,
        suffixes=(".json",), reading="training, evaluation", photos="224 px crops", left="mirrored to right",
        without_mano="no `training_mano.json`: the format has no other way to say so", definition="mano",
    ),
    Format(
        "ho3d", "HO3D's folder of sequences", HERE + "ho3d", writes=True, reads=True, suffixes=(".pkl",),
        reading="v2 (PNG), v3 (JPEG)", photos="whole", left="mirrored to right",
        without_mano="`handPose`, `handBeta`, `handTrans` None", definition="mano",
    ),
    Format(
        "coco-wholebody", "COCO's json with whole-body hands", HERE + "coco.wholebody", writes=True, reads=True,
        suffixes=(".json",), photos="whole, copied once each", left="left, `lefthand_*`", without_mano="none exist",
    ),
    Format(
        "coco", "COCO's json with 21 keypoints a hand", HERE + "coco.keypoints", writes=True, reads=True,
        suffixes=(".json",), photos="whole, by `file_name`",
        left="by side, handedness, attributes, category or names, else guessed",
        without_mano="none exist",
    ),
    Format(
        "cvat", "CVAT's XML with a skeleton a hand", HERE + "tools.cvat", writes=True, reads=True, suffixes=(".xml",),
        reading="images 1.1, video 1.1", photos="whole, by `name`", left="by attribute or label, else guessed",
        without_mano="none exist",
    ),
    Format(
        "cvat-video", "CVAT's XML with a track a hand", HERE + "tools.cvat:Video", writes=True, reads=True,
        suffixes=(".xml",), reading="images 1.1, video 1.1", photos="whole, a video's by frame",
        left="by attribute or label, else guessed", without_mano="none exist",
    ),
    Format(
        "label-studio", "Label Studio's JSON tasks", HERE + "tools.label_studio", writes=True, reads=True,
        suffixes=(".json",), photos="whole, by `data.image`", left="by the rectangle's label, else guessed",
        without_mano="none exist",
    ),
    Format(
        "yolo-pose", "Ultralytics' YOLO-pose labels", HERE + "tools.yolo", writes=True, reads=True,
        suffixes=(".yaml", ".txt"), extra="pyyaml (in)", photos="whole, by the file's name",
        left="by class, else guessed", without_mano="none exist",
    ),
    Format(
        "deeplabcut", "DeepLabCut's labelled frames", HERE + "tools.deeplabcut", writes=True, reads=True,
        suffixes=(".csv",), extra="h5py (in, `.h5`)", reading="`.csv`, `.h5`", photos="whole, by path",
        left="by individual or body part, else guessed", without_mano="none exist",
    ),
    Format(
        "sleap", "SLEAP's labels", HERE + "tools.sleap", writes=True, reads=True, suffixes=(".slp",),
        extra="sleap-io", photos="whole, by path", left="by track or skeleton, else guessed",
        without_mano="none exist",
    ),
    Format(
        "hamer-npz", "HaMeR's npz arrays", HERE + "hamer.npz", writes=True, reads=True, suffixes=(".npz",),
        photos="whole, by `imgname`", left="left, `right` = 0 (loaders flip)",
        without_mano="zeros, `has_hand_pose` = `has_betas` = 0", definition="mano",
    ),
    Format(
        "hamer-tar", "HaMeR's and WiLoR's tar shards", HERE + "hamer.tar", writes=True, reads=True,
        suffixes=(".tar",), extra="webdataset (out)", reading="yes (WiLoR's too)", photos="whole, in the tar",
        left="left, `right` = 0 (loaders flip)", without_mano="zeros, `has_*` = 0", definition="mano",
    ),
    Format(
        "parquet", "Parquet files for Hugging Face datasets", HERE + "others.parquet", writes=True, reads=True,
        suffixes=(".parquet",), extra="pyarrow", reading="ours", photos="whole, in the row", left="left",
        without_mano="`mano` null",
    ),
    _mesh("gltf", "a binary glTF mesh for each hand"),
    _mesh("obj", "a Wavefront mesh for each hand"),
    _mesh("ply", "a PLY mesh for each hand"),
    Format(
        "dexycb", "DexYCB's folder of recordings", HERE + "dexycb", writes=True, reads=True,
        suffixes=(".npz", ".yml"), extra="pyyaml (in)", photos="640 x 480 px", left="left, by `mano_sides`",
        without_mano="`pose_m` zeros, `mano_calib` none", definition="mano",
    ),
    Format(
        "interhand", "InterHand2.6M's annotations", HERE + "interhand", writes=True, reads=True, suffixes=(".json",),
        photos="by layout", left="left, joints 21-41", without_mano="no `..._MANO_NeuralAnnot.json`",
    ),
    Format(
        "assemblyhands", "AssemblyHands' egocentric annotations", HERE + "captures.assemblyhands", reads=True,
        suffixes=(".json",), photos="by layout", left="joints 21-41",
    ),
    Format(
        "hanco", "HanCo's folder of sequences", HERE + "captures.hanco", reads=True, suffixes=(".json",),
        photos="by layout", left="none: all are mirrored", definition="mano",
    ),
    Format(
        "arctic", "ARCTIC's sequences and splits", HERE + "captures.arctic", reads=True, suffixes=(".npy",),
        photos="by layout", left="by field", definition="mano",
    ),
    Format(
        "hot3d", "HOT3D-Clips' tar files", HERE + "captures.hot3d", reads=True, suffixes=(".tar",),
        photos="in the tar, fisheye", left="by field",
    ),
    Format(
        "hint", "HInt's json beside each photo", HERE + "others.hint", reads=True, suffixes=(".json",),
        photos="`.jpg` beside", left="where it is said, else guessed",
    ),
    Format(
        "csv", "a table of keypoints, one hand a row", HERE + "others.keypoint_csv", reads=True, suffixes=(".csv",),
        photos="by column", left="by column, else guessed",
    ),
)  # fmt: skip
FORMATS = Registry[Format]("format", "annotator.formats", _BUILT_IN)
WRITERS = {entry.name: entry.place for entry in _BUILT_IN if entry.writes}
READERS = {entry.name: entry.place for entry in _BUILT_IN if entry.reads}


def writers() -> list[str]:
    """The names of all formats that are written."""
    return [entry.name for entry in FORMATS if entry.writes]


def readers() -> list[str]:
    """The names of all formats that are read."""
    return [entry.name for entry in FORMATS if entry.reads]


def writer(name: str) -> Any:
    """What writes a format; InputError listing the known ones if there is none."""
    if name not in FORMATS or not FORMATS[name].writes:
        raise InputError(f"cannot write format {name!r}: expected one of {', '.join(sorted(writers()))}")
    return FORMATS[name].load()


def reader(name: str) -> Any:
    """What reads a format; InputError listing the known ones if there is none."""
    if name not in FORMATS or not FORMATS[name].reads:
        raise InputError(f"cannot read format {name!r}: expected one of {', '.join(sorted(readers()))}")
    return FORMATS[name].load()


def definition_of_format(name: str) -> str:
    """The name of the joint definition that labels of a format are read by; of an unknown format the anatomical one."""
    return FORMATS[name].definition if name in FORMATS else "anatomical"
