"""An .npz file written row by row, so that memory does not grow with it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from annotator.files.resuming import Growing, Marks


class NpzWriter:
    """`with NpzWriter(path, {name: (dtype, row shape)}) as row: row(name=value, ...)`; plain arrays only, no pickles.

    A dtype of "U" is text of any length. Rows go to files beside, which become the archive at the end; an interrupted
    export (`marks`) goes on.
    """

    def __init__(self, path: Path, columns: dict[str, tuple[str, tuple[int, ...]]], marks: Marks):
        self._path, self._columns = path, columns
        at = marks.part(path.name, self.mark)
        self._count = 0 if at is None else at["count"]
        self._longest = dict.fromkeys(columns, 1) if at is None else dict(at["longest"])
        self._parts = {name: marks.own(path.with_name(f".{path.name}.{name}.part")) for name in columns}
        sizes = {} if at is None else at["sizes"]
        self._files = {name: Growing(part, sizes.get(name)) for name, part in self._parts.items()}

    def __call__(self, **values: Any) -> None:
        for name, (kind, shape) in self._columns.items():
            if kind == "U":
                data = str(values[name]).encode("utf-8")
                self._longest[name] = max(self._longest[name], len(str(values[name])))
                self._files[name].write(len(data).to_bytes(8, "little") + data)
            else:
                self._files[name].write(np.asarray(values[name], kind).reshape(shape).tobytes())
        self._count += 1

    def mark(self) -> dict:
        """How far it is, JSON-ready."""
        sizes = {name: file.mark() for name, file in self._files.items()}
        return {"count": self._count, "longest": self._longest, "sizes": sizes}

    def __enter__(self) -> NpzWriter:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()
        if kind is not None:
            return
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            for name in self._columns:
                about = zipfile.ZipInfo(f"{name}.npy")  # its time is fixed: the same rows, the same file
                about.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(about, "w", force_zip64=True) as member:
                    self._array(member, name)

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
