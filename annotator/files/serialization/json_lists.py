"""Long JSON lists, written and read one element at a time, so that memory does not grow with a data set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.paths import ordinary
from annotator.files.resuming import Growing

CHUNK = 1 << 18  # characters read at a time
LONGEST = 1 << 26  # characters of one element; a mesh of 10,000 vertices has about a million


class ListWriter:
    """`with ListWriter(path) as write: write(element)`. Floats keep all their digits; NaN is refused.

    head: an object to write first; the list is then its last member, called `name`. at: an earlier `mark` to go on
    from.
    """

    def __init__(self, path: Path, head: dict | None = None, name: str = "", at: list | None = None):
        size: int | None
        self._empty: bool
        size, self._empty = (None, True) if at is None else at
        self._file = Growing(path, size)
        self._end = "\n]\n" if head is None else "\n]}\n"
        if at is None:
            self._file.write("[" if head is None else f"{json.dumps(head, indent=1)[:-2]},\n {json.dumps(name)}: [")

    def __call__(self, element: Any) -> None:
        text = json.dumps(element, allow_nan=False, default=_plain)
        self._file.write(("\n" if self._empty else ",\n") + text)
        self._empty = False

    def mark(self) -> list:
        """[bytes, whether the list is empty] so far."""
        return [self._file.mark(), self._empty]

    def __enter__(self) -> ListWriter:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._file.write(self._end)
        self._file.close()


def written_rows(part: Path) -> Iterator[dict]:
    """The objects that a `ListWriter` has written so far into a list that may have no end yet."""
    with part.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("{"):
                yield json.loads(line.rstrip(",\n"))


def iterate(path: Path) -> Iterator[Any]:
    """The elements of a JSON file that is one list, one by one. InputError naming the file if it is none."""
    decoder = json.JSONDecoder()
    with reading(path, "is not a JSON list", UnicodeDecodeError, RecursionError), \
            ordinary(path).open(encoding="utf-8-sig") as file:  # fmt: skip
        text = _more("", file)
        if not text.startswith("["):
            raise InputError(f"{path} is not a JSON list")
        text = _more(text[1:], file)
        while not text.startswith("]"):
            element, text = _element(decoder, text, file, path)
            yield element
            if text.startswith(","):
                text = _more(text[1:], file)
                if text.startswith("]"):
                    raise InputError(f"{path} is not a JSON list (it ends with a comma)")


def _more(text: str, file) -> str:
    """`text` without leading blanks, with more of the file if nothing else is left."""
    text = text.lstrip()
    while not text:
        chunk = file.read(CHUNK)
        if not chunk:
            return ""
        text = chunk.lstrip()
    return text


def _element(decoder: json.JSONDecoder, text: str, file, path: Path) -> tuple[Any, str]:
    """One element and the rest, which begins with a comma or the list's end.

    Nothing else ends an element: a number may go on in the next chunk, a string or list may be cut by this
    one's end.
    """
    while True:
        try:
            element, end = decoder.raw_decode(text)
            rest = text[end:].lstrip()
            if rest.startswith((",", "]")):
                return element, rest
        except ValueError:
            pass
        # twice as much each time, so that a long element is not decoded over and over
        chunk = file.read(max(CHUNK, len(text)))
        if not chunk or len(text) > LONGEST:
            raise InputError(f"{path} is not a JSON list, or it is cut short")
        text += chunk


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON")
