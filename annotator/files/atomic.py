"""Files that are whole or not there, whatever happens meanwhile, and on disk before anybody counts on them."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from annotator.errors import InputError
from annotator.files.processes import alive


def put(target: Path, write: Callable[[Path], object]) -> None:
    """`write(partial)` makes a file beside `target`, which takes its name when it is whole and on disk.

    What killed processes left of earlier tries is removed. InputError if there is no place or permission.
    """
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(".*.partial-*"):
            if not alive(left.name.rpartition("-")[2]):
                left.unlink(missing_ok=True)
        write(partial)
        to_disk(partial)
        partial.replace(target)
        to_disk(target.parent)  # the name, too
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write {target}: {reason}; nothing was left there") from error
    finally:
        partial.unlink(missing_ok=True)


def put_text(target: Path, text: str) -> None:
    """`put` of a text, in UTF-8."""
    put(target, lambda partial: partial.write_text(text, encoding="utf-8"))


def to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on disk: it then outlives a power cut."""
    folder = path.is_dir()
    if folder and os.name == "nt":
        return  # Windows opens no folders, and writes their names through
    try:
        handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if not folder or error.errno not in (errno.EINVAL, errno.EACCES, errno.EPERM, errno.ENOTSUP):
            raise  # a folder that may not be read, or a file system that keeps names in its own way
