"""Which kind of calibration a file or folder is. A reader a kind gives what a `cameras.json` holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from annotator.errors import InputError
from annotator.files.file_errors import reason
from annotator.files.paths import BROKEN, read_json
from annotator.files.user_paths import expanded
from annotator.vision.rigs.colmap import colmap_folder, read_colmap
from annotator.vision.rigs.data_sets import dexycb_extrinsics, read_dexycb, read_hanco, read_interhand
from annotator.vision.rigs.opencv import opencv_files, read_opencv

Made = TypeVar("Made")
KINDS = "a cameras.json, OpenCV's YAML or JSON, InterHand2.6M's, DexYCB's or HanCo's calibration, COLMAP's text"


def read_calibration(path: Path, part: str, build: Callable[[dict[str, Any], str], Made]) -> Made:
    """What `build` makes of what a `cameras.json` of this calibration would hold, and its name; see `Rig.read`."""
    path = expanded(path)
    if not path.exists():
        raise InputError(f"there is no {path}")
    try:
        content = _content(path, part)
        return build(content, str(content.get("name") or path.stem))
    except InputError as error:
        if str(path) in str(error):
            raise
        raise InputError(f"{path}: {error}") from error
    except (*BROKEN, RecursionError) as error:
        raise InputError(f"{path} is not a calibration that can be read: {reason(error)}") from error


def _content(path: Path, part: str) -> dict[str, Any]:
    """What a `cameras.json` of this rig would hold."""
    if path.is_dir():
        return _folder(path, part)
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _json(path, part)
    if suffix in (".yml", ".yaml"):
        if dexycb_extrinsics(path):
            return read_dexycb(path)
        if path.name in ("extrinsics.yml", "extri.yml", "intrinsics.yml", "intri.yml"):
            return read_opencv(opencv_files(path.parent))
        return read_opencv([path])
    if suffix == ".txt" and path.name in ("cameras.txt", "images.txt"):
        return read_colmap(path.parent)
    raise InputError(f"{path} is of no known kind: expected {KINDS}")


def _json(path: Path, part: str) -> dict[str, Any]:
    content = read_json(path, dict)
    if isinstance(content.get("cameras"), dict):
        return content
    if isinstance(content.get("K"), list | dict) and isinstance(content.get("M"), list | dict):
        return read_hanco(content)
    if "campos" in content or any(isinstance(one, dict) and "campos" in one for one in content.values()):
        return read_interhand(content, part)
    return read_opencv([path])


def _folder(path: Path, part: str) -> dict[str, Any]:
    tries: tuple[tuple[Callable[[], Any], Callable[[Any], dict]], ...] = (
        (lambda: next((f for f in (path / "cameras.json", *sorted(path.glob("*_camera.json"))) if f.is_file()), None),
         lambda found: _json(found, part)),
        (lambda: colmap_folder(path), read_colmap),
        (lambda: next((f for f in (path / "meta.yml", path / "extrinsics.yml") if f.is_file() and dexycb_extrinsics(f)),
                      None), read_dexycb),
        (lambda: opencv_files(path), read_opencv),
    )  # fmt: skip
    for find, read in tries:
        found = find()
        if found:
            return read(found)
    raise InputError(f"{path} holds no calibration of a known kind: expected {KINDS}")
