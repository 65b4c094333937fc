"""Data sets in and out: one folder a family, all speaking `LabelledHand`.

`table.FORMATS` lists the formats; a new one is a file and an entry there, or a package of its own (see
`annotator.registry`).
"""

from __future__ import annotations

from annotator.formats.core.base import LabelledHand
from annotator.formats.table import FORMATS, READERS, WRITERS, Format, reader, writer

__all__ = ["FORMATS", "READERS", "WRITERS", "Format", "LabelledHand", "reader", "writer"]
