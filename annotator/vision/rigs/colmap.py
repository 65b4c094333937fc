"""COLMAP's text model: `cameras.txt` (lenses) and `images.txt` (poses, a line of points after each).

A camera of the rig is an image of the model, named as its file. COLMAP has pixel centres at .5, we at .0; its
quaternion (w first) and translation take the world to the camera. Its scale is arbitrary: the rig's unit is not known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import ordinary

# the parameters behind the focal length(s) and the principal point, as OpenCV's numbers
_MODELS = {
    "SIMPLE_PINHOLE": (1, ()), "PINHOLE": (2, ()),
    "SIMPLE_RADIAL": (1, (0,)), "RADIAL": (1, (0, 1)),
    "OPENCV": (2, (0, 1, 2, 3)), "FULL_OPENCV": (2, (0, 1, 2, 3, 4, 5, 6, 7)),
    "OPENCV_FISHEYE": (2, (0, 1, 2, 3)), "SIMPLE_RADIAL_FISHEYE": (1, (0,)), "RADIAL_FISHEYE": (1, (0, 1)),
}  # fmt: skip


def colmap_folder(path: Path) -> Path | None:
    """Where below this folder the text model lies: here, or in COLMAP's sparse/0; None: nowhere."""
    for folder in (path, path / "sparse" / "0", path / "sparse", path / "0"):
        if (folder / "cameras.txt").is_file() and (folder / "images.txt").is_file():
            return folder
    return None


def read_colmap(folder: Path) -> dict[str, Any]:
    """What a `cameras.json` of this model would hold."""
    lenses = {}
    for line in _lines(folder / "cameras.txt"):
        words = line.split()
        lenses[words[0]] = _lens(words)
    cameras = {}
    rows = [line for line in _lines(folder / "images.txt", keep_empty=True)]
    for line in rows[::2]:
        words = line.split(maxsplit=9)
        if len(words) != 10:
            raise InputError(f"{folder / 'images.txt'}: {line[:40]!r} is no line of an image")
        w, x, y, z = np.array(words[1:5], np.float64) / np.linalg.norm(np.array(words[1:5], np.float64))
        turn = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        if words[8] not in lenses:
            raise InputError(f"{folder / 'images.txt'}: image {words[9]!r} is of camera {words[8]}, which is not there")
        cameras[words[9].strip()] = lenses[words[8]] | {"R": turn, "t": [float(v) for v in words[5:8]]}
    return {"cameras": cameras, "unit": None}


def _lens(words: list[str]) -> dict[str, Any]:
    model = words[1]
    if model not in _MODELS:
        raise InputError(f"lens model {model} is not known: expected one of {', '.join(_MODELS)}")
    focals, order = _MODELS[model]
    values = [float(word) for word in words[4:]]
    if len(values) != focals + 2 + len(order):
        raise InputError(f"camera {words[0]}: {model} has {focals + 2 + len(order)} parameters, here are {len(values)}")
    fx, fy = values[0], values[focals - 1]
    cx, cy = values[focals], values[focals + 1]
    numbers = [values[focals + 2 + k] for k in order]
    fisheye = model.endswith("FISHEYE")
    if numbers:
        numbers += [0.0] * (4 - len(numbers))  # OpenCV's order: radial first, and these models' radial alone
    return {
        "K": [[fx, 0.0, cx - 0.5], [0.0, fy, cy - 0.5], [0.0, 0.0, 1.0]], "dist": numbers,
        "lens": "fisheye" if fisheye else "opencv", "width": int(words[2]), "height": int(words[3]),
    }  # fmt: skip


def _lines(path: Path, keep_empty: bool = False) -> list[str]:
    """Its lines without comments; keep_empty: an image without points has an empty line."""
    with reading(path, "is not a text file", UnicodeDecodeError):
        text = ordinary(path).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    while lines and not lines[-1].strip() and len(lines) % 2 == 1:
        lines.pop()
    return lines if keep_empty else [line for line in lines if line.strip()]
