"""The frame of a report's pages: head, filters, list of hands. All that a page needs is in its file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from urllib.parse import quote

from annotator.hand.joints import FINGERS
from annotator.project import HAND_STATES
from annotator.vision.drawing.skeleton import FINGER_COLOURS

GENERATOR = "annotator report"
# No address but those of pictures inside the file: a page fetches nothing, whatever a photo's name says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
COLUMNS = ("hand", "state", "side", "confidence", "corrections", "photo", "look, because")
ORDERS = (("project", "as they came"), ("doubt", "most doubtful"), ("unsure", "least confident"),
          ("corrected", "most corrected"))  # fmt: skip


def head(title: str, facts: Mapping[str, object] | None = None, plots: Iterable[str] = ()) -> str:
    """The page up to its hands. facts: a table; plots: see `bars`."""
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>" for name, value in (facts or {}).items()
    )
    colours = "".join(
        f'<span class="swatch" style="background: rgb{colour}"></span>{finger}'
        for finger, colour in zip(FINGERS, FINGER_COLOURS, strict=True)
    )
    drawn = "".join(plots)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="{GENERATOR}"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<style>{_part('page.css')}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        + (f"<table>{rows}</table>\n" if rows else "")
        + f"<p>Fingers:{colours}</p>\n"
        + (f'<div class="plots">{drawn}</div>\n' if drawn else "")
    )


def filters(kinds: Iterable[str]) -> str:
    """The form that chooses hands; hidden until the page's script runs. kinds: of doubts that there are."""
    states = _options([("", "any state"), *((state, state) for state in HAND_STATES)])
    sides = _options([("", "either side"), ("right", "right"), ("left", "left")])
    doubts = _options([("", "doubtful or not"), ("any", "doubtful"), ("none", "not doubtful"),
                       *((kind, f"doubtful: {kind}") for kind in kinds)])  # fmt: skip
    corrected = _options([("", "corrected or not"), ("yes", "corrected"), ("no", "not corrected")])
    selects = (("state", states), ("side", sides), ("doubt", doubts), ("corrected", corrected),
               ("order", _options(ORDERS)))  # fmt: skip
    return (
        '<form class="filters" hidden>'
        + "".join(f'<select name="{name}" aria-label="{name}">{options}</select>' for name, options in selects)
        + '<input name="text" type="search" placeholder="id, photo, reason" aria-label="text">'
        + "<output></output></form>\n"
    )


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """The list of all hands, filled by the page's script. rows: see `cards.row_of`; `page`: the hand's page."""
    cells = "".join(f"<th>{name}</th>" for name in COLUMNS)
    # `<` could end the script element
    values = json.dumps(list(rows), separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<table id="list"><thead><tr>{cells}</tr></thead><tbody></tbody></table>\n'
        '<button id="more" type="button" hidden>more</button>\n'
        f'<script type="application/json" id="rows">{values}</script>\n'
    )


def links(pages: Sequence[tuple[str, str]]) -> str:
    """Links to other pages: (address, words)."""
    made = "".join(f'<a href="{quote(address)}">{escape(words)}</a>' for address, words in pages)
    return f"<nav>{made}</nav>\n"


def foot(scripted: bool = True) -> str:
    """The page's end. scripted: with the script of the filters."""
    script = f"<script>{_part('page.js')}</script>" if scripted else ""
    return f"{script}</body></html>\n"


def _options(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in pairs)


def _part(name: str) -> str:
    return files("annotator.reporting").joinpath(name).read_text(encoding="utf-8")
