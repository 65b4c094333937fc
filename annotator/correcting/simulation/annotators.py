"""People as they click: steady and ordinary hands, ways of meaning a joint, and now and then a slip.

An annotator who clicks to 1.5 px and means exactly what the mesh's regressor means is nobody. These four are drawn
after what labels of the same hands by different people and data sets look like; every claim about corrections is
measured with all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.errors import InputError
from annotator.hand.definitions import bone_frames
from annotator.hand.mesh import HandMesh
from annotator.vision.crop_size import CROP_SIZE

# m: the longer side of a hand's keypoint box as people hold their hands; shares of the box become metres by it
BOX = 0.15
# Shares of the box, wrist and thumb base, knuckles, the rest: how far one's own definition is from the anatomical one.
OWN_WAY = np.full(21, 0.015)
OWN_WAY[[0, 1]], OWN_WAY[[5, 9, 13, 17]] = 0.05, 0.025


@dataclass(frozen=True, eq=False)
class SimulatedAnnotator:
    """One person.

    name; pixels: sigma of a click, px of the crop; share: the same as a share of the keypoints' box (the larger
    counts); own_way (21, 3) m: this person's offsets from our joints in the frames of the bones (see
    `hand.definitions`), the same on every hand; slips: how often a click lands on the neighbouring finger.
    """

    name: str
    pixels: float = 1.5
    share: float = 0.0
    own_way: np.ndarray | None = None
    slips: float = 0.0

    def clicks(self, hand: HandMesh, truth, random: np.random.Generator) -> np.ndarray:
        """(21, 2) photo px: where this person would put each keypoint of the hand of `truth` (a `simulated.Truth`).

        All are drawn at once, so that policies and peers are compared on the same clicks.
        """
        scale = CROP_SIZE / hand.crop_size
        box = float(np.ptp(truth.keypoints, axis=0).max())
        sigma = max(self.pixels / scale, self.share * box)
        meant = np.array(truth.keypoints, dtype=np.float64)
        if self.own_way is not None and truth.joints is not None:
            frames = bone_frames(hand) if truth.frames is None else truth.frames
            mirror = np.array([-1.0 if hand.side == "left" else 1.0, 1.0, 1.0])
            image = (truth.joints + mirror * (frames @ self.own_way[..., None])[..., 0]) @ hand.camera.T
            meant = image[:, :2] / image[:, 2:]
        places = meant + random.normal(0.0, sigma, (21, 2))
        slipped = random.random(21) < self.slips
        aside = random.choice([-1, 1], 21)
        for k in np.flatnonzero(slipped[1:]) + 1:
            finger, joint = divmod(k - 1, 4)
            other = finger + aside[k] if 0 <= finger + aside[k] <= 4 else finger - aside[k]
            places[k] = meant[1 + 4 * other + joint] + random.normal(0.0, sigma, 2)
        return places


def simulated_annotator(name: str, seed: int = 0, pixels: float = 1.5) -> SimulatedAnnotator:
    """The annotator of a name, a person of their own for each seed. InputError for an unknown name.

    'steady': `pixels` of the crop; 'ordinary': 2 % of the box; 'own definition': 1.5 % of the box, and offsets drawn
    once: wrist and thumb base 5 % of the box, knuckles 2.5 %, others 1.5 %; 'careless': as ordinary, one click in
    forty on a neighbouring finger.
    """
    if name == "steady":
        return SimulatedAnnotator(name, pixels)
    if name == "ordinary":
        return SimulatedAnnotator(name, 0.0, 0.02)
    if name == "own definition":
        random = np.random.default_rng([seed, 21])
        # of a point's offset in space, two of three axes show in a photo
        return SimulatedAnnotator(name, 0.0, 0.015, random.normal(size=(21, 3)) * OWN_WAY[:, None] * BOX / np.sqrt(2.0))
    if name == "careless":
        return SimulatedAnnotator(name, 0.0, 0.02, slips=1 / 40)
    raise InputError(f"unknown annotator {name!r}: expected one of {', '.join(ANNOTATORS)}")


ANNOTATORS = ("steady", "ordinary", "own definition", "careless")
