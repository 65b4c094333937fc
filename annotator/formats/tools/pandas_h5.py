"""A table with many-levelled columns as pandas writes it to HDF5 ("fixed"), read by h5py.

pandas itself would unpickle what such a file holds in places; here only numbers and text are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import needed, ordinary

MOST = 1 << 25  # values of one array: 800,000 hands
_WRONG = KeyError, ValueError, TypeError, RuntimeError, MemoryError, IndexError  # what other content makes h5py raise


def read_frame(path: Path) -> tuple[list[str], list[tuple[str, ...]], Iterator[tuple[str, list[float]]]]:
    """(names of the columns' levels, each column's words, rows: the row's words with / between, its values).

    InputError naming the file where it is no such table, or h5py is not there.
    """
    h5py = needed("h5py")
    with reading(path, "is not a table as pandas writes it to HDF5", *_WRONG), h5py.File(ordinary(path), "r") as file:
        (group,) = [one for one in file.values() if isinstance(one, h5py.Group)]
        names, heads = _words(group, "axis0")
        _, rows = _words(group, "axis1")
        _, items = _words(group, "block0_items")
        values = np.asarray(_whole(group["block0_values"]), np.float64)
    if sorted(items) != sorted(heads) or values.shape != (len(rows), len(heads)):
        raise InputError(f"{path} is not a table of numbers alone")
    values = values[:, [items.index(head) for head in heads]]
    return names, heads, (("/".join(words), line.tolist()) for words, line in zip(rows, values, strict=True))


def _words(group: Any, axis: str) -> tuple[list[str], list[tuple[str, ...]]]:
    """(names of an axis's levels, the words of each place along it)."""
    if f"{axis}_level0" not in group:
        return [""], [(_text(word),) for word in _whole(group[axis])]
    names, columns, n = [], [], 0
    while f"{axis}_level{n}" in group:
        level = group[f"{axis}_level{n}"]
        labels = np.asarray(_whole(group[f"{axis}_label{n}"]))
        if (labels < 0).any():
            raise InputError(f"{group.file.filename}: places of {axis} have no name")
        words = [_text(word) for word in _whole(level)]
        columns.append([words[label] for label in labels])
        names.append(_text(level.attrs.get("name", b"")))
        n += 1
    return names, list(zip(*columns, strict=True))


def _whole(dataset: Any) -> Any:
    """All of it; ValueError: it claims more than a table of keypoints has. A file of kilobytes can claim terabytes."""
    if dataset.size > MOST:
        raise ValueError(f"{dataset.name} claims {dataset.size} values, at most {MOST} are read")
    return dataset[()]


def _text(word: Any) -> str:
    if not isinstance(word, bytes | str):
        raise TypeError(f"{type(word).__name__} in place of text")
    return word.decode("utf-8") if isinstance(word, bytes) else word
