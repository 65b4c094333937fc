"""DexYCB's toolkit and manopth on an export of ours: a rig of eight cameras, hands of MANO and of the free hand."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from scipy import sparse
from scipy.spatial.transform import Rotation

from annotator.formats import writer
from annotator.formats.core.base import ManoLabel, box_of
from annotator.vision.camera import project
from published.mano_hands import K, ManoHands, mano_hands, noise
from published.stand_ins import imported

CAMERAS, FRAMES, HANDS, FREE = 8, 2, 4, 2


def check(code: Path, manopth: Path, records: list, folder: Path) -> str:
    """`DexYCBDataset` and `HPEEvaluator`'s labels, `SequenceLoader` with its `MANOGroupLayer`."""
    place = folder / "dexycb"
    with mano_hands(folder, 0) as mano:
        hands = _seen_by_eight(mano, records, folder)
        writer("dexycb").write(hands, place)
    lies = [Path(row["sent"]["photo"]) for row in json.loads((place / "details.json").read_text())]
    sys.path.insert(0, str(manopth))
    try:
        with patch.dict(os.environ, {"DEX_YCB_DIR": str(place)}), contextlib.redirect_stdout(io.StringIO()):
            pixels, apart = _labels(code, place, hands, lies, folder)
            cameras, skinned, joints = _sequences(code, mano, hands, lies, folder)
    finally:
        sys.path.remove(str(manopth))
    return (
        f"{len(hands)} hands of {HANDS + FREE} sequences, {CAMERAS} cameras, {FRAMES} frames (its lists of subjects "
        f"and cameras replaced, sequences repeated to its 100, an object stood in for): joints within {apart:.0e} mm, "
        f"projected places within {pixels:.0e} px, sides the same; the cameras put each other's joints together within "
        f"{cameras:.0e} m; its MANO layer gives the mesh of {HANDS * CAMERAS * FRAMES} hands of a MANO-like file "
        f"within {skinned:.0e} m and the joints within {joints:.0e} m (float32)"
    )


def _seen_by_eight(mano: ManoHands, records: list, folder: Path) -> list:
    """Four hands of MANO, right and left, each of its own shape, and two of the free hand in each camera's frame."""
    random, found = np.random.default_rng(0), []
    shapes = random.normal(size=(HANDS, 10))
    turns = Rotation.from_rotvec(random.normal(0, 0.3, (CAMERAS, 3)))
    for frame in range(FRAMES):
        poses, places = random.normal(0, 0.4, (HANDS, 48)), random.normal(0, 0.05, (HANDS, 3))
        for camera in range(CAMERAS):
            turn, shift = turns[camera].as_matrix(), np.array([0.01 * camera, 0, 0.8])
            photo = noise(folder / f"dexycb-{frame}-{camera}.png", random)
            rig = {"rig": "table", "instant": f"m{frame}", "camera": f"c{camera}", "R": turn.tolist(),
                   "t": shift.tolist()}  # fmt: skip
            for n in range(HANDS):
                side = ("right", "left")[n % 2]
                root, pose = mano.root(side, shapes[n]), poses[n].copy()
                pose[:3] = (turns[camera] * Rotation.from_rotvec(pose[:3])).as_rotvec()
                label = ManoLabel(pose, shapes[n], turn @ (root + places[n]) + shift - root)
                record = mano.record(f"{frame}-{camera}-{n}", side, label, photo, random)
                said = {f"c{other}": f"{n}-{frame}" for other in range(CAMERAS)}
                found.append(replace(record, provenance={"rig": rig | {"hands": said}}))
            for n, one in enumerate(records[:FREE]):
                middle = one.joints.mean(0)
                joints, vertices = ((points - middle) @ turn.T + shift for points in (one.joints, one.vertices))
                points = project(joints, K)
                said = {f"c{other}": f"free{n}-{frame}" for other in range(CAMERAS)}
                found.append(replace(
                    one, id=f"{frame}-{camera}-free{n}", photo=photo, K=K, joints=joints, vertices=vertices,
                    keypoints=points, box=box_of(points), parameters=None, provenance={"rig": rig | {"hands": said}},
                ))  # fmt: skip
    return found


