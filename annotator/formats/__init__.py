"""Data sets in and out: one folder a family, all speaking `LabelledHand`.

A format is a module or an object with `write(records, folder, overwrite=False, licence="") -> dict`, `read(folder) ->
Iterator[LabelledHand]`, or both. Readers of archives also take `photos`, a folder to put their photos in.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand

# name -> module, or the object in it behind the colon; a new format is one line here
WRITERS = {
    "freihand": "annotator.formats.freihand",
    "ho3d": "annotator.formats.ho3d",
    "coco-wholebody": "annotator.formats.coco.wholebody",
    "hamer-npz": "annotator.formats.hamer.npz",
    "hamer-tar": "annotator.formats.hamer.tar",
    "parquet": "annotator.formats.others.parquet",
    "gltf": "annotator.formats.meshes:GLTF",
    "obj": "annotator.formats.meshes:OBJ",
    "ply": "annotator.formats.meshes:PLY",
}
READERS = {
    "freihand": "annotator.formats.freihand",
    "ho3d": "annotator.formats.ho3d",
    "dexycb": "annotator.formats.others.dexycb",
    "interhand": "annotator.formats.others.interhand",
    "coco": "annotator.formats.coco.keypoints",
    "coco-wholebody": "annotator.formats.coco.wholebody",
    "hint": "annotator.formats.others.hint",
    "hamer-npz": "annotator.formats.hamer.npz",
    "hamer-tar": "annotator.formats.hamer.tar",
    "parquet": "annotator.formats.others.parquet",
    "csv": "annotator.formats.others.keypoint_csv",
    "gltf": "annotator.formats.meshes:GLTF",
    "obj": "annotator.formats.meshes:OBJ",
    "ply": "annotator.formats.meshes:PLY",
}


def writer(name: str) -> Any:
    """What writes a format; InputError listing the known ones if there is none."""
    return _module(name, WRITERS, "write")


def reader(name: str) -> Any:
    """What reads a format; InputError listing the known ones if there is none."""
    return _module(name, READERS, "read")


def _module(name: str, table: dict[str, str], verb: str) -> Any:
    if name not in table:
        raise InputError(f"cannot {verb} format {name!r}: expected one of {', '.join(sorted(table))}")
    module, _, inside = table[name].partition(":")
    found = import_module(module)
    return getattr(found, inside) if inside else found


__all__ = ["READERS", "WRITERS", "LabelledHand", "reader", "writer"]
