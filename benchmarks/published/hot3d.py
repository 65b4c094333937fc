"""HOT3D's hand tracking toolkit beside our reader: its hand model and its camera."""

from __future__ import annotations

import importlib
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from annotator.formats import reader
from annotator.formats.captures.umetrack import LANDMARK_OF


def check(code: Path, folder: Path) -> str:
    """The toolkit's hand and camera against ours, on clips of random shapes, poses and cameras."""
    sys.path.insert(0, str(code))
    try:
        model = importlib.import_module("hand_tracking_toolkit.hand_models.umetrack_hand_model")
        camera = importlib.import_module("hand_tracking_toolkit.camera")
        maths = importlib.import_module("hand_tracking_toolkit.math_utils")
    finally:
        sys.path.remove(str(code))
    random = np.random.default_rng(0)
    worst_mm = worst_px = 0.0
    hands = 0
    for number in range(8):
        place = folder / f"hot3d{number}"
        place.mkdir()
        clip = _clip(place, random)
        profile = model.from_json(clip["shape"])
        for record in reader("hot3d").read(place, photos=place / "photos"):
            said = clip["hands"][record.provenance["frame"]][record.side]["umetrack_pose"]
            where = said["T_world_from_wrist"]
            pose = model.UmeTrackHandPose(
                torch.tensor(int(record.side == "right")), torch.tensor(said["joint_angles"]),
                torch.tensor(maths.quat_trans_to_matrix(*where["quaternion_wxyz"], *where["translation_xyz"])).float(),
            )  # fmt: skip
            landmarks, _, _ = model.forward_kinematics(pose, profile, requires_mesh=False)
            view = camera.from_json(clip["cameras"])
            world = landmarks.numpy().astype(np.float64)
            kept = np.array([k for k in range(21) if LANDMARK_OF[k] >= 0])
            theirs = view.world_to_eye(world)[[LANDMARK_OF[k] for k in kept]]
            worst_mm = max(worst_mm, 1000 * float(np.abs(theirs - record.joints[kept]).max()))
            px = view.eye_to_window(record.joints[kept])
            seen = record.weights[kept] > 0
            worst_px = max(worst_px, float(np.abs(px - record.keypoints[kept])[seen].max()))
            hands += 1
    return f"{hands} hands of random shape, pose and camera: joints within {worst_mm:.0e} mm (its are float32), " \
           f"keypoints within {worst_px:.0e} px"  # fmt: skip


def _clip(place: Path, random: np.random.Generator) -> dict:
    """One clip of three frames in HOT3D's layout, of random numbers."""

    def pose(spread: float, z: float) -> dict:
        turn = random.normal(size=4)
        at = (random.normal(0, spread, 3) + (0, 0, z)).tolist()
        return {"quaternion_wxyz": (turn / np.linalg.norm(turn)).tolist(), "translation_xyz": at}

    weights = random.random((20, 2))
    shape = {
        "joint_rotation_axes": random.normal(size=(22, 3)), "joint_rest_positions": random.normal(0, 40, (22, 3)),
        "joint_frame_index": np.zeros(22), "joint_parent": np.zeros(22), "joint_first_child": np.zeros(22),
        "joint_next_sibling": np.zeros(22), "landmark_rest_positions": random.normal(0, 40, (20, 3)),
        "landmark_rest_bone_weights": weights / weights.sum(1, keepdims=True),
        "landmark_rest_bone_indices": np.stack([random.choice(17, 2, replace=False) for _ in range(20)]),
    }  # fmt: skip
    axes = shape["joint_rotation_axes"]
    shape["joint_rotation_axes"] = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    shape = {name: value.tolist() for name, value in shape.items()}
    calibration = {
        "image_width": 1408, "image_height": 1408, "projection_model_type": "CameraModelType.FISHEYE624",
        "projection_params": [610.0, 704, 700, *random.normal(0, 0.02, 6), *random.normal(0, 0.001, 6)],
        "label": "camera-rgb", "serial_number": "1",
    }  # fmt: skip
    cameras = {"calibration": calibration, "T_world_from_camera": pose(0.0, -0.6) | {"quaternion_wxyz": [1, 0, 0, 0]}}
    image = io.BytesIO()
    Image.new("RGB", (1408, 1408)).save(image, "JPEG")
    hands: dict[str, dict] = {}
    with tarfile.open(place / "clip.tar", "w") as tar:

        def put(name: str, content: Any) -> None:
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))

        for frame in range(3):
            key = f"{frame:06d}"
            hands[key] = {
                side: {"umetrack_pose": {"joint_angles": random.normal(0, 0.5, 20).tolist(),
                                         "T_world_from_wrist": pose(0.1, 0.0)},
                       "boxes_amodal": {"214-1": [1, 2, 3, 4]}, "visibilities_modeled": {"214-1": 1.0}}
                for side in ("right", "left")
            }  # fmt: skip
            put(f"{key}.image_214-1.jpg", image.getvalue())
            put(f"{key}.cameras.json", {"214-1": cameras})
            put(f"{key}.hands.json", hands[key])
        put("__hand_shapes.json__", {"mano": [0.0] * 10, "umetrack": shape})
    return {"shape": shape, "cameras": cameras, "hands": hands}
