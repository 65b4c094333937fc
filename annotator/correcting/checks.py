"""What a person's corrections must be before anything is done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import joint_index


def check_corrections(corrections: Mapping[str | int, Sequence[float]]) -> dict[int, tuple[float, float]]:
    """Joint numbers and finite places, or an InputError that names the joint."""
    checked = {}
    for key, place in corrections.items():
        joint = joint_index(key)
        place = np.asarray(place, np.float64)
        if place.shape != (2,) or not np.isfinite(place).all():
            raise InputError(f"correction of {key}: expected two finite photo coordinates, got {place.tolist()}")
        checked[joint] = (float(place[0]), float(place[1]))
    return checked
