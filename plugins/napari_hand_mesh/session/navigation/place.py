"""Where a person is in a project, beside it in a small JSON file: hand, filter, camera, layout of the window."""

from __future__ import annotations

import json
from pathlib import Path

FILE = "gui.json"  # in the project's folder


def read(folder: Path) -> dict:
    """What was noted; {} if nothing was, or not by us: then the person starts at the first open hand."""
    try:
        noted = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def note(folder: Path, **news) -> None:
    """Put these in, keep the others. A read-only folder can still be looked at."""
    noted = read(folder)
    if noted == noted | news:
        return
    try:
        part = folder / f"{FILE}.part"
        part.write_text(json.dumps(noted | news), encoding="utf-8")
        part.replace(folder / FILE)
    except OSError:
        pass
