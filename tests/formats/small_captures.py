"""Tiny sets of captured hands in their own layouts, one record for each of `kinds` (see small_sets.py)."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
from PIL import Image

JOINTS = np.array([[k / 100, k / 200, 1.0] for k in range(21)])
NAN = float("nan")


def photo(path, size=(640, 480)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def joints(kind):
    if kind == "shape":
        return JOINTS[:20]
    return np.where(JOINTS == 1.0, NAN, JOINTS) if kind == "nan" else JOINTS


def K(kind):
    return [[0 if kind == "singular" else 600, 0, 320], [0, 500, 240], [0, 0, 1]]


def make_assemblyhands(folder, kinds):
    place = folder / "annotations" / "val"
    place.mkdir(parents=True)
    images, annotations, labels = [], [], {}
    intrinsics, extrinsics = {}, {}
    for n, kind in enumerate(kinds):
        photo(folder / "images" / "ego" / f"{n}.jpg")
        if kind == "missing":
            (folder / "images" / "ego" / f"{n}.jpg").unlink()
        camera, frame = f"HMC_{n}", f"{n:06d}"
        images.append({"id": n, "file_name": f"ego/{n}.jpg", "width": 640, "height": 480, "seq_name": "s",
                       "camera": camera, "frame_idx": n})  # fmt: skip
        annotations.append({"id": n, "image_id": n, "joint_valid": [1] * 42,
                            "bbox": {"right": [1, 2, 30, 40], "left": None}})  # fmt: skip
        intrinsics[f"{camera}_mono10bit"] = K(kind)
        # the world's origin 100 mm to the left of the camera
        extrinsics[frame] = {f"{camera}_mono10bit": [[1, 0, 0, -100], [0, 1, 0, 0], [0, 0, 1, 0]]}
        one = joints(kind) * 1000 + ((100, 0, 0) if kind == "" else 0)
        labels[frame] = {"world_coord": np.concatenate([one, one]).tolist(), "joint_valid": [1] * 42}
    for name, content in {
        "ego_data": {"images": images, "annotations": annotations},
        "ego_calib": {"calibration": {"s": {"intrinsics": intrinsics, "extrinsics": extrinsics}}},
        "joint_3d": {"annotations": {"s": labels}},
    }.items():
        (place / f"assemblyhands_val_{name}_v1-1.json").write_text(json.dumps(content))
    return "assemblyhands_val_ego_data_v1-1.json, index 1"


def make_hanco(folder, kinds):
    for n, kind in enumerate(kinds):
        photo(folder / "rgb" / "0007" / "cam0" / f"{n:08d}.jpg", (224, 224))
        if kind == "missing":
            (folder / "rgb" / "0007" / "cam0" / f"{n:08d}.jpg").unlink()
        for name, content in {
            "calib/0007": {"K": [K(kind)], "M": [np.eye(4).tolist()]},
            "xyz/0007": joints(kind).tolist(),
            "shape/0007/cam0": [np.arange(61.0).tolist()],
        }.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / f"{n:08d}.json").write_text(json.dumps(content))
    (folder / "meta.json").write_text(
        json.dumps({"is_valid": [[]] * 7 + [[True] * 3], "subject_id": [[]] * 7 + [[4] * 3]})
    )
    return "00000001.json, index cam0"


def make_arctic(folder, kinds):
    """One sequence a record, photo 3 of view 1 is frame 1; joints in MANO's order."""
    order = [0, 5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3, 4, 8, 12, 16, 20]
    misc = {}
    for n, kind in enumerate(kinds):
        sid = f"s0{n + 1}"
        misc[sid] = {"intris_mat": [K(kind)] * 8, "image_size": [[640, 480]] * 9, "ioi_offset": 2}
        photo(folder / "images" / sid / "box_use_01" / "1" / "00003.jpg")
        if kind == "missing":
            # the photos that are there are read: one of another size is not that photo
            photo(folder / "images" / sid / "box_use_01" / "1" / "00003.jpg", (64, 48))
        own = np.zeros((3, 10, 21, 3))
        one = joints("" if kind == "shape" else kind)[order]
        own[:] = one
        own = own[:, :, :20] if kind == "shape" else own
        valid = np.ones((3, 10))
        sequence = {
            "cam_coord": {"joints.right": own, "joints.left": own, "is_valid": valid, "right_valid": valid,
                          "left_valid": 0 * valid, "rot_r_cam": np.full((3, 10, 3), 0.1),
                          "rot_l_cam": np.full((3, 10, 3), 0.1)},
            "params": {f"{name}_{side}": np.full((3, count), 0.2) for name, count in (("pose", 45), ("shape", 10))
                       for side in "rl"},
        }  # fmt: skip
        path = folder / "processed_seqs" / sid / "box_use_01.npy"
        path.parent.mkdir(parents=True)
        np.save(path, sequence)
    (folder / "meta").mkdir()
    (folder / "meta" / "misc.json").write_text(json.dumps(misc))
    return "box_use_01.npy, index s02/box_use_01/1/00003.jpg, right"


