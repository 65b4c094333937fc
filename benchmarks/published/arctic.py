"""ARCTIC's own `ArcticDataset` beside our reader: joints, cameras and MANO's parameters."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, patch

import numpy as np
import torch
from PIL import Image
from scipy.spatial.transform import Rotation

from annotator.formats import reader
from annotator.formats.conventions.orders import places_of
from annotator.vision.camera import project
from published.stand_ins import forget, loaded

FRAMES, VIEWS, OFFSET, WIDTH, HEIGHT = 3, 9, 2, 640, 480
NAME = "box_use_01"


def check(code: Path, folder: Path) -> str:
    """Its data set on a split of random hands, cameras and parameters in its layout, against ours."""
    place = folder / "arctic"
    random = np.random.default_rng(0)
    _write(place / "data" / "arctic_data" / "data", random)
    for package in ("common", "src"):
        forget(package)
    pictures = {name: MagicMock() for name in ("cv2", "torchvision", "torchvision.transforms")}  # no picture is opened
    sys.path.insert(0, str(code))
    try:
        with patch.dict(sys.modules, pictures):
            module: Any = loaded(code / "src" / "datasets" / "arctic_dataset.py", "arctic_dataset")
    finally:
        sys.path.remove(str(code))
    module.data_utils.cv2.Rodrigues = _rodrigues
    tensors = {"kp_bottom": torch.tensor(random.normal(0, 100, (1, 16, 3))), "names": ["box"]}
    module.ObjectTensors = lambda: SimpleNamespace(obj_tensors=tensors)  # of objects, in files of their own
    given = SimpleNamespace(
        speedup=False, setup="p1", img_res=WIDTH, use_gt_k=True, focal_length=1000.0, window_size=1, flip_prob=0.0,
        noise_factor=0.0, rot_factor=0.0, scale_factor=0.0, ego_image_scale=0.3, img_norm_mean=[0.5] * 3,
        img_norm_std=[0.5] * 3,
    )  # fmt: skip
    with contextlib.chdir(place):
        data = module.ArcticDataset(given, "val")
        hands = list(reader("arctic").read(Path("data/arctic_data/data"), part="p1_val"))
        worst_mm = worst_px = 0.0
        order = places_of("mano")
        for record in hands:
            said = record.provenance
            number = f"{said['frame'] + OFFSET:05d}.jpg"
            name = f"./arctic_data/data/images/{said['sequence']}/{said['camera']}/{number}"
            _, targets, about = data.getitem(name, load_rgb=False)
            side = record.side[0]
            joints = targets[f"mano.j3d.full.{side}"].numpy().astype(np.float64)[order]
            K = about["intrinsics"].numpy().astype(np.float64)
            K[1, 2] -= (WIDTH - HEIGHT) / 2  # its picture is a square about the middle
            worst_mm = max(worst_mm, 1000 * float(np.abs(joints - record.joints).max()))
            worst_px = max(worst_px, float(np.abs(project(joints, K) - record.keypoints).max()))
            assert targets[f"{record.side}_valid"] == 1 and record.mano is not None
            for theirs, own in (("pose", record.mano.pose), ("beta", record.mano.shape)):
                np.testing.assert_allclose(targets[f"mano.{theirs}.{side}"].numpy(), own, atol=1e-6)  # its are float32
    valid = sum(float(data.getitem(name, load_rgb=False)[1][f"{side}_valid"]) for name in data.imgnames
                for side in ("right", "left"))  # fmt: skip
    assert len(hands) == valid > 0, (len(hands), valid)
    return f"{len(hands)} hands of random joints, cameras and parameters, those that it calls valid: joints within " \
           f"{worst_mm:.0e} mm (its are float32), keypoints within {worst_px:.0e} px, MANO's within 1e-06"  # fmt: skip


def _rodrigues(given: np.ndarray) -> tuple[np.ndarray, None]:
    """OpenCV's: rotation vector to matrix, or matrix to vector (3, 1)."""
    if np.shape(given) == (3, 3):
        return Rotation.from_matrix(given).as_rotvec()[:, None], None
    return Rotation.from_rotvec(np.ravel(given)).as_matrix(), None


def _write(top: Path, random: np.random.Generator) -> None:
    """Two subjects' sequences; a left hand of some frames is not valid."""
    misc, sequences, names = {}, {}, []
    for subject in ("s01", "s05"):
        K = np.tile(np.eye(3), (VIEWS - 1, 1, 1))
        K[:, 0, 0], K[:, 1, 1] = random.uniform(900, 1100, (2, VIEWS - 1))
        K[:, :2, 2] = (WIDTH / 2, HEIGHT / 2) + random.normal(0, 5, (VIEWS - 1, 2))
        misc[subject] = {"intris_mat": K.tolist(), "image_size": [[WIDTH, HEIGHT]] * VIEWS, "ioi_offset": OFFSET,
                         "world2cam": [np.eye(4).tolist()] * (VIEWS - 1)}  # fmt: skip
        left = np.ones((FRAMES, VIEWS))
        left[1] = 0
        camera = {f"joints.{side}": random.normal(0, 0.06, (FRAMES, VIEWS, 21, 3)) + (0, 0, 0.8)
                  for side in ("right", "left")}  # fmt: skip
        objects = {name: random.normal(0, 0.06, (FRAMES, VIEWS, count, 3)) for name, count in
                   (("bbox3d", 16), ("kp3d", 32))}  # fmt: skip
        turns = Rotation.random(2 * FRAMES * VIEWS, random_state=int(random.integers(1 << 30))).as_rotvec()
        right_turn, left_turn = turns.reshape(2, FRAMES, VIEWS, 3)
        sequences[f"{subject}/{NAME}"] = {
            "cam_coord": camera | objects | {
                "is_valid": np.ones((FRAMES, VIEWS)), "right_valid": np.ones((FRAMES, VIEWS)), "left_valid": left,
                "rot_r_cam": right_turn, "rot_l_cam": left_turn,
            },
            "2d": {name: value[..., :2] for name, value in (camera | objects).items()},
            "bbox": np.tile([WIDTH / 2, HEIGHT / 2, WIDTH / 200], (FRAMES, VIEWS, 1)),
            "params": {f"{name}_{side}": random.normal(0, 0.3, (FRAMES, count)) for name, count in
                       (("pose", 45), ("shape", 10)) for side in "rl"}
            | {"K_ego": np.tile(np.eye(3), (FRAMES, 1, 1)), "dist": np.zeros((FRAMES, 8)),
               "obj_arti": np.zeros(FRAMES)},
        }  # fmt: skip
        for view in range(1, VIEWS):
            for frame in range(FRAMES):
                photo = top / "images" / subject / NAME / str(view) / f"{frame + OFFSET:05d}.jpg"
                photo.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (WIDTH, HEIGHT)).save(photo)
                names.append(f"./arctic_data/data/images/{subject}/{NAME}/{view}/{photo.name}")
    for folder in ("splits", "meta"):
        (top / folder).mkdir(parents=True)
    np.save(top / "splits" / "p1_val.npy", np.array({"data_dict": sequences, "imgnames": names}, dtype=object))
    (top / "meta" / "misc.json").write_text(json.dumps(misc))
