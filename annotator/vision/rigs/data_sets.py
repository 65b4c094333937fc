"""Calibrations of multi-view hand data sets, each as its authors publish it.

InterHand2.6M  `*_camera.json`: capture -> campos (mm), camrot, focal, princpt by camera; X -> camrot (X - campos)
DexYCB         `calibration/extrinsics_NAME/extrinsics.yml`: 3 x 4 from each camera to the master camera's frame, m;
               intrinsics beside in `calibration/intrinsics/SERIAL_640x480.yml`; or a sequence's `meta.yml`
HanCo          `calib/SEQUENCE/FRAME.json` (FreiHAND's cameras): lists K (3,3) and M (4,4), world to camera, m
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import existing
from annotator.files.serialization.yaml_files import yaml_of

DEXYCB_SIZE = 640, 480


def read_interhand(content: Mapping, capture: str = "") -> dict[str, Any]:
    """What a `cameras.json` of this capture would hold; the only one if there is one."""
    if "campos" in content:
        views, capture = content, ""
    else:
        captures = [name for name, one in content.items() if isinstance(one, Mapping) and "campos" in one]
        if not capture and len(captures) == 1:
            capture = captures[0]
        if capture not in captures:
            said = f"there is no capture {capture!r}" if capture else "there are several captures"
            raise InputError(f"{said}: name one of {', '.join(captures[:12])}")
        views = content[capture]
    cameras = {}
    for name in views["campos"]:
        turn = np.array(views["camrot"][name], np.float64)
        (fx, fy), (cx, cy) = views["focal"][name], views["princpt"][name]
        cameras[str(name)] = {
            "K": [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], "R": turn.tolist(),
            "t": (-turn @ np.array(views["campos"][name], np.float64)).tolist(),
        }  # fmt: skip
    return {"cameras": cameras, "unit": "mm", "name": capture and f"capture {capture}"}


def read_hanco(content: Mapping) -> dict[str, Any]:
    """What a `cameras.json` of this frame's cameras would hold; named cam0, cam1, ... as the photos' folders."""
    K, M = ({str(key): value for key, value in _items(content[name])} for name in ("K", "M"))
    if set(K) != set(M):
        raise InputError(f"K is of cameras {', '.join(K)}, M of {', '.join(M)}")
    distortion = dict(_items(content["dist"])) if "dist" in content else {}
    cameras = {}
    for name in K:
        pose = np.array(M[name], np.float64)
        if pose.shape not in ((4, 4), (3, 4)):
            raise InputError(f"camera {name!r}: M has shape {pose.shape}, expected (4, 4)")
        cameras[name] = {
            "K": K[name],
            "R": pose[:3, :3].tolist(),
            "t": pose[:3, 3].tolist(),
            "dist": distortion.get(name),
        }
    return {"cameras": cameras, "unit": "m"}


def _items(values: Any) -> list[tuple[str, Any]]:
    if isinstance(values, Mapping):
        return [(str(key), value) for key, value in values.items()]
    return [(f"cam{k}", value) for k, value in enumerate(values)]


def dexycb_extrinsics(path: Path) -> bool:
    """Whether this YAML file is DexYCB's: extrinsics to a master camera, or a sequence that names them."""
    content = yaml_of(path)
    return isinstance(content.get("extrinsics"), Mapping) or "serials" in content and "extrinsics" in content


def read_dexycb(path: Path) -> dict[str, Any]:
    """What a `cameras.json` of these cameras would hold; they are named by their serials."""
    content, wanted = yaml_of(path), None
    if "serials" in content:
        calibration = path.resolve().parents[2] / "calibration"
        wanted = [str(serial) for serial in content["serials"]]
        path = existing(calibration / f"extrinsics_{content['extrinsics']}" / "extrinsics.yml")
        content = yaml_of(path)
    cameras = {}
    for serial, numbers in content["extrinsics"].items():
        serial = str(serial)
        if wanted is not None and serial not in wanted or serial == "apriltag":
            continue
        pose = np.array(numbers, np.float64).reshape(3, 4)
        file = existing(path.resolve().parents[1] / "intrinsics" / f"{serial}_{DEXYCB_SIZE[0]}x{DEXYCB_SIZE[1]}.yml")
        colour = yaml_of(file)["color"]
        cameras[serial] = {
            "K": [[colour["fx"], 0, colour["ppx"]], [0, colour["fy"], colour["ppy"]], [0, 0, 1]],
            "R": pose[:, :3].T.tolist(), "t": (-pose[:, :3].T @ pose[:, 3]).tolist(),
            "width": DEXYCB_SIZE[0], "height": DEXYCB_SIZE[1],
        }  # fmt: skip
    return {"cameras": cameras, "unit": "m"}
