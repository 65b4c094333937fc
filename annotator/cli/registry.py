"""The table of commands, and the group that loads a command's module when it is asked for.

A command's module has a function `command` with typer's annotations (its docstring is the help text), or an
`app`, a `typer.Typer` with commands of its own. It must be light: torch and whatever loads it are imported
inside the function.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping

import typer
from typer.core import TyperGroup

# name -> module in this package, its function `command` or the one behind the colon; a new command is one line here
COMMANDS = {
    "demo": "demo",
    "gui": "gui",
    "propose": "propose",
    "correct": "correct",
    "alternatives": "alternatives",
    "status": "status",
    "accept": "changing:accept",
    "reject": "changing:reject",
    "undo": "changing:undo",
    "redo": "changing:redo",
    "next": "next",
    "review": "review",
    "gold": "gold",
    "photos": "photos",
    "snapshot": "snapshot",
    "repair": "repair",
    "export": "export",
    "import": "import_",
    "hand": "hand",
    "train": "train",
    "evaluate": "evaluate",
    "simulate": "simulate",
    "serve": "serve",
    "rank": "rank",
    "round": "round",
}


class _Loaded(MutableMapping):
    """The commands by name, each loaded at the first look at it."""

    def __init__(self, table: dict[str, str]):
        self._table, self._ready = table, {}

    def __getitem__(self, name: str):
        if name not in self._ready:
            self._ready[name] = _load(name, self._table[name])
        return self._ready[name]

    def __setitem__(self, name: str, command) -> None:
        self._ready[name] = command

    def __delitem__(self, name: str) -> None:
        del self._ready[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


class CommandGroup(TyperGroup):
    """A group that knows its commands' names without loading them."""

    def list_commands(self, ctx) -> list[str]:
        return list(self.commands)


def group() -> CommandGroup:
    """The whole command line."""
    app = typer.Typer(cls=CommandGroup, add_completion=False, rich_markup_mode=None, help=main_help.__doc__)
    app.callback()(main_help)
    built = typer.main.get_command(app)
    built.commands = _Loaded(COMMANDS)
    return built


def main_help(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=lambda on: _version(on), help="Print the version."
    ),
) -> None:
    """Hand meshes on real photos: proposed by a network, corrected by a person, exported as a data set."""


def _load(name: str, module_name: str):
    module_name, _, function = module_name.partition(":")
    module = importlib.import_module(f"annotator.cli.{module_name}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name)(getattr(module, function or "command"))
    built = typer.main.get_command(app)
    built.name = name
    return built


def _version(asked: bool) -> None:
    if asked:
        from annotator import __version__

        typer.echo(f"hand-mesh-annotator {__version__}")
        raise typer.Exit
