"""The embedded hand model, and poses made from degrees about the anatomical axes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from annotator.hand import HandModel, load_hand
from annotator.hand.limits import angles_to_rotations


@pytest.fixture(scope="session")
def hand() -> HandModel:
    return load_hand()


@pytest.fixture(scope="session")
def posed(hand):
    """Function: angles (15,3) in degrees -> rotations (16,3,3) with the wrist at rest."""

    def make(degrees: np.ndarray) -> np.ndarray:
        angles = torch.as_tensor(np.deg2rad(degrees), dtype=torch.float64)
        rotations = np.tile(np.eye(3), (16, 1, 1))
        rotations[1:] = angles_to_rotations(angles, hand.anatomical_axes).numpy()
        return rotations

    return make


@pytest.fixture(scope="session")
def fist() -> np.ndarray:
    """Angles (15,3) in degrees of a closed fist, the thumb across the fingers."""
    degrees = np.zeros((15, 3))
    degrees[:12, 0] = np.tile([85, 105, 70], 4)
    degrees[12:, 0] = 30, 45, 45
    degrees[12, 1:] = 20, -25
    return degrees
