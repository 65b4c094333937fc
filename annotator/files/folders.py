"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annotator.errors import InputError
from annotator.files.atomic import to_disk
from annotator.files.file_errors import writing
from annotator.files.processes import alive
from annotator.files.resuming import STATE, left_for
from annotator.files.user_paths import expanded

_NOBODY = 0  # in place of a process's number: a folder that its process has left to whoever goes on


@contextmanager
def scratch_folder(beside: Path | None = None) -> Iterator[Path]:
    """A folder that goes with the block; beside: the file that what is made there will take the place of, so that both
    are on one disk (None: where the system keeps such folders).

    Where it cannot be removed it stays: `tempfile.TemporaryDirectory` recurses without end there (Python 3.11).
    """
    where = {"dir": beside.parent, "prefix": f".{beside.name}."} if beside is not None else {"prefix": "annotator-"}
    folder = Path(tempfile.mkdtemp(**where))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def whole_folder(target: str | Path, mark: str, overwrite: bool = False, key: str = "") -> Iterator[Path]:
    """A temporary folder beside `target` that takes its name when the block ends, and is removed if the block
    fails.

    mark: the name of a file that every such folder has; with `overwrite`, an existing folder is replaced only
    if it has it, so that a wrong path never costs anything else. key: of what can be gone on with (see `resuming`):
    the temporary folder is then kept where the block fails, unless the disk does, and the next call with the same key
    gets it as it is. All of it is on disk before it takes its name. InputError: `target` exists and may not be
    replaced, or nothing can be written there.
    """
    target = expanded(target).absolute()
    _check_target(target, mark, overwrite)
    own = f"{socket.gethostname()}-{os.getpid()}"
    partial = target.with_name(f".{target.name}.partial-{own}")
    with writing(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _gone_on_with(target, partial, key):
            _remove_left_behind(target)
            partial.mkdir()
    try:
        yield partial
        for place, _, names in os.walk(partial, topdown=False):
            for path in (*(Path(place) / name for name in names), Path(place)):
                to_disk(path)
        _put_in_place(partial, target, target.with_name(f".{target.name}.old-{own}"), mark, overwrite)
        to_disk(target.parent)
    except BaseException as error:
        if key and (partial / STATE).is_file() and not isinstance(error, OSError):
            _leave(partial, target)
        else:
            shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise InputError(f"cannot write {target}: {error.strerror or error}; nothing was left there") from error
        raise


def _check_target(target: Path, mark: str, overwrite: bool) -> None:
    if target.is_file() or target.is_symlink() and not target.exists():
        raise InputError(f"{target} is a file, expected a folder to make")
    if not target.exists() or not any(target.iterdir()):
        return
    if not overwrite:
        raise InputError(f"{target} exists already: choose another folder or say --overwrite")
    if not (target / mark).is_file():
        raise InputError(f"{target} holds something else than an export (no {mark}): it is not overwritten")


def _put_in_place(partial: Path, target: Path, old: Path, mark: str, overwrite: bool) -> None:
    _check_target(target, mark, overwrite)  # somebody may have been quicker
    if target.exists() and any(target.iterdir()):
        target.rename(old)
        try:
            partial.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.rename(target)


def _gone_on_with(target: Path, partial: Path, key: str) -> bool:
    """Take what an interrupted call with this key left, as our own; whether there was such a thing."""
    if not key:
        return False
    for path in target.parent.glob(f".{target.name}.partial-{socket.gethostname()}-*"):
        number = path.name.rpartition("-")[2]
        nobodys = number.isdecimal() and (int(number) == _NOBODY or not alive(number))
        if nobodys and left_for(path, key):
            try:
                path.rename(partial)
            except OSError:  # somebody else was quicker
                continue
            return True
    return False


def _leave(partial: Path, target: Path) -> None:
    free = target.with_name(f".{target.name}.partial-{socket.gethostname()}-{_NOBODY}")
    shutil.rmtree(free, ignore_errors=True)
    partial.rename(free)


def _remove_left_behind(target: Path) -> None:
    """Remove what killed processes of this machine left beside `target`, and put a replaced folder back."""
    for path in target.parent.glob(f".{target.name}.*-{socket.gethostname()}-*"):
        number = path.name.rpartition("-")[2]
        if not number.isdecimal() or int(number) != _NOBODY and alive(number):
            continue
        if path.name.startswith(f".{target.name}.old-") and not target.exists():
            path.rename(target)
        else:
            shutil.rmtree(path, ignore_errors=True)
