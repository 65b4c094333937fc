"""Paths as people give them."""

from __future__ import annotations

from pathlib import Path

from annotator.errors import InputError


def expanded(path: str | Path) -> Path:
    """The path with a leading `~` or `~user` put in full, unless a file of just that name is there or nobody is called
    so."""
    path = Path(path)
    if not str(path).startswith("~") or path.exists():
        return path
    try:
        return path.expanduser()
    except RuntimeError:  # no such user
        return path


def storable(path: str | Path) -> Path:
    """The path itself; InputError where its name is no text (bytes that are no UTF-8): no project or data set can keep
    it."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(f"{str(path)!r} has a name that is no UTF-8 text: rename the file") from None
    return Path(path)
