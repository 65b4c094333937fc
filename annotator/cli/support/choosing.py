"""The arguments and options with which commands say which hands they are about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.completing import hand_ids

if TYPE_CHECKING:
    from annotator.project.overview.choosing import Choice

HandId = Annotated[
    str,
    typer.Argument(metavar="HAND", help="Its id, as `status` lists it.", show_default=False, autocompletion=hand_ids),
]
HandIds = Annotated[
    list[str],
    typer.Argument(
        metavar="HAND...",
        help="Ids as `status` lists them, or patterns: 'wilor-*'.",
        show_default=False,
        autocompletion=hand_ids,
    ),
]
Patterns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[HAND...]",
        help="Only these: ids, or patterns like 'wilor-*'.",
        show_default=False,
        autocompletion=hand_ids,
    ),
]
StateOption = Annotated[
    list[str] | None, typer.Option(help="Only hands in this state (may be repeated).", show_default=False)
]
PhotoOption = Annotated[
    str, typer.Option(help="Only hands of photos (or videos) whose name or path is like this: 'DSC_*.jpg'.")
]
SideOption = Annotated[str, typer.Option(help="Only right, or left, hands.")]
ConfidenceOption = Annotated[
    float, typer.Option(help="Only hands that the network is at least this sure of, 0..1.", min=0, max=1)
]


def choice_of(
    state: Sequence[str] | None = None,
    photo: str = "",
    side: str = "",
    min_confidence: float = 0.0,
    max_confidence: float = 1.0,
) -> Choice:
    """What the options stand for."""
    from annotator.project.overview.choosing import Choice

    return Choice(tuple(state or ()), photo, side, min_confidence, max_confidence)
