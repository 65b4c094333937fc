"""From single hands to DexYCB's recordings: a sequence has one hand, frames by number, and cameras by serial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SUBJECT = "hands"
NO_SHAPE = "none"  # DexYCB's toolkit opens a calibration for each sequence, also where pose_m says that there is none
NOWHERE = np.eye(4)[:3].ravel().tolist()  # 3 x 4


class Place(NamedTuple):
    """Where a hand of a photo lies: names of its sequence and camera, number of its frame."""

    sequence: str
    serial: str
    frame: int


class Sequences:
    """Takes hands one after the other (`writer` says what a row is). A sequence is of one rig, side and shape; a second
    hand of that side in a frame is in a sequence of its own. Serials, frames and sequences are numbered as they come.
    """

    def __init__(self) -> None:
        self._rigs: dict[str, int] = {}
        self._cameras: dict[tuple, str] = {}
        self._poses: dict[str, dict[str, np.ndarray]] = {}  # rig -> serial -> camera to world, 4 x 4
        self._intrinsics: dict[str, list] = {}
        self._shapes: dict[tuple, str] = {}
        self._hands: dict[tuple, list] = {}  # (rig, moment, side) -> the meshes that are there
        self._sequences: dict[tuple, dict[str, Any]] = {}
        self._taken: set[Place] = set()

    def add(self, row: dict) -> Place:
        """The place of one hand of one photo."""
        mesh = row["mesh"]
        while (place := self._place(row, mesh)) in self._taken:  # one hand twice in a photo
            mesh += "'"
        self._taken.add(place)
        return place

    def _place(self, row: dict, mesh: str) -> Place:
        rig = row["rig"]
        self._rigs.setdefault(rig, len(self._rigs))
        serial = self._camera(row)
        shape = None if row["betas"] is None else tuple(row["betas"])
        if shape is not None:
            self._shapes.setdefault(shape, f"shape{len(self._shapes):04d}")
        there = self._hands.setdefault((rig, row["moment"], row["side"]), [])
        if mesh not in there:
            there.append(mesh)
        key = rig, row["side"], shape, there.index(mesh)
        sequence = self._sequences.setdefault(
            key, {"name": f"sequence{len(self._sequences):04d}", "frames": {}, "serials": []}
        )
        frame = sequence["frames"].setdefault(row["moment"], len(sequence["frames"]))
        if serial not in sequence["serials"]:
            sequence["serials"].append(serial)
        return Place(sequence["name"], serial, frame)

    def _camera(self, row: dict) -> str:
        """Its serial: twelve digits, as the set's are. A camera has one for each K."""
        key = row["rig"], row["camera"], *np.ravel(row["K"]).tolist()
        if key not in self._cameras:
            serial = self._cameras[key] = f"{len(self._cameras):012d}"
            self._intrinsics[serial] = row["K"]
            pose = np.eye(4)
            turn = np.array(row["R"])
            pose[:3, :3], pose[:3, 3] = turn.T, -turn.T @ np.array(row["t"])
            self._poses.setdefault(row["rig"], {})[serial] = pose
        return self._cameras[key]

    def finish(self, folder: Path) -> None:
        """Write meta.yml of each sequence, and the calibrations. (JSON is YAML.)"""
        calibration = folder / "calibration"
        for serial, K in self._intrinsics.items():
            colour = {"fx": K[0][0], "fy": K[1][1], "ppx": K[0][2], "ppy": K[1][2]}
            _write(calibration / "intrinsics" / f"{serial}_640x480.yml", {"color": colour})
        if any(shape is None for _, _, shape, _ in self._sequences):
            _write(calibration / f"mano_{NO_SHAPE}" / "mano.yml", {"betas": [0.0] * 10})
        for shape, name in self._shapes.items():
            _write(calibration / f"mano_{name}" / "mano.yml", {"betas": list(shape)})
        for rig, number in self._rigs.items():
            poses = self._poses[rig]
            master = next(iter(poses))
            to_master = np.linalg.inv(poses[master])
            found = {serial: (to_master @ pose)[:3].ravel().tolist() for serial, pose in poses.items()}
            found[master] = NOWHERE
            content = {"master": master, "extrinsics": found | {"apriltag": NOWHERE}, "rig": rig}
            _write(calibration / f"extrinsics_rig{number:04d}" / "extrinsics.yml", content)
        for (rig, side, shape, _), sequence in self._sequences.items():
            about = {
                "serials": sequence["serials"], "num_frames": len(sequence["frames"]), "mano_sides": [side],
                "mano_calib": [NO_SHAPE if shape is None else self._shapes[shape]], "ycb_ids": [], "ycb_grasp_ind": 0,
                "extrinsics": f"rig{self._rigs[rig]:04d}",
            }  # fmt: skip
            if rig:
                about["moments"] = list(sequence["frames"])
            _write(folder / SUBJECT / sequence["name"] / "meta.yml", about)


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
