"""How much each photo of a hand counts beside the others, and how many there are in effect.

A keypoint's sigma is right on average over photos. Where a hand is blurred or covered the network's errors go together:
one wrong finger, or one wrong palm, in all of its keypoints. Twenty keypoints of twice the sigma then do not say a
quarter as much, but next to nothing. The hand's confidence tells such photos, and beside a good one they are doubted by
it. Where hardly more than one photo counts, the pose that it shows by itself is worth more than rays that meet nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from annotator.correcting.views.sighting import Sighting

# Found on rendered rigs with one photo out of focus or partly covered, seed 31 (`benchmarks/spoilt_views.py`)
DOUBTED = 2.0  # a keypoint's sigma grows with this power of how much less confident its photo is than the surest
SEVERAL = 0.3  # so much more than one photo, in effect, is as good as all of them
LEAST = 1e-3  # no hand is less confident


def weighed(sightings: Sequence[Sighting]) -> list[Sighting]:
    """The same, each doubted beside the surest of them."""
    surest = max(one.hand.confidence for one in sightings)
    return [
        replace(one, doubted=(max(surest, LEAST) / max(one.hand.confidence, LEAST)) ** DOUBTED) for one in sightings
    ]


def in_effect(sightings: Sequence[Sighting]) -> float:
    """How many photos speak, 1 to as many as there are: by the effective sample size (L. Kish 1965) of their weights,
    one over the square of their typical sigma as a share of the box."""
    count = len(sightings)
    if count < 2:
        return float(count)
    typical = [float(np.median(one.sigma[np.isfinite(one.sigma)])) / one.box for one in sightings]
    weight = 1.0 / np.square(typical)
    effective = float(weight.sum() ** 2 / np.square(weight).sum())
    return 1.0 + (count - 1) * min(1.0, (effective - 1.0) / SEVERAL)
