"""Tables of what can be chosen by name, each open to other packages.

A package adds an entry with an entry point of the table's group, for example

    [project.entry-points."annotator.formats"]
    mine = "my_package:FORMAT"

`docs/extending.md` lists the tables, their groups and what an entry is.
"""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Any, Generic, Protocol, TypeVar

from annotator.errors import InputError


class Named(Protocol):
    """What every entry has: a name, and one line that says what it is."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


@functools.lru_cache(maxsize=16)
def _installed(group: str, _path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group=group))


def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """A group's entry points, looked up once while modules come from the same folders: each look reads a file of every
    package that is installed, and a command looks several times."""
    return _installed(group, tuple(sys.path))


class Registry(Generic[Entry]):
    """Entries by name: ours, then those of other packages, which are loaded when they are asked for.

    what: the word for an entry, in messages; group: of the entry points; taken: makes an entry of (name, what an entry
    point loads), for tables whose entries may be given in a shorter form; renamed: old name -> the name of today, for
    entries of ours that had another one once.
    """

    def __init__(
        self,
        what: str,
        group: str,
        built_in: Iterable[Entry],
        taken: Callable[[str, Any], Entry] = lambda _name, entry: entry,
        renamed: Mapping[str, str] | None = None,
    ):
        self.what, self.group, self._taken = what, group, taken
        self._renamed = dict(renamed or {})
        self.built_in = {entry.name: entry for entry in built_in}

    def names(self) -> list[str]:
        """All names there are, other packages' last. Loads nothing."""
        others = (found.name for found in entry_points(group=self.group))
        return list(dict.fromkeys([*self.built_in, *others]))

    def __contains__(self, name: object) -> bool:
        return name in self.built_in or name in self._renamed or name in self.names()

    def __iter__(self) -> Iterator[Entry]:
        return (self[name] for name in self.names())

    def __getitem__(self, name: str) -> Entry:
        """The entry of this name; InputError if there is none, or it cannot be loaded."""
        name = self._renamed.get(name, name)
        if name in self.built_in:
            return self.built_in[name]
        for found in entry_points(group=self.group):
            if found.name == name:
                try:
                    return self._taken(name, found.load())
                except Exception as error:  # somebody else's code may raise anything
                    raise InputError(f"{self.what} {name!r} ({found.value}) cannot be loaded: {error}") from error
        raise InputError(f"unknown {self.what} {name!r}: expected one of {', '.join(self.names())}")
