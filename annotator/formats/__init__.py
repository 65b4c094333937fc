"""Data sets in and out: one module per format, all speaking `LabelledHand`.

A format's module has `write(records, folder, overwrite=False) -> dict` and `read(folder) ->
Iterator[LabelledHand]`.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from annotator.errors import InputError
from annotator.formats.base import LabelledHand

# name -> module; a new format is one line here
WRITERS = {"freihand": "annotator.formats.freihand"}
READERS = {"freihand": "annotator.formats.freihand"}


def writer(name: str) -> ModuleType:
    """The module that writes a format; InputError listing the known ones if there is none."""
    return _module(name, WRITERS, "write")


def reader(name: str) -> ModuleType:
    """The module that reads a format; InputError listing the known ones if there is none."""
    return _module(name, READERS, "read")


def _module(name: str, table: dict[str, str], verb: str) -> ModuleType:
    if name not in table:
        raise InputError(f"cannot {verb} format {name!r}: expected one of {', '.join(sorted(table))}")
    return import_module(table[name])


__all__ = ["READERS", "WRITERS", "LabelledHand", "reader", "writer"]
