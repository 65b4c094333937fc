"""Mesh files, one a hand, written with trimesh: `gltf`, `obj` and `ply`.

    images/%08d.jpg             the photos
    meshes/NAME.{glb,obj,ply}   vertices in metres, faces counter-clockwise from outside, left hands left
    meshes.json                 [mesh file, photo] of each record
    details.json, faces.json    keypoints, states, camera, parameters, provenance

OBJ and PLY keep our camera frame (x right, y down, z forward); glTF's own rule is y up, z toward the viewer, so there
y and z are times -1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import existing, inside, needed, read_json
from annotator.formats.core.base import LabelledHand
from annotator.formats.core.details import Sidecar, named, record_of
from annotator.formats.core.exporting import export
from annotator.formats.core.photo_files import PhotoFolder

FILES = "meshes.json"
TO_GLTF = np.array([1.0, -1.0, -1.0])


def write_meshes(
    records: Iterable[LabelledHand], folder: str | Path, name: str, suffix: str, overwrite: bool, licence: str
) -> dict:
    """Write a mesh file of every record; {"hands", "folder"}. InputError: a record without a mesh, no trimesh."""
    trimesh = needed("trimesh")
    axes = TO_GLTF if suffix == "glb" else np.ones(3)
    with (
        export(records, folder, name, overwrite, licence) as out,
        PhotoFolder(out.folder / "images", out.marks) as photos,
    ):
        (out.folder / "meshes").mkdir(exist_ok=True)
        with out.list(out.folder / FILES) as names:
            for record in out.records:
                if record.vertices is None or record.faces is None:
                    raise InputError(f"hand {record.id} has no mesh to write")
                # process=False: trimesh would merge and reorder vertices, whose numbers are the hand model's
                mesh = trimesh.Trimesh(record.vertices * axes, record.faces, process=False)
                file = f"{out.count:06d}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', record.id)[:80]}.{suffix}"
                (out.folder / "meshes" / file).write_bytes(_bytes(mesh, suffix))
                names([file, photos.add(record.photo)[1]])
                out.add(record)
    return {"hands": out.count, "folder": str(folder)}


def _bytes(mesh, suffix: str) -> bytes:
    options = {"obj": {"digits": 9, "include_normals": False}}.get(suffix, {})
    data = mesh.export(file_type=suffix, **options)
    return data.encode("utf-8") if isinstance(data, str) else data


def read_meshes(folder: str | Path, name: str, suffix: str) -> Iterator[LabelledHand]:
    """The records of such a folder of ours, meshes from their files. InputError naming a missing or broken one."""
    trimesh = needed("trimesh")
    folder = Path(folder)
    sidecar = Sidecar.of(folder, name)
    if sidecar is None:
        raise InputError(f"{folder} is not an export of format {name}")
    axes = TO_GLTF if suffix == "glb" else np.ones(3)
    names = read_json(folder / FILES, list)

    def record(details: dict, entry: list) -> LabelledHand:
        path = existing(inside(folder / "meshes", entry[0]))
        photo = existing(inside(folder / "images", entry[1]))
        try:
            mesh = trimesh.load_mesh(path, process=False, maintain_order=True)
        except Exception as error:  # trimesh's loaders raise many kinds
            raise InputError(f"{path} is not a readable mesh: {error}") from error
        if not len(getattr(mesh, "faces", ())):
            raise InputError(f"{path} holds no mesh")
        return record_of(details, photo, vertices=np.asarray(mesh.vertices) * axes, faces=mesh.faces)

    for index, details in enumerate(sidecar):
        if index >= len(names):
            raise InputError(f"{folder / FILES} ends at {index}, details.json goes on")
        yield named(folder, index, record, details, names[index])


@dataclass(frozen=True)
class MeshFormat:
    """One format of mesh files. name: the format's; suffix: of its files."""

    name: str
    suffix: str

    def write(
        self, records: Iterable[LabelledHand], folder: str | Path, overwrite: bool = False, licence: str = ""
    ) -> dict:
        """Write a mesh file of every record; see `write_meshes`."""
        return write_meshes(records, folder, self.name, self.suffix, overwrite, licence)

    def read(self, folder: str | Path) -> Iterator[LabelledHand]:
        """The records of such an export; see `read_meshes`."""
        return read_meshes(folder, self.name, self.suffix)


GLTF = MeshFormat("gltf", "glb")  # glTF 2.0, binary: float32, y up
OBJ = MeshFormat("obj", "obj")  # Wavefront: text, nine decimals, our camera frame
PLY = MeshFormat("ply", "ply")  # binary little-endian, float32, our camera frame
