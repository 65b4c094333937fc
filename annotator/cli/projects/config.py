"""`annotator config [PROJECT]`: what one always says, and where it was said."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.support.output import JsonOption, emit


def command(
    project: Annotated[
        str | None,
        typer.Argument(metavar="[PROJECT]", help="With the settings of this project.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the options that files and the environment set, for which commands, and where each was said. `docs/cli.md`
    says how such a file looks; all of it is checked."""
    from annotator.cli.registry import all_options, group
    from annotator.cli.support.settings import files_for, read, settings_of
    from annotator.errors import InputError

    files, commands = files_for(project), group().commands
    known = set(all_options(commands))
    for path in files:
        for name, value in read(path).items():
            if isinstance(value, dict) and name not in commands:
                raise InputError(f"{path}: there is no command {name!r}")
    found = [
        {"command": name, "option": one.key, "value": one.value, "source": one.source}
        for name in commands
        if not hasattr(commands[name], "commands")
        for one in settings_of(commands[name], name, project, known)
    ]
    lines = [f"{path}{'' if path.is_file() else ' (not there)'}" for path in files]
    lines += [f"{one['command']}: {one['option']} = {one['value']!r} ({one['source']})" for one in found]
    result = {"files": [{"path": str(path), "there": path.is_file()} for path in files], "settings": found}
    emit(as_json, result, "\n".join(lines))
