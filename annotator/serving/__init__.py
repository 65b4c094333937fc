"""A model behind HTTP, for teams: `annotator serve` on the machine with the GPU, `RemoteModel` where people label. A
door."""

from annotator.serving.client import RemoteModel

__all__ = ["RemoteModel"]
