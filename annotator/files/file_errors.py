"""What a disk, a network or a file's own content did to whoever read or wrote it, said with the file's name.

A disk that cannot be read says nothing of the file's content: whoever calls such a file damaged has people throw away
what is whole.
"""

from __future__ import annotations

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
        "cannot read PATH: REASON" where the system refused, "PATH OTHERWISE: REASON" where the content is wrong or
        missing.
    """
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{path} {otherwise}: there is no {error.filename or path}") from error
    except OSError as error:
        if error.errno is not None:
            raise InputError(f"cannot read {error.filename or path}: {error.strerror}") from error
        raise InputError(f"{path} {otherwise}: {error}") from error
    except wrong as error:
        raise InputError(f"{path} {otherwise}: {error}") from error


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """InputError ("cannot write PATH: REASON") where the system refuses while a file, or what lies in a folder, is
    written."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {error.filename or path}: {error.strerror or error}") from error
