"""DexYCB's layout (Chao et al. 2021): see `reader` for its files."""

from annotator.formats.dexycb.reader import read
from annotator.formats.dexycb.writer import write

__all__ = ["read", "write"]
