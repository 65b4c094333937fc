"""Copies of a project's database file, and of photos: whole or not there, whatever happens meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from annotator.files.atomic import put


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database that others may be writing. InputError if it cannot be written."""

    def write(partial: Path) -> None:
        origin, copy = sqlite3.connect(source), sqlite3.connect(partial)
        try:
            origin.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        finally:
            copy.close()
            origin.close()

    put(target, write)


def copy_photo(source: Path, target: Path) -> None:
    """A photo's file, byte by byte."""
    put(target, lambda partial: shutil.copyfile(source, partial))
