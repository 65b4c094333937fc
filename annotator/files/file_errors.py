"""What a disk, a network or a file's own content did to whoever read or wrote it, said with the file's name.

A disk that cannot be read says nothing of the file's content: whoever calls such a file damaged has people throw away
what is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotator.errors import InputError


@contextmanager
def reading(path: str | Path, otherwise: str, *wrong: type[Exception]) -> Iterator[None]:
    """InputErrors for what goes wrong while a file is read.

    Parameters
    ----------
    path
        The file, or the folder that holds what is read.
    otherwise
        What to say of it where its content is to blame: "is no feature bank".
    wrong
        What its content may raise. An `OSError` without a number is a library's word on the content (HDF5, Pillow).

    Raises
    ------
    InputError
        "cannot read FILE: REASON" where the system refused, or has no such file; "PATH OTHERWISE: REASON" where the
        content is wrong, or a folder lacks a file.
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        where = error.filename or path
        if isinstance(error, FileNotFoundError) and str(where) != str(path):
            raise InputError(f"{path} {otherwise}: there is no {where}") from error
        if error.errno is not None:  # libraries say a page about it
            raise InputError(f"cannot read {where}: {os.strerror(error.errno)}") from error
        raise InputError(f"{path} {otherwise}: {reason(error)}") from error
    except wrong as error:
        raise InputError(f"{path} {otherwise}: {reason(error)}") from error


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """InputError ("cannot write PATH: REASON") where the system refuses while a file, or what lies in a folder, is
    written; of a folder it names what could not be written, but never a file beside `path` that was to become it."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno is not None else reason(error)
        raise InputError(f"cannot write {_named(error, Path(path))}: {why}") from error


def _named(error: OSError, path: Path) -> Path:
    """What failed, if it is a part of `path` or a folder on the way to it."""
    where = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else path
    return where if path in where.parents or where in path.parents else path


def reason(error: Exception) -> str:
    """Why a file or a record is broken, in words, on one line."""
    said = " ".join(str(error).split())
    return f"{said} is missing" if isinstance(error, KeyError) else said or type(error).__name__
