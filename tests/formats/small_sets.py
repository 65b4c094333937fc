"""Tiny data sets in other people's layouts, made here: one record for each of `kinds`, sound ("") or broken in a named
way.

Each maker returns a pattern of what an error about the record at index 1 must name.
"""

from __future__ import annotations

import json

import numpy as np
from PIL import Image
from small_captures import CAPTURES

from annotator.hand.joints import JOINT_NAMES

NAN = float("nan")
PLACES = np.array([[10.0 + k, 2 * k] for k in range(21)])
JOINTS = np.array([[k / 100, k / 200, 1.0] for k in range(21)])


def photo(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (640, 480)).save(path)


def points(kind, size=2):
    """Keypoints (21, size), broken where they are asked to be."""
    values = np.column_stack([PLACES, np.full(21, 2.0)])[:, :size]
    if kind == "shape":
        return values[:20]
    return np.where(np.arange(21)[:, None] == 3, NAN, values) if kind == "nan" else values


def make_hint(folder, kinds):
    for n, kind in enumerate(kinds):
        photo(folder / f"{n}.jpg")
        (folder / f"{n}.json").write_text(json.dumps([{"keypoints": points(kind).tolist()}]))
        if kind == "missing":
            (folder / f"{n}.jpg").unlink()
        if kind == "no json":
            (folder / f"{n}.json").write_text("{")
    return "1.json"


def make_csv(folder, kinds):
    lines = [",".join(["photo", *(f"{name}_{axis}" for name in JOINT_NAMES for axis in "xy")])]
    for n, kind in enumerate(kinds):
        photo(folder / f"{n}.png")
        if kind == "missing":
            (folder / f"{n}.png").unlink()
        cells = ["far" if kind == "shape" else value for value in points("" if kind == "shape" else kind).ravel()]
        lines.append(",".join(map(str, [f"{n}.png", *cells])))
    (folder / "hands.csv").write_text("\n".join(lines))
    return r"hands.csv, index 1 \(line 3\)"


def make_coco(folder, kinds):
    images, annotations = [], []
    for n, kind in enumerate(kinds):
        photo(folder / "images" / f"{n}.jpg")
        if kind == "missing":
            (folder / "images" / f"{n}.jpg").unlink()
        images.append({"id": n, "file_name": f"{n}.jpg"})
        annotations.append(
            {"id": n, "image_id": n, "keypoints": points(kind, 3).ravel().tolist(), "bbox": [1, 2, 3, 4]}
        )
    (folder / "hands.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    return "hands.json, index 1"


def make_dexycb(folder, kinds):
    sequence = folder / "s-01" / "q"
    serials = [str(n) for n in range(3)]
    for n, kind in enumerate(kinds):
        photo(sequence / serials[n] / "color_000003.jpg")
        if kind == "missing":
            (sequence / serials[n] / "color_000003.jpg").unlink()
        joints = JOINTS[:20] if kind == "shape" else np.where(JOINTS == 1.0, NAN, JOINTS) if kind == "nan" else JOINTS
        np.savez(sequence / serials[n] / "labels_000003.npz", joint_3d=joints[None], joint_2d=PLACES[None])
        path = folder / "calibration" / "intrinsics" / f"{n}_640x480.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"color: {{fx: {0 if kind == 'singular' else 600}, fy: 500, ppx: 320, ppy: 240}}\n")
    (sequence / "meta.yml").write_text(f"serials: {serials}\nmano_sides: [right]\n")
    return "1/labels_000003.npz, index 0"


def make_interhand(folder, kinds):
    stem = folder / "annotations" / "test"
    stem.mkdir(parents=True)
    images, annotations, labels = [], [], {}
    camera: dict = {"campos": {}, "camrot": {}, "focal": {}, "princpt": {}}
    for n, kind in enumerate(kinds):
        photo(folder / "images" / "test" / f"{n}.jpg")
        if kind == "missing":
            (folder / "images" / "test" / f"{n}.jpg").unlink()
        world = np.concatenate([JOINTS, JOINTS]) * 1000
        world = world[:40] if kind == "shape" else np.where(world == 1000, NAN, world) if kind == "nan" else world
        name = str(n)
        camera["campos"][name], camera["camrot"][name] = [0, 0, 0], np.eye(3).tolist()
        camera["focal"][name], camera["princpt"][name] = [0 if kind == "singular" else 600, 500], [320, 240]
        images.append({"id": n, "file_name": f"{n}.jpg", "capture": 0, "camera": name, "frame_idx": n})
        annotations.append({"id": n, "image_id": n, "joint_valid": [1] * 42, "hand_type": "right"})
        labels[name] = {"world_coord": world.tolist(), "joint_valid": [1] * 42, "hand_type": "right"}
    for name, content in (("data", {"images": images, "annotations": annotations}), ("camera", {"0": camera}),
                          ("joint_3d", {"0": labels})):  # fmt: skip
        (stem / f"InterHand2.6M_test_{name}.json").write_text(json.dumps(content))
    return "InterHand2.6M_test_data.json, index 1"


OTHERS = CAPTURES | {
    "hint": make_hint,
    "csv": make_csv,
    "coco": make_coco,
    "dexycb": make_dexycb,
    "interhand": make_interhand,
}