def umetrack():
    """A profile in UmeTrack's fields: each finger straight along y, joints 30 mm apart, landmarks on the joints."""
    rest = np.array([[20.0 * f, 30 * (j + 1), 0] for f in range(5) for j in range(4)])
    tips = rest[3::4] + (0, 25, 0)
    landmarks = np.concatenate(
        [tips, [[0, 0, 0]], rest[[1, 2]], *[rest[[4 * f + 1, 4 * f + 2, 4 * f + 3]] for f in range(1, 5)]]
    )
    frames = [4 + 3 * f for f in range(5)] + [1, 2, 3] + [2 + 3 * f + j for f in range(1, 5) for j in range(3)]
    return {
        "joint_rotation_axes": np.tile([1.0, 0, 0], (20, 1)).tolist(), "joint_rest_positions": rest.tolist(),
        "landmark_rest_positions": landmarks.tolist(),
        "landmark_rest_bone_indices": [[f, 0] for f in frames],
        "landmark_rest_bone_weights": [[1.0, 0.0]] * 20,
    }  # fmt: skip


def pose(x=0.0, y=0.0, z=0.0):
    return {"quaternion_wxyz": [1, 0, 0, 0], "translation_xyz": [x, y, z]}


def make_hot3d(folder, kinds):
    image = io.BytesIO()
    Image.new("L", (640, 480)).save(image, "JPEG")
    params = [300.0, 320, 240, *[0.01] * 6, *[0.001] * 2, *[0.0001] * 4]
    with tarfile.open(folder / "clip-001.tar", "w") as tar:

        def put(name, content):
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            about = tarfile.TarInfo(name)
            about.size = len(data)
            tar.addfile(about, io.BytesIO(data))

        for n, kind in enumerate(kinds):
            key = f"{n:06d}"
            angles = [0.1] * 19 if kind == "shape" else [NAN] * 20 if kind == "nan" else [0.1] * 20
            hand = {"umetrack_pose": {"joint_angles": angles, "T_world_from_wrist": pose(z=0.5)},
                    "boxes_amodal": {"214-1": [10, 20, 300, 400]}, "visibilities_modeled": {"214-1": 0.9}}  # fmt: skip
            calibration = {"image_width": 640, "image_height": 480, "projection_params": params,
                           "projection_model_type": "CameraModelType.FISHEYE624"}  # fmt: skip
            calibration["projection_params"] = params[:9] if kind == "singular" else params
            if kind != "missing":
                put(f"{key}.image_214-1.jpg", image.getvalue())
            put(f"{key}.cameras.json", {"214-1": {"calibration": calibration, "T_world_from_camera": pose(x=0.02)}})
            put(f"{key}.hands.json", {"right": hand, "left": None})
        put("__hand_shapes.json__", {"mano": [0.0] * 10, "umetrack": umetrack()})
    return "clip-001.tar, index 000001, 214-1, right"


CAPTURES = {
    "assemblyhands": make_assemblyhands, "hanco": make_hanco, "arctic": make_arctic, "hot3d": make_hot3d,
}  # fmt: skip