def _labels(code: Path, place: Path, hands: list, lies: list[Path], folder: Path) -> tuple[float, float]:
    """px, mm: what its data set and its evaluation find of the labels."""
    module: Any = imported(code, "dex_ycb_toolkit.hpe_eval")
    dataset = sys.modules["dex_ycb_toolkit.dex_ycb"]
    serials = sorted({path.parts[2] for path in lies})
    sequences = sorted(path for path in (place / "hands").iterdir())
    repeated = [place / "hands" / f"z{n:03d}" for n in range(100 - len(sequences))]
    for n, link in enumerate(repeated):
        link.symlink_to(sequences[n % len(sequences)])
    own = {"_SUBJECTS": ["hands"] * 10, "_SERIALS": serials}
    with patch.multiple(dataset, **own):
        data = dataset.DexYCBDataset("s1", "val")
    evaluator = module.HPEEvaluator.__new__(module.HPEEvaluator)  # its constructor writes into its own folder
    evaluator._dataset, evaluator._anno_file = data, str(folder / "hpe.pkl")
    evaluator._generate_anno_file()
    joints = evaluator._load_anno_file()["joint_3d"]
    of = {path: record for path, record in zip(lies, hands, strict=True)}
    pixels = apart = 0.0
    seen = 0
    for number in range(len(data)):
        sample = data[number]
        record = of.get(Path(sample["color_file"]).relative_to(place))
        if record is None:  # of a repeated sequence
            continue
        seen += 1
        assert Path(sample["color_file"]).is_file() and sample["mano_side"] == record.side
        given = sample["intrinsics"]
        camera = np.array([[given["fx"], 0, given["ppx"]], [0, given["fy"], given["ppy"]], [0, 0, 1]])
        base = [0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19]
        if record.parameters is None:  # MANO's own joints are below
            apart = max(apart, float(np.abs(joints[number] - 1000 * record.joints).max()))
            pixels = max(pixels, float(np.abs(project(joints[number], camera) - record.keypoints)[base].max()))
    for link in repeated:
        link.unlink()
    assert seen == len(hands), (seen, len(hands))
    return pixels, apart


def _sequences(code: Path, mano: ManoHands, hands: list, lies: list[Path], folder: Path) -> tuple[float, float, float]:
    """m: the cameras' poses, its MANO layer's meshes and joints."""
    module: Any = imported(code, "dex_ycb_toolkit.sequence_loader")
    layer = sys.modules["manopth.manolayer"]
    layer.ready_arguments = lambda path: _arguments(mano.arrays["left" if "LEFT" in path else "right"])
    none: list = []
    module.YCBGroupLayer = lambda _ids: SimpleNamespace(
        to=lambda _device: SimpleNamespace(count=none, material=none, tex_coords=none, num_obj=0)
    )
    module.np = _WithObject()
    of = {path: record for path, record in zip(lies, hands, strict=True)}
    cameras = skinned = worst = 0.0
    for name in sorted({path.parts[1] for path in lies}):
        found = module.SequenceLoader(f"hands/{name}", device="cpu", preload=False, app="renderer")
        poses = [
            torch.tensor(np.concatenate([_pose(folder, name, serial, frame) for frame in range(FRAMES)]))
            for serial in found.serials
        ]
        for frame in range(FRAMES):
            found._frame = frame  # `step` opens depth images
            together = []
            for number, serial in enumerate(found.serials):
                record = of[Path("hands", name, serial, f"color_{frame:06d}.jpg")]
                label = found.mano_joint_3d[number][0]
                np.testing.assert_allclose(found.K[number].numpy(), record.K, rtol=1e-6)
                together.append(label @ found._R[number].numpy().T + found._t[number].numpy())
                if record.parameters is None:
                    assert not found.mano_vert[number][0].any()  # no pose, no mesh
                    continue
                skinned = max(skinned, float(np.abs(found.mano_vert[number][0] - record.vertices).max()))
                joints = found.mano_group_layer(poses[number])[1][frame].numpy()
                worst = max(worst, float(np.abs(joints - label).max()))
            cameras = max(cameras, float(np.ptp(together, axis=0).max()))
    return cameras, skinned, worst


def _pose(folder: Path, sequence: str, serial: str, frame: int) -> np.ndarray:
    """(1,51) of a label file."""
    with np.load(folder / "dexycb" / "hands" / sequence / serial / f"labels_{frame:06d}.npz") as label:
        return label["pose_m"]


class _WithObject:
    """numpy, whose labels have an object: its loader cannot do without."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def load(self, path: str) -> dict[str, np.ndarray]:
        with np.load(path) as label:
            return {name: label[name] for name in label.files} | {"pose_y": np.zeros((1, 3, 4), np.float32)}


def _arguments(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """What manopth takes from MANO's file by chumpy."""
    found: dict[str, Any] = {name: SimpleNamespace(r=arrays[name]) for name in
                             ("shapedirs", "posedirs", "v_template", "weights")}  # fmt: skip
    found |= {name: arrays[name] for name in ("hands_components", "hands_mean", "kintree_table", "f")}
    return found | {"betas": SimpleNamespace(r=np.zeros(10)), "J_regressor": sparse.csc_matrix(arrays["J_regressor"])}
