"""Safetensors files, opened here: the library calls every file that it cannot open missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from annotator.files.file_errors import reading


@contextmanager
def opened_safetensors(path: str | Path, otherwise: str, *wrong: type[Exception]) -> Iterator[Any]:
    """An open safetensors file that gives torch tensors: `with opened_safetensors(path, "is no checkpoint") as file`.

    Parameters
    ----------
    path
        The file.
    otherwise
        What to say of it where its content is to blame.
    wrong
        What the block may raise on a content that is not the expected one.

    Raises
    ------
    InputError
        As `file_errors.reading`.
    """
    from safetensors import SafetensorError, safe_open  # torch with it: not for those who read other files

    with reading(path, otherwise, SafetensorError, *wrong):
        with open(path, "rb"):  # says the system's own reason where it refuses
            pass
        with safe_open(path, "pt") as file:
            yield file
