"""FreiHAND's layout (Zimmermann et al. 2019): see `writer` for its files."""

from annotator.formats.freihand.reader import read
from annotator.formats.freihand.writer import write

__all__ = ["read", "write"]
