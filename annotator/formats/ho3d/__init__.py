"""HO3D's layout (Hampali et al. 2020; v2 and v3): see `writer` for its files."""

from annotator.formats.ho3d.reader import read
from annotator.formats.ho3d.writer import write

__all__ = ["read", "write"]
