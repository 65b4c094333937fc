"""What a person's corrections must be before anything is done with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import ByJoint, joint_index


def check_corrections(corrections: ByJoint[Sequence[float]]) -> dict[int, tuple[float, float]]:
    """Joint numbers and finite places, or an InputError that names the joint."""
    checked = {}
    for key, place in corrections.items():
        joint = joint_index(key)
        at = np.asarray(place, np.float64)
        if at.shape != (2,) or not np.isfinite(at).all():
            raise InputError(f"correction of {key}: expected two finite photo coordinates, got {at.tolist()}")
        checked[joint] = (float(at[0]), float(at[1]))
    return checked
