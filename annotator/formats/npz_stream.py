"""An .npz file written row by row, so that memory does not grow with it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np


class NpzWriter:
    """`with NpzWriter(path, {name: (dtype, row shape)}) as row: row(name=value, ...)`; plain arrays only, no pickles.

    A dtype of "U" is text of any length. Rows go to files beside, which become the archive at the end.
    """

    def __init__(self, path: Path, columns: dict[str, tuple[str, tuple[int, ...]]]):
        self._path, self._columns, self._count = path, columns, 0
        self._longest = dict.fromkeys(columns, 1)
        self._parts = {name: path.with_name(f".{path.name}.{name}.part") for name in columns}
        self._files = {name: part.open("wb") for name, part in self._parts.items()}

    def __call__(self, **values: Any) -> None:
        for name, (kind, shape) in self._columns.items():
            if kind == "U":
                data = str(values[name]).encode("utf-8")
                self._longest[name] = max(self._longest[name], len(str(values[name])))
                self._files[name].write(len(data).to_bytes(8, "little") + data)
            else:
                self._files[name].write(np.asarray(values[name], kind).reshape(shape).tobytes())
        self._count += 1

    def __enter__(self) -> NpzWriter:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()
        if kind is None:
            with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
                for name in self._columns:
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                        self._array(file, name)
        for part in self._parts.values():
            part.unlink(missing_ok=True)

    def _array(self, file, name: str) -> None:
        kind, shape = self._columns[name]
        dtype = np.dtype(f"<U{self._longest[name]}" if kind == "U" else kind)
        header = {"descr": dtype.str, "fortran_order": False, "shape": (self._count, *shape)}
        np.lib.format.write_array_header_2_0(file, header)
        with self._parts[name].open("rb") as part:
            if kind == "U":
                while size := part.read(8):
                    text = part.read(int.from_bytes(size, "little")).decode("utf-8")
                    file.write(np.array(text, dtype).tobytes())
            else:
                while block := part.read(1 << 20):
                    file.write(block)
