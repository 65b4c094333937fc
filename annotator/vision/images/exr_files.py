"""OpenEXR files as depth: one channel of floats, as renderers and some depth cameras write it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import needed
from annotator.vision.images.opening import judge_size

# names that say depth, Blender's "ViewLayer.Depth.Z" and "Depth.V" among them
DEPTH = re.compile(r"^(.*\.)?(z|depth|depth\.[vzyr]|d)$", re.IGNORECASE)
GREY = "Y"


def read_exr(path: Path) -> np.ndarray:
    """(H, W) float32: the channel that is a depth, in whatever unit the file has it.

    InputError: not OpenEXR, several channels of which none is called a depth, too large, or the package that reads
    such files is missing.
    """
    exr = needed("OpenEXR")
    try:
        head = exr.File(str(path), header_only=True).header()
        low, high = (np.asarray(corner, np.int64) for corner in head["dataWindow"])
        judge_size((int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1), str(path))
        with exr.File(str(path), separate_channels=True) as file:
            channels = {name: np.array(one.pixels) for name, one in file.channels().items()}
    except InputError:
        raise
    except Exception as error:  # its binding raises whatever the C++ library does
        raise InputError(f"{path} cannot be read as OpenEXR: {error}") from error
    name = _depth_of(channels)
    if name is None:
        raise InputError(f"{path}: none of its channels ({', '.join(channels) or 'none'}) is a depth (Z, depth, Y)")
    return channels[name].astype(np.float32)


def _depth_of(channels: dict[str, np.ndarray]) -> str | None:
    """The channel to read: the one that is called a depth, the only one, or grey in several channels."""
    named = [name for name in channels if DEPTH.match(name)]
    if named or len(channels) == 1:
        return (named or list(channels))[0]
    colours = [channels[name] for name in channels if name.rpartition(".")[2] in ("R", "G", "B")]
    if len(colours) == 3 and all(np.array_equal(colours[0], one, equal_nan=True) for one in colours):
        return next(name for name in channels if name.rpartition(".")[2] == "R")
    return GREY if GREY in channels else None
