"""Safetensors files, opened here: the library calls every file that it cannot open missing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from annotator.files.file_errors import reading

NUMBERED = re.compile(r"\((\d+)\)$")  # how torch ends what the system refused it: "... Too many open files (24)"


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
        try:
            opened = safe_open(path, "pt")
        except RuntimeError as error:  # torch opens the file, too
            number = NUMBERED.search(str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
        with opened as file:
            yield file
