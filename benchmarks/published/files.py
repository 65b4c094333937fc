"""Libraries of file formats on exports of ours: trimesh on meshes, webdataset on HaMeR's shards."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import trimesh
import webdataset
from PIL import Image

from annotator.formats import writer

MESHES = ("gltf", "obj", "ply")


def meshes(name: str, records: list, folder: Path) -> str:
    """trimesh on a folder of meshes: vertices and faces of each hand."""
    out = folder / f"trimesh-{name}"
    writer(name).write(records, out)
    files = sorted((out / "meshes").iterdir())
    assert len(files) == len(records), (len(files), len(records))
    axes = (1, -1, -1) if name == "gltf" else (1, 1, 1)  # glTF's camera looks along -z
    worst = 0.0
    for file, record in zip(files, records, strict=True):
        mesh = trimesh.load_mesh(file, process=False)
        assert mesh.volume > 0, f"{file}: the faces look inwards"
        worst = max(worst, float(np.abs(mesh.vertices - record.vertices * axes).max()))
    return f"{len(files)} hands: vertices within {worst:.0e} m, faces outwards"


def shards(records: list, folder: Path) -> str:
    """webdataset on HaMeR's tar files: pictures, sides and keypoints."""
    out = folder / "webdataset"
    writer("hamer-tar").write(records, out)
    hands, pictures = [], 0
    for shard in sorted(out.glob("*.tar")):
        for sample in webdataset.WebDataset(str(shard), shardshuffle=False):
            Image.open(io.BytesIO(sample["jpg"])).load()
            pictures += 1
            hands += pickle.loads(sample["data.pyd"])  # our own file, as a training script loads it
    assert [bool(hand["right"]) for hand in hands] == [record.side == "right" for record in records]
    worst = max(float(np.abs(hand["keypoints_2d"][:, :2] - record.keypoints).max())
                for hand, record in zip(hands, records, strict=True))  # fmt: skip
    return f"{len(hands)} hands in {pictures} pictures, sides of {len(hands)}, keypoints within {worst:.0e} px"
