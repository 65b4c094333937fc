"""What the services of a project have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from annotator.project.storage.database import Database


@dataclass
class Context:
    """folder: the project's; database: open; who: the name written beside every change."""

    folder: Path
    database: Database
    who: str
