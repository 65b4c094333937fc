"""Read the one skinned mesh of a binary glTF file (GLB): what the hand builder needs, nothing else.

Format: Khronos glTF 2.0 specification, sections 3.6 (accessors), 3.7.3 (skins) and 4 (GLB container).
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator.errors import InputError

_TYPES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_COMPONENTS = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


@dataclass(frozen=True)
class SkinnedMesh:
    """A welded, skinned mesh: vertices (V,3) m, faces (F,3), weights (V,J), rest frames (J,4,4), names."""

    vertices: np.ndarray
    faces: np.ndarray
    weights: np.ndarray
    frames: np.ndarray
    names: tuple[str, ...]


def _chunks(path: Path) -> tuple[dict, bytes]:
    data = path.read_bytes()
    if len(data) < 20 or data[:4] != b"glTF":
        raise InputError(f"{path}: not a binary glTF (GLB) file")
    start, found = 12, {}
    while start + 8 <= len(data):
        length, kind = struct.unpack_from("<II", data, start)
        found[kind] = data[start + 8 : start + 8 + length]
        start += 8 + length
    if 0x4E4F534A not in found or 0x004E4942 not in found:
        raise InputError(f"{path}: the GLB lacks its JSON or its binary chunk")
    return json.loads(found[0x4E4F534A]), found[0x004E4942]


def _accessor(document: dict, blob: bytes, number: int) -> np.ndarray:
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    if "byteStride" in view or "sparse" in accessor:
        raise InputError("interleaved or sparse glTF accessors are not supported")
    width = _TYPES[accessor["type"]]
    offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    kind = np.dtype(_COMPONENTS[accessor["componentType"]])
    values = np.frombuffer(blob, kind, accessor["count"] * width, offset)
    return values.reshape(-1, width) if width > 1 else values


def _weld(positions: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join vertices at one place (glTF splits them at seams): kept vertex numbers, faces among them."""
    _, first, inverse = np.unique(np.round(positions, 6), axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)  # keep the file's own vertex order
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    faces = rank[inverse.reshape(-1)][faces]
    sound = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return first[order], faces[sound]


def read_skinned_glb(path: str | Path) -> SkinnedMesh:
    """Read the first skin and the first mesh primitive of a GLB file, welded.

    Joint frames are the inverses of the inverse bind matrices, so they share the vertices' space whatever the
    nodes say. Raises InputError when the file is missing, is no GLB, or holds no skinned mesh.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    document, blob = _chunks(path)
    try:
        skin = document["skins"][0]
        primitive = document["meshes"][0]["primitives"][0]
        attributes = primitive["attributes"]
        positions = _accessor(document, blob, attributes["POSITION"]).astype(np.float64)
        bones = _accessor(document, blob, attributes["JOINTS_0"]).astype(np.int64)
        amounts = _accessor(document, blob, attributes["WEIGHTS_0"]).astype(np.float64)
        faces = _accessor(document, blob, primitive["indices"]).astype(np.int64).reshape(-1, 3)
        # glTF stores matrices column by column.
        inverse_bind = _accessor(document, blob, skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        names = tuple(document["nodes"][node]["name"] for node in skin["joints"])
    except (KeyError, IndexError) as error:
        raise InputError(f"{path}: no skinned mesh in it ({error})") from error
    weights = np.zeros((len(positions), len(names)))
    np.add.at(weights, (np.arange(len(positions))[:, None], bones), amounts)
    weights /= weights.sum(axis=1, keepdims=True)
    kept, faces = _weld(positions, faces)
    frames = np.linalg.inv(inverse_bind.astype(np.float64))
    return SkinnedMesh(positions[kept], faces, weights[kept], frames, names)
