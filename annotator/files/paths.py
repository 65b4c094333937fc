"""Files of data sets: none outside the set's folder, and one clear error for each that is missing or broken."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unicodedata import normalize
from urllib.parse import unquote

from annotator.errors import InputError
from annotator.files.file_errors import reading

LONGEST = 255  # bytes of a file name, on every system there is


def inside(folder: Path, name: str) -> Path:
    """FOLDER/NAME for a name that a data set's file gives; InputError if that is not below the folder.

    Names in a data set are others' words: absolute ones, `..` and links to elsewhere are refused. The folder
    itself may be a link. Where there is no such file, the same name in the other Unicode form (NFC, NFD) or with its
    `%20` written out counts, if there is a file of that.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise InputError(f"{name!r} is not a file name")
    path = _inside(folder, name)
    if not path.exists():
        spelled = (normalize(form, text) for text in (name, unquote(name)) for form in ("NFC", "NFD"))
        for other in dict.fromkeys((unquote(name), *spelled)):
            if other != name and _inside(folder, other).exists():
                return _inside(folder, other)
    return path


def _inside(folder: Path, name: str) -> Path:
    path = Path(name.replace("\\", "/"))
    if any(len(part.encode("utf-8", "replace")) > LONGEST for part in path.parts):
        raise InputError(f"{name[:60]}... is too long for a file name")
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        raise InputError(f"{name!r} leads out of the data set's folder {folder}: it is not read")
    if folder.resolve() not in (folder / path).resolve().parents:
        raise InputError(f"{name!r} leads out of the data set's folder {folder}: it is not read")
    return folder / path


def existing(path: Path) -> Path:
    """The path itself; InputError if there is no such file."""
    if not path.is_file():
        raise InputError(f"there is no {path}")
    return path


def ordinary(path: Path) -> Path:
    """The path itself; InputError if what is there is no file: a pipe would be waited for, a device read, without
    end."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not an ordinary file")
    return path


def read_json(path: Path, kind: type = object) -> Any:
    """The content of a JSON file; InputError naming it: missing, not JSON, or not of this kind (dict, list)."""
    with reading(path, "is not JSON", ValueError, RecursionError, MemoryError):
        content = json.loads(ordinary(path).read_text(encoding="utf-8-sig"))
    if not isinstance(content, kind):
        raise InputError(f"{path} is not a JSON {'object' if kind is dict else 'list'}")
    return content


def by_id(rows: Iterable) -> dict:
    """The objects of a JSON list by their "id"; what is no object, or has neither number nor text there, is left
    out."""
    return {row["id"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int | str)}


def only_file(path: Path, pattern: str, what: str) -> Path:
    """`path` if it is a file, else the one file of this pattern in that folder. InputError: none, or several."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"there is no {path}")
    found = sorted(path.glob(pattern))
    if len(found) != 1:
        some = f"several ({', '.join(file.name for file in found[:3])})" if found else "none"
        raise InputError(f"{path}: expected one {what} ({pattern}), found {some}: name the file itself")
    return found[0]


def needed(module: str) -> ModuleType:
    """A module of the extra `formats`; InputError saying how to get it if it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"this format needs {module.partition('.')[0]}: pip install 'hand-mesh-annotator[formats]'"
        ) from error


BROKEN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)  # InputError is a ValueError
