"""What one always says: options from files and the environment, in place of their defaults.

What is on the command line counts most, then the environment (`ANNOTATOR_PROPOSE_DEVICE` for one command,
`ANNOTATOR_DEVICE` for all that have it), then `annotator.toml` in the project's folder, then the user's own. In such a
file a key is an option without its dashes; before the first table it is for all commands that have it, in a table for
the command of that name:

    who = "Ada"
    device = "cuda"

    [export]
    format = "hamer-npz"
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from annotator.errors import InputError
from annotator.files.file_errors import reading

FILE = "annotator.toml"
PREFIX = "ANNOTATOR_"
VARIABLE = "ANNOTATOR_SETTINGS"  # another file in place of the user's own; empty: none
PLACES = ("project", "data")  # parameters that may name a project
# not what one always says: help, and what a program that reads the output says for itself
NEVER = {"help", "version", "json"}


@dataclass(frozen=True)
class Setting:
    """key: the option's; name: of the command's parameter; source: where it was said, for people."""

    key: str
    name: str
    value: Any
    source: str


def user_file() -> Path | None:
    """The user's own file, whether it is there or not; None: there is to be none."""
    if VARIABLE in os.environ:
        said = os.environ[VARIABLE].strip()
        return Path(said) if said else None
    from platformdirs import user_config_path

    return user_config_path("annotator", appauthor=False) / FILE


def files_for(project: str | None) -> list[Path]:
    """The files that count, the weightiest first, whether they are there or not. project: its place, if one is named;
    where that is none, its command will say so."""
    found = []
    if project:
        from annotator.project.storage.places import locate

        try:
            found.append(locate(project).folder / FILE)
        except InputError:
            pass
    own = user_file()
    return found + ([own] if own is not None else [])


def read(path: Path) -> dict[str, Any]:
    """What the file says, keys with `_`; nothing if there is none. InputError: it is damaged."""
    with reading(path, "is not TOML", UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return _plain(tomllib.loads(text))


def settings_of(command: Any, name: str, project: str | None, known: Iterable[str]) -> list[Setting]:
    """The settings in force for a command (click's), without the command line. known: all options of all commands,
    asked for only where a file says something that this command has not. InputError: a file or variable says what
    cannot be."""
    options = options_of(command)
    found: dict[str, Setting] = {}
    said = [(str(path), read(path)) for path in files_for(project)]
    for source, values in said:
        own = values.get(name, {})
        if not isinstance(own, Mapping):
            raise InputError(f"{source}: {name} is a command: its options stand in a table [{name}]")
        for key in own:
            if key not in options:
                raise InputError(f"{source}: [{name}] has no option {key!r}{_meant(key, options)}")
        for key, value in {**{k: v for k, v in values.items() if not isinstance(v, Mapping)}, **own}.items():
            if key in options:
                found.setdefault(key, Setting(key, options[key].name, value, source))
            elif key not in (known := set(known)):
                raise InputError(f"{source}: no command has an option {key!r}{_meant(key, known)}")
    for key, option in options.items():
        for variable in (f"{PREFIX}{key}", f"{PREFIX}{name}_{key}"):
            variable = variable.upper().replace("-", "_")
            if os.environ.get(variable):
                several = option.multiple or option.nargs != 1
                value = shlex.split(os.environ[variable]) if several else os.environ[variable]
                found[key] = Setting(key, option.name, value, variable)
    context = typer.Context(command, info_name=name)
    return [_checked(options[one.key], one, context) for one in found.values()]


def options_of(command: Any) -> dict[str, Any]:
    """{key: click's option} of a command; a key is the longest name without its dashes."""
    found = {}
    for one in command.params:
        names = [name for name in one.opts if name.startswith("--")]
        if names:
            key = max(names, key=len).removeprefix("--").replace("-", "_")
            if key not in NEVER:
                found[key] = one
    return found


def default_map(command: Any, name: str, arguments: list[str], parent: Any, known: Iterable[str]) -> dict[str, Any]:
    """What click takes in place of a command's defaults, by parameter."""
    if hasattr(command, "commands") or "--help" in arguments:
        return {}
    seen = command.make_context(name, list(arguments), parent=parent, resilient_parsing=True).params
    places = [str(seen[one]) for one in PLACES if seen.get(one)]
    return {one.name: one.value for one in settings_of(command, name, places[0] if places else None, known)}


def _checked(option: Any, one: Setting, context: Any) -> Setting:
    """The setting, its value of the option's type. InputError naming where it was said."""
    try:
        several = option.multiple or option.nargs != 1
        if several and not isinstance(one.value, list):
            raise typer.BadParameter("expected a list")
        if isinstance(one.value, dict) or (isinstance(one.value, list) and not several):
            raise typer.BadParameter("expected one value")
        if isinstance(one.value, bool) and not option.is_flag:
            raise typer.BadParameter("expected a value, not true or false")
        option.process_value(context, one.value)
    except typer.TyperException as error:
        raise InputError(f"{one.source}: {one.key} = {one.value!r}: {error.format_message()}") from error
    return one


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of options with `_`; names of commands have no dashes."""
    return {
        key.replace("-", "_"): _plain(value) if isinstance(value, Mapping) else value for key, value in values.items()
    }


def _meant(key: str, options: Iterable[str]) -> str:
    near = get_close_matches(key, list(options), 1)
    return f", did you mean {near[0]!r}?" if near else ""
