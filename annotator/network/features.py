"""What an encoder says of a crop: multi-scale maps, a global vector and (if it has them) landmarks.

Computed once for a hand and kept: a correction runs the stages behind it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

STRIDES = (8, 16, 32)


class Features(NamedTuple):
    """What the encoder says of B crops; everything GLFNet needs to answer again without running it.

    maps: one (B, C, 224/stride, 224/stride) tensor for each of `STRIDES`, fine to coarse
    pooled: (B, G) global vector
    landmarks: (B, 21, 2) crop pixels, the backbone's own guess; NaN where a backbone has none
    world: (B, 21, 3) metres, origin near the hand's centre, axes of the crop camera; NaN where there is none
    presence, right: (B,) probabilities of a hand and of a right hand; NaN where there is none
    outline: (B, 1, 112, 112) logits of how much of each 2 x 2 px is hand; None from an encoder that does not see it
    """

    maps: tuple[Tensor, ...]
    pooled: Tensor
    landmarks: Tensor
    world: Tensor
    presence: Tensor
    right: Tensor
    outline: Tensor | None = None

    def to(self, device: torch.device | str) -> Features:
        """The same on another device."""
        return self.mapped(lambda field: field.to(device))

    def select(self, index) -> Features:
        """The features of the crops that `index` (a slice or an index tensor) picks."""
        return self.mapped(lambda field: field[index])

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Features:
        """The same with `change` of every tensor."""
        outline = None if self.outline is None else change(self.outline)
        return Features(tuple(map(change, self.maps)), *map(change, self.vectors()))._replace(outline=outline)

    def vectors(self) -> tuple[Tensor, ...]:
        """What is said of the crop as a whole, in the order of `VECTORS`."""
        return self.pooled, self.landmarks, self.world, self.presence, self.right


VECTORS = Features._fields[1:-1]


def joined(parts: Sequence[Features]) -> Features:
    """The features of all these crops."""
    maps = zip(*(part.maps for part in parts), strict=True)
    vectors = zip(*(part.vectors() for part in parts), strict=True)
    outlines = [part.outline for part in parts if part.outline is not None]
    outline = torch.cat(outlines) if len(outlines) == len(parts) else None
    return Features(tuple(map(torch.cat, maps)), *map(torch.cat, vectors))._replace(outline=outline)
