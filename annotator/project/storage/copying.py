"""Copies of a project's database file, and of photos: whole or not there, whatever happens meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from annotator.files.atomic import put


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database that others may be writing. InputError if it cannot be written."""
    put(target, lambda partial: copy_pages(source, partial))


def copy_pages(source: Path, target: Path) -> None:
    """The same into a file that nobody knows yet. sqlite3.Error if it cannot be written."""
    origin, copy = sqlite3.connect(source), sqlite3.connect(target)
    try:
        origin.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
    finally:
        copy.close()
        origin.close()


def copy_photo(source: Path, target: Path) -> None:
    """A photo's file, byte by byte."""
    put(target, lambda partial: shutil.copyfile(source, partial))
