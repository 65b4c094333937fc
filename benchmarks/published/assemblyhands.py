"""AssemblyHands' toolkit beside our reader: its camera."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from annotator.formats import reader
from annotator.formats.interhand.reader import FROM_INTERHAND
from published.stand_ins import loaded


def check(code: Path, folder: Path) -> str:
    """Its toolkit's camera against ours, on random joints and poses of cameras."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "formats"))
    from small_captures import make_assemblyhands

    transforms: Any = loaded(code / "src" / "common" / "utils" / "transforms.py", "assemblyhands_transforms")
    random = np.random.default_rng(0)
    make_assemblyhands(folder / "assemblyhands", [""] * 8)
    place = folder / "assemblyhands" / "annotations" / "val"
    calib = json.loads((place / "assemblyhands_val_ego_calib_v1-1.json").read_text())
    joints = json.loads((place / "assemblyhands_val_joint_3d_v1-1.json").read_text())
    for frame, views in calib["calibration"]["s"]["extrinsics"].items():
        for name in views:
            turn = Rotation.random(random_state=random.integers(1 << 30)).as_matrix()
            middle = random.normal(0, 200, 3)
            views[name] = np.column_stack([turn, (0, 0, 500) - turn @ middle]).tolist()
            world = random.normal(0, 60, (42, 3)) + middle
            joints["annotations"]["s"][frame]["world_coord"] = world.tolist()
    (place / "assemblyhands_val_ego_calib_v1-1.json").write_text(json.dumps(calib))
    (place / "assemblyhands_val_joint_3d_v1-1.json").write_text(json.dumps(joints))
    worst = 0.0
    hands = list(reader("assemblyhands").read(folder / "assemblyhands"))
    for record in hands:
        frame, camera = f"{record.provenance['frame']:06d}", f"{record.provenance['camera']}_mono10bit"
        sequence = calib["calibration"]["s"]
        view = transforms.Camera(sequence["intrinsics"][camera], sequence["extrinsics"][frame][camera])
        moved, turn, focal, middle = view.get_params()
        world = np.array(joints["annotations"]["s"][frame]["world_coord"])
        seen = transforms.world2cam_assemblyhands(world, turn, moved)  # the name that its data set imports it by
        pixels = transforms.cam2pixel(seen, focal, middle)[:21][list(FROM_INTERHAND)]
        worst = max(worst, float(np.abs(pixels[:, :2] - record.keypoints).max()))
    return f"{len(hands)} hands of random joints and cameras: keypoints within {worst:.0e} px"
