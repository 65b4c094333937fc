"""InterHand2.6M's layout (Moon et al. 2020): see `reader` for its files."""

from annotator.formats.interhand.reader import read
from annotator.formats.interhand.writer import write

__all__ = ["read", "write"]
