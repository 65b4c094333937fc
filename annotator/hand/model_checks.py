"""Whether arrays are a sound hand model: shapes, ranges, frames, and sums that must be one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from annotator.errors import InputError


def check_arrays(name: str, arrays: Mapping[str, np.ndarray], level_count: int) -> None:
    """InputError, naming the model and the array, unless they are a sound hand model's.

    arrays: as `HandModel` says, and of each coarse level n `leveln_indices`, `leveln_faces`, `leveln_upsample`.
    """

    def fail(text: str) -> None:
        raise InputError(f"hand model {name!r}: {text}")

    if level_count <= 2:
        fail(f"has {level_count} mesh levels, at least 3 are needed")
    for part, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            fail(f"{part} is not an array of numbers")
        if not np.isfinite(array).all():
            fail(f"{part} holds values that are not finite")
    rows = {name: array.shape[0] if array.ndim else 0 for name, array in arrays.items()}
    count = rows["template"]
    shapes = {
        "template": (count, 3), "faces": (rows["faces"], 3), "shape_directions": (count, 3, 10),
        "weights": (count, 16), "joint_regressor": (16, count), "keypoint_regressor": (21, count),
        "anatomical_axes": (15, 3, 3), "limits": (15, 3, 2), "pose_directions": (count, 3, 135),
    }  # fmt: skip
    tops = {"faces": count}  # arrays of vertex numbers, and how many vertices there are to name
    for number in range(level_count):
        level = f"level{number}_"
        size = rows[level + "indices"]
        shapes |= {level + "indices": (size,), level + "upsample": (count, size)}
        shapes[level + "faces"] = (rows[level + "faces"], 3)
        tops |= {level + "indices": count, level + "faces": size}
    for part, array in arrays.items():
        if array.shape != shapes[part] or array.size == 0:
            fail(f"{part} has shape {array.shape}, expected {shapes[part]}")
        top = tops.get(part)
        if top is not None and (array.dtype.kind == "f" or array.min() < 0 or array.max() >= top):
            fail(f"{part} must hold whole numbers from 0 to {top - 1}")
        sums = part.split("_")[-1] in ("weights", "regressor", "upsample")
        if sums and np.abs(array.sum(axis=1) - 1).max() > 1e-4:
            fail(f"the rows of {part} do not sum to one")
    axes = arrays["anatomical_axes"]
    if np.abs(axes @ axes.transpose(0, 2, 1) - np.eye(3)).max() > 1e-6 or (np.linalg.det(axes) < 0).any():
        fail("anatomical_axes are not right-handed orthonormal frames")
    if (arrays["limits"][..., 0] > arrays["limits"][..., 1]).any():
        fail("a least limit is above its most")
