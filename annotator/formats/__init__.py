"""Data sets in and out: one module per format, all speaking `LabelledHand`.

A format's module has `write(records, folder, overwrite=False, licence="") -> dict`, `read(folder) ->
Iterator[LabelledHand]`, or both. Readers of archives also take `photos`, a folder to put their photos in.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from annotator.errors import InputError
from annotator.formats.base import LabelledHand

# name -> module; a new format is one line here
WRITERS = {
    "freihand": "annotator.formats.freihand",
    "ho3d": "annotator.formats.ho3d",
    "coco-wholebody": "annotator.formats.coco_wholebody",
    "hamer-npz": "annotator.formats.hamer_npz",
    "hamer-tar": "annotator.formats.hamer_tar",
    "parquet": "annotator.formats.parquet",
    "gltf": "annotator.formats.gltf",
    "obj": "annotator.formats.obj",
    "ply": "annotator.formats.ply",
}
READERS = {
    "freihand": "annotator.formats.freihand",
    "ho3d": "annotator.formats.ho3d_reader",
    "dexycb": "annotator.formats.dexycb",
    "interhand": "annotator.formats.interhand",
    "coco": "annotator.formats.coco",
    "coco-wholebody": "annotator.formats.coco_wholebody",
    "hint": "annotator.formats.hint",
    "hamer-npz": "annotator.formats.hamer_npz",
    "hamer-tar": "annotator.formats.hamer_tar",
    "parquet": "annotator.formats.parquet",
    "csv": "annotator.formats.keypoint_csv",
    "gltf": "annotator.formats.gltf",
    "obj": "annotator.formats.obj",
    "ply": "annotator.formats.ply",
}


def writer(name: str) -> ModuleType:
    """The module that writes a format; InputError listing the known ones if there is none."""
    return _module(name, WRITERS, "write")


def reader(name: str) -> ModuleType:
    """The module that reads a format; InputError listing the known ones if there is none."""
    return _module(name, READERS, "read")


def _module(name: str, table: dict[str, str], verb: str) -> ModuleType:
    if name not in table:
        raise InputError(f"cannot {verb} format {name!r}: expected one of {', '.join(sorted(table))}")
    return import_module(table[name])


__all__ = ["READERS", "WRITERS", "LabelledHand", "reader", "writer"]
