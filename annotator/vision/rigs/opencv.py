"""Calibrations as OpenCV's `FileStorage` writes them: YAML (with its `%YAML:1.0` and `!!opencv-matrix`) or JSON.

Understood are: a file a camera (`camera_matrix`, `distortion_coefficients`, `R` or `rvec`, `T`; the camera is named by
the file, or by `camera_name`); one file with a node a camera; stereo pairs as OpenCV's samples write them (M1 D1 M2 D2
in `intrinsics.yml`, R T in `extrinsics.yml`: a point X of the first camera is R X + T in the second); and EasyMocap's
pair `intri.yml`, `extri.yml` (names, K_NAME, dist_NAME or D_NAME, Rot_NAME or R_NAME, T_NAME). `fisheye: 1` (or
`model: fisheye`) says that distortion is of OpenCV's fisheye model. The unit is metres unless `unit` says another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import read_json
from annotator.files.serialization.yaml_files import yaml_of
from annotator.hand.rotations import rotation_matrices
from annotator.vision.rigs.lens import FISHEYE, OPENCV

_K = ("camera_matrix", "K", "M", "intrinsic", "intrinsics", "cameraMatrix", "mtx")
_DISTORTION = ("distortion_coefficients", "dist", "D", "distortion", "dist_coeffs", "distCoeffs")
_TURN = ("R", "Rot", "rotation", "rotation_matrix", "rvec", "Rvec")
_PLACE = ("T", "t", "tvec", "Tvec", "translation")
_SIZE = (("image_width", "width", "w"), ("image_height", "height", "h"))


def opencv_files(folder: Path) -> list[Path]:
    """The calibration files of a folder: a known pair, or all its YAML and JSON files."""
    for pair in (("intri.yml", "extri.yml"), ("intrinsics.yml", "extrinsics.yml")):
        files = [folder / name for name in pair]
        if all(file.is_file() for file in files):
            return files
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in (".yml", ".yaml", ".json"))


def read_opencv(files: Sequence[Path]) -> dict[str, Any]:
    """What a `cameras.json` of these files' rig would hold."""
    contents = {file: _read(file) for file in files}
    joined: dict[str, Any] = {}
    for content in contents.values():
        joined |= content
    if isinstance(joined.get("cameras"), Mapping):
        return joined
    about = {"unit": joined.get("unit", "m")}
    if "M1" in joined and "M2" in joined:
        return about | {"cameras": _stereo(joined)}
    names = joined.get("names")
    if isinstance(names, list):
        return about | {"cameras": {str(name): _of_suffix(joined, str(name)) for name in names}}
    if isinstance(joined.get("cameras"), list):
        rows = joined["cameras"]
        return about | {"cameras": {_name(row, str(k)): _camera(row, _name(row, str(k))) for k, row in enumerate(rows)}}
    if len(files) > 1:
        named = {_name(content, file.stem): content for file, content in contents.items()}
    else:
        named = {name: row for name, row in joined.items() if isinstance(row, dict) and "data" not in row}
        if not named:
            raise InputError("one camera alone is no rig: name the folder with all cameras' files")
    return about | {"cameras": {name: _camera(row, name) for name, row in named.items()}}


def _name(content: Mapping, other: str) -> str:
    return str(content.get("camera_name") or content.get("name") or other)


def _camera(content: Mapping, name: str) -> dict[str, Any]:
    K, turn, place = (_first(content, names) for names in (_K, _TURN, _PLACE))
    if K is None or turn is None or place is None:
        missing = next(n[0] for n, v in ((_K, K), (_TURN, turn), (_PLACE, place)) if v is None)
        raise InputError(f"camera {name!r} has no {missing}")
    width, height = (_first(content, names) for names in _SIZE)
    size = _first(content, ("image_size", "imageSize", "size"))
    if size is not None and width is None:
        width, height = np.ravel(size)[:2]
    fisheye = str(content.get("model", content.get("lens", ""))).lower() == FISHEYE or content.get("fisheye") in (
        1,
        True,
    )
    distortion = _first(content, _DISTORTION)
    return {
        "K": _matrix(K), "R": _turn(turn), "t": np.ravel(place).astype(float).tolist(),
        "dist": [] if distortion is None else np.ravel(distortion).astype(float).tolist(),
        "lens": FISHEYE if fisheye else OPENCV, "width": int(width or 0), "height": int(height or 0),
    }  # fmt: skip


def _of_suffix(joined: Mapping, name: str) -> dict[str, Any]:
    """EasyMocap's: keys that end in the camera's name."""
    own = {key.removesuffix(f"_{name}"): value for key, value in joined.items() if key.endswith(f"_{name}")}
    if "Rot" in own:
        own["R"] = own.pop("Rot")
    own = {("width" if key == "W" else "height" if key == "H" else key): value for key, value in own.items()}
    return _camera(own, name)


def _stereo(joined: Mapping) -> dict[str, Any]:
    common = {key: joined[key] for names in (*_SIZE, ("image_size", "imageSize")) for key in names if key in joined}
    for key in ("R", "T"):
        if key not in joined:
            raise InputError(f"a stereo calibration needs {key}: intrinsics.yml and extrinsics.yml belong together")
    first = {"K": joined["M1"], "D": joined.get("D1"), "R": np.eye(3).tolist(), "T": [0.0, 0.0, 0.0]} | common
    second = {"K": joined["M2"], "D": joined.get("D2"), "R": joined["R"], "T": joined["T"]} | common
    return {"left": _camera(first, "left"), "right": _camera(second, "right")}


def _first(content: Mapping, names: Sequence[str]) -> Any:
    return next((content[name] for name in names if content.get(name) is not None), None)


def _matrix(K: Any) -> list:
    array = np.asarray(K, np.float64)
    return array.reshape(3, 3).tolist() if array.size == 9 else array.tolist()


def _turn(value: Any) -> list:
    array = np.asarray(value, np.float64)
    return (array.reshape(3, 3) if array.size == 9 else rotation_matrices(array.reshape(3))).tolist()


def _read(path: Path) -> dict[str, Any]:
    if path.suffix.lower() == ".json":
        content = read_json(path, dict)
    else:
        content = yaml_of(path)
    return {str(key): _plain(value) for key, value in content.items()}


def _plain(value: Any) -> Any:
    """OpenCV's matrices as nested lists; in JSON they are marked by `type_id`, in YAML the loader has made mappings."""
    if isinstance(value, Mapping):
        if {"rows", "cols", "data"} <= set(value):
            return np.asarray(value["data"], np.float64).reshape(int(value["rows"]), int(value["cols"])).tolist()
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value
