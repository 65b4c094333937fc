"""The arrays of .npz files: our own, whole or not there, and other people's, whose pickles are not run."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.atomic import put
from annotator.files.file_errors import reading
from annotator.files.paths import ordinary
from annotator.files.serialization.safe_pickle import LARGEST, load

# what numpy makes of a file without sound arrays, beside an OSError
WRONG = (
    EOFError, KeyError, NotImplementedError, RuntimeError, SyntaxError, TypeError, ValueError, tokenize.TokenError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def write_npz(path: Path, arrays: Mapping[str, np.ndarray], compressed: bool = False) -> None:
    """Our own arrays, whole and on disk, or as they were. InputError if they cannot be written."""
    save = np.savez_compressed if compressed else np.savez

    def write(partial: Path) -> None:
        with partial.open("wb") as file:  # of a path numpy would make another one
            save(file, **dict[str, Any](arrays))

    put(path, write)


def read_npz(path: Path, names: Iterable[str] | None, otherwise: str) -> dict[str, np.ndarray]:
    """These arrays of our own (None: all). InputError as `file_errors.reading`; otherwise: what to say of a file
    without them."""
    with reading(path, otherwise, *WRONG), np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in (arrays.files if names is None else names)}


class Arrays(Mapping):
    """The arrays of an .npz file by name, read when asked for; arrays of objects through `load`.

    InputError naming the file: missing, no archive, or an array that cannot be read.
    """

    def __init__(self, path: Path):
        self.path = path
        wrong = zipfile.BadZipFile, NotImplementedError, UnicodeError
        with reading(path, "is not an .npz file", *wrong), zipfile.ZipFile(ordinary(path)) as archive:
            self._names = [name[:-4] for name in archive.namelist() if name.endswith(".npy")]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise KeyError(name)
        with reading(self.path, f"has a broken array {name}", *WRONG, MemoryError), \
                zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as file:  # fmt: skip
            if archive.getinfo(f"{name}.npy").file_size > LARGEST:
                raise InputError(f"{self.path}: array {name} is larger than {LARGEST >> 30} GiB")
            return _npy(file, f"{self.path}, {name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def read_npy(path: Path) -> np.ndarray:
    """The array of an .npy file, one of objects through `load`. InputError naming it where it cannot be read."""
    with reading(path, "is not an .npy file", *WRONG, MemoryError), ordinary(path).open("rb") as file:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST >> 30} GiB")
        return _npy(file, str(path))


def _npy(file, name: str) -> np.ndarray:
    data = io.BytesIO(file.read())
    version = np.lib.format.read_magic(data)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(data)
    if not dtype.hasobject:
        # numpy would ask for the memory first and look at the bytes then
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > len(data.getbuffer()) - data.tell():
            raise ValueError(f"it claims {shape} values of {dtype}, which are not there")
        data.seek(0)
        return np.lib.format.read_array(data, allow_pickle=False)
    objects = np.asarray(load(data, name), dtype=object)  # numpy keeps them as one pickle of an array
    if objects.size != int(np.prod(shape)):
        raise InputError(f"{name} holds {objects.size} objects, its header says {shape}")
    return objects.reshape(shape, order="F" if fortran else "C")
