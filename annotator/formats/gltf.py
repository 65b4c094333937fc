"""glTF 2.0, binary (.glb): float32, y up, see `meshes`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from annotator.formats.base import LabelledHand
from annotator.formats.meshes import read_meshes, write_meshes


def write(records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = "") -> dict:
    """Write a .glb file of every record; see `meshes.write_meshes`."""
    return write_meshes(records, folder, "gltf", "glb", overwrite, licence)


def read(folder: str | Path) -> Iterator[LabelledHand]:
    """The records of such an export; see `meshes.read_meshes`."""
    return read_meshes(folder, "gltf", "glb")
