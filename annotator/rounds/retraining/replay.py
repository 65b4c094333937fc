"""What the model knew before, shown again while it learns: rendered photos with exact keypoints.

Rehearsal (Robins 1995) against forgetting. Without a set of the user's own, photos are rendered once for all rounds of
a project (everyday domain, a seed that no shipped set has), into PROJECT/rounds/replay; the last of them only test.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.data.samples import Labels

SEED = 770_001


def replay_photos(folder: Path, own: Path | None, count: int) -> RenderedCrops:
    """`own`, a folder of rendered photos, or the project's, rendered if they are not there.

    InputError: `own` holds too few, or nothing can be rendered here.
    """
    if own is not None:
        crops = RenderedCrops(own)
        if len(crops) < count:
            raise InputError(f"{own} holds {len(crops)} rendered photos, {count} are needed for replay and its test")
        return crops
    try:
        from annotator.synthetic.generate import generate

        generate(folder, count, SEED)
    except InputError:
        raise
    except Exception as error:  # moderngl is missing, or there is no OpenGL to be had: whatever drivers raise
        raise InputError(
            f"replay photos cannot be rendered here ({type(error).__name__}: {error}): install "
            "'hand-mesh-annotator[train]', or give a folder of rendered photos (--replay)"
        ) from error
    return RenderedCrops(folder)


class Part:
    """Samples `first` to `last` of a crop set as a set of their own."""

    def __init__(self, crops: RenderedCrops, first: int, last: int, jitter: bool = True):
        self.crops, self.first, self.last = RenderedCrops(crops.shards.folder, jitter=jitter), first, last

    def __len__(self) -> int:
        return self.last - self.first

    def sample(self, index: int, generator: np.random.Generator) -> tuple[np.ndarray, Labels]:
        return self.crops.sample(self.first + index, generator)
