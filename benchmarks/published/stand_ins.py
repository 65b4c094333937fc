"""The module of one published file, without what it imports and its numbers do not need.

Modules that a file imports and that are not here are stood in for by empty ones while it is loaded: only functions that
do without them are called.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Anything that nobody else finds is an empty module."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None  # another system's: who asks for it knows what to do without
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        found = MagicMock(name=spec.name)
        found.__path__, found.__spec__ = [], spec
        return found

    def exec_module(self, module: Any) -> None:
        pass


def forget(package: str) -> None:
    """Drop a package of a common name that another checkout left here."""
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def loaded(path: Path, name: str) -> ModuleType:
    """The module of one file, its missing imports stood in for."""
    with stood_in():
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module


def imported(checkout: Path, name: str) -> ModuleType:
    """A module of a checkout's package, imported anew by its name, what is missing stood in for."""
    forget(name.partition(".")[0])
    sys.path.insert(0, str(checkout))
    try:
        with stood_in():
            return importlib.import_module(name)
    finally:
        sys.path.remove(str(checkout))


@contextmanager
def stood_in() -> Iterator[None]:
    """Inside it, imports that nobody finds are stood in for; the stand-ins are forgotten at the end."""
    before, finder = set(sys.modules), _StandIns()
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for new in set(sys.modules) - before:
            if isinstance(sys.modules[new], MagicMock):
                del sys.modules[new]
