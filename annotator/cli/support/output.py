"""What commands say: one JSON object or a few lines on stdout, progress on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, TypeVar

import typer

from annotator.cli.support.stages import progress as progress  # commands take it from here

Item = TypeVar("Item")

# Arguments and options that many commands share.
# a text, not a Path: that would make one slash of the two in a URL
ProjectFolder = Annotated[
    str,
    typer.Argument(metavar="PROJECT", help="The project's folder, or its postgresql:// URL.", show_default=False),
]
ProjectOption = Annotated[
    str,
    typer.Option(
        "--project",
        metavar="PROJECT",
        help="The project's folder, or its postgresql:// URL; made if it is missing.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on stdout.")]
WhoOption = Annotated[
    str | None,
    typer.Option("--who", help="Name written beside the change (default: the user's).", show_default=False),
]


def is_project(place: str) -> bool:
    """Whether there is a project in this place, as far as that is known without asking a server."""
    if "://" in place:
        return True
    from annotator.project.storage.places import locate

    return locate(place).exists


def emit(as_json: bool, result: dict[str, Any], text: str) -> None:
    """Print the result for a program (one JSON object on one line, ASCII) or for a person."""
    typer.echo(json.dumps(result) if as_json else text)


def batched(items: Iterable[Item], size: int = 1000) -> Iterator[list[Item]]:
    """The items in lists of `size`, the last one shorter."""
    items = iter(items)
    while part := list(islice(items, size)):
        yield part


def emit_list(result: dict[str, Any], name: str, items: Iterable[Any]) -> None:
    """Print `result | {name: [*items]}` as `emit` does for a program, without holding all items at once."""
    typer.echo(json.dumps(result)[:-1] + f", {json.dumps(name)}: [", nl=False)
    for number, part in enumerate(batched(items)):
        typer.echo((", " if number else "") + json.dumps(part)[1:-1], nl=False)
    typer.echo("]}")


def one_of(names: Iterable[str]) -> str:
    """Help for an option that takes one of these names: `a, b or c.`"""
    *most, last = names
    return f"{', '.join(most)} or {last}."
