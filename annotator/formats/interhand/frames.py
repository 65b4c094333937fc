"""From single hands to InterHand2.6M's tables: captures, their cameras and frames, images and annotations."""

from __future__ import annotations

from typing import Any

import numpy as np

OFF = {"right": 0, "left": 21}  # where a side's joints begin
SAME = 1.0  # mm: hands of one instant whose joints are farther apart than this are no one hand


class Frames:
    """Takes hands one after the other (`writer` says what a row is); `files()` are the set's tables then."""

    def __init__(self) -> None:
        self._captures: dict[Any, int] = {}
        self._cameras: dict[str, dict[Any, str]] = {}  # capture -> what tells a camera -> its number
        self._frames: dict[str, dict[Any, str]] = {}  # capture -> (moment, which) -> its number
        self._images: dict[Any, dict] = {}
        self._annotations: dict[int, dict] = {}  # image's id -> its annotation
        self.camera: dict[str, dict] = {}
        self.joint_3d: dict[str, dict] = {}
        self.mano: dict[str, dict] = {}

    def add(self, row: dict) -> None:
        """One hand of one photo."""
        capture, camera = self._camera(row)
        frame, label = self._frame(row, capture)
        at = slice(OFF[row["side"]], OFF[row["side"]] + 21)
        label["world_coord"][at], label["joint_valid"][at] = row["world"], [[one] for one in row["valid"]]
        label["hand_type"] = _both(label["hand_type"], row["side"])
        if row["mano"] is not None:
            self.mano.setdefault(capture, {}).setdefault(frame, {"right": None, "left": None})
            self.mano[capture][frame][row["side"]] = row["mano"]
        self._annotate(row, self._image(row, capture, camera, frame), at)

    def files(self) -> dict[str, Any]:
        """name of the file -> its content."""
        data = {"images": list(self._images.values()), "annotations": list(self._annotations.values())}
        found: dict[str, Any] = {"data": data, "camera": self.camera, "joint_3d": self.joint_3d}
        return found | ({"MANO_NeuralAnnot": self.mano} if self.mano else {})

    def _camera(self, row: dict) -> tuple[str, str]:
        """(capture, camera): a rig is a capture; photos of no rig are of one, too, with a camera for each K."""
        capture = str(self._captures.setdefault(row["rig"], len(self._captures)))
        table = self.camera.setdefault(capture, {"campos": {}, "camrot": {}, "focal": {}, "princpt": {}})
        known = self._cameras.setdefault(capture, {})
        key = (row["camera"], *np.ravel(row["K"]).tolist())
        if key not in known:
            name = known[key] = str(len(known))
            K, turn, shift = np.array(row["K"]), np.array(row["R"]), np.array(row["t"])
            table["campos"][name] = (-turn.T @ shift * 1000).tolist()
            table["camrot"][name] = turn.tolist()
            table["focal"][name], table["princpt"][name] = [K[0, 0], K[1, 1]], [K[0, 2], K[1, 2]]
        return capture, known[key]

    def _frame(self, row: dict, capture: str) -> tuple[str, dict]:
        """(number, label) of the first frame of the hand's moment that has room for it, or has it already."""
        labels, known = self.joint_3d.setdefault(capture, {}), self._frames.setdefault(capture, {})
        moment, at, which = row["moment"] or row["photo"], OFF[row["side"]], 0
        while True:
            number = known.setdefault((moment, which), str(len(known)))
            label = labels.setdefault(number, {
                "world_coord": [[0.0, 0.0, 0.0] for _ in range(42)], "joint_valid": [[0] for _ in range(42)],
                "hand_type": "", "hand_type_valid": True,
            })  # fmt: skip
            if label["hand_type"] not in (row["side"], "interacting"):  # there is room
                return number, label
            there = np.array(label["world_coord"][at : at + 21])
            image = self._images.get(_image_key(row, capture, number))
            taken = image is not None and row["side"] in self._annotations[image["id"]]["hands"]
            if not taken and row["moment"] and np.abs(there - row["world"]).max() < SAME:
                return number, label
            which += 1

    def _image(self, row: dict, capture: str, camera: str, frame: str) -> dict:
        key = _image_key(row, capture, frame)
        if key not in self._images:
            height, width = row["size"]
            self._images[key] = {
                "id": len(self._images), "file_name": row["file"], "width": width, "height": height,
                "capture": int(capture), "subject": 0, "seq_name": "hands", "camera": camera, "frame_idx": int(frame),
                "capture_name": row["rig"], "moment": row["moment"], "camera_name": row["camera"],
            }  # fmt: skip
        return self._images[key]

    def _annotate(self, row: dict, image: dict, at: slice) -> None:
        x0, y0, x1, y1 = row["box"]
        one = self._annotations.setdefault(image["id"], {
            "id": image["id"], "image_id": image["id"], "category_id": 1, "iscrowd": 0, "bbox": [x0, y0, x1, y1],
            "joint_valid": [0] * 42, "hand_type": "", "hand_type_valid": 1, "hands": {},
        })  # fmt: skip
        left, top, width, height = one["bbox"]
        if one["hands"]:  # the box round both
            x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, left + width), max(y1, top + height)
        one["bbox"] = [x0, y0, x1 - x0, y1 - y0]
        one["joint_valid"][at] = row["labelled"]
        one["hand_type"] = _both(one["hand_type"], row["side"])
        one["hands"][row["side"]] = row["index"]


def _image_key(row: dict, capture: str, frame: str) -> tuple:
    return row["photo"], capture, frame, *np.ravel(row["K"]).tolist()


def _both(before: str, side: str) -> str:
    return side if before in ("", side) else "interacting"
