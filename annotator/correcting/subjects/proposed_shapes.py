"""What a network's own numbers for the shape say, read for what they are.

In one photo the shape hardly shows, so the best answer to one photo is nearer to the mean hand than the truth is: of a
subject who is one standard deviation off, the shipped network says a third (`SAID`). An average over photos is still a
third; but its noise has gone, and the third can be read as such. What does not average out is what the numbers of a
subject's photos share beside that (`APART`): so these numbers never say more than a few labelled photos do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.hand.mesh import HandMesh
from annotator.hand.topology import SHAPE as SHAPE_COUNT

# Per number of shape, on 8 rendered subjects with 30 photos each (`benchmarks/subjects.py`, seed 31); of each network
# anew. The first is a hand's size, which no photo shows; the last ones hardly move a joint.
SAID = np.array([0.0, 0.439, 0.301, 0.267, 0.108, 0.0, 0.0, 0.0, 0.0, 0.0])  # of a subject's, what a network says
NOISE = np.array([0.38, 0.78, 0.73, 0.64, 0.46, 0.83, 1.06, 0.2, 0.07, 0.86])  # one sigma from photo to photo
APART = 0.25  # one sigma of what all photos of a subject share beside that, as rendered subjects' do


def head_evidence(hands: Sequence[HandMesh]) -> tuple[np.ndarray, np.ndarray]:
    """What proposals say of their subject's shape: (numbers (10,), information (10, 10)); nothing where none of them
    is the network's own."""
    said = np.array([hand.parameters.shape for hand in hands if is_networks(hand)])
    if not len(said):
        return np.zeros(SHAPE_COUNT), np.zeros((SHAPE_COUNT, SHAPE_COUNT))
    mean = np.median(said, axis=0)
    known = SAID > 0
    variance = APART**2 + NOISE**2 * (np.pi / 2) / len(said)  # of a median
    shape = np.where(known, mean / np.where(known, SAID, 1.0), 0.0)
    return shape, np.diag(np.where(known, SAID**2 / variance, 0.0))


def is_networks(hand: HandMesh) -> bool:
    """Whether a mesh is the network's own answer: its refinement moved the surface and the parametric stage's shape.
    What was imported, fitted or solved with a subject is not."""
    first = getattr(hand.parametric, "parameters", None)
    if first is None or not np.any(hand.parameters.offsets):
        return False
    return not np.allclose(first.shape, hand.parameters.shape)
