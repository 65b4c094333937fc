"""From bodies to the hands at the ends of their arms.

MediaPipe's body landmark network (BlazePose, arXiv 2006.10204) sees a whole person, so it knows where a hand must be
even where the hand itself says little: in a glove, behind a thing, or in a few pixels. It gives 33 landmarks of the
body, four of them a hand's: wrist, knuckles of the index and the little finger, tip of the thumb. The crop's rule is
that of MediaPipe's holistic graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator.detection.bodies.body_detector import Body
from annotator.detection.bodies.body_network import BodyNetwork
from annotator.hand.joints import opposite
from annotator.vision.crops import CROP_SIZE, Crop, upright_angle

ARM_WEIGHTS = "body_landmarks.safetensors"
INPUT = 256  # px, the side of the body's crop that the network sees
# landmarks of the body: wrist, knuckle of the little finger, of the index finger
ARMS = {"left": (15, 17, 19), "right": (16, 18, 20)}
PERSON = 0.5  # least probability of a person in a crop
HAND_SCALE = 5.4  # side of a hand's crop over the way from the wrist to the knuckles


@dataclass(frozen=True, eq=False)
class Arm:
    """The end of an arm.

    side: "left" or "right" of the person. crop: round the hand, its fingers up. visibility: 0..1, the network's
    probability that the wrist is seen. person, body: 0..1, that there is a person, by this network and by the detector.
    """

    side: str
    crop: Crop
    visibility: float
    person: float
    body: float

    @property
    def right(self) -> float:
        """The probability of a right hand: of 55 clear hands at the ends of arms 53 were of the arm's side."""
        return 0.95 if self.side == "right" else 0.05


class ArmFinder(BodyNetwork):
    """MediaPipe's body landmark network with its own weights."""

    def __init__(self) -> None:
        super().__init__(ARM_WEIGHTS, INPUT)

    def arms(self, photos: Sequence[np.ndarray], bodies: Sequence[Sequence[Body]]) -> list[list[Arm]]:
        """The arms of these people in each photo (H, W, 3) uint8."""
        return [
            [arm for body in own for arm in self._of_body(photo, body)]
            for photo, own in zip(photos, bodies, strict=True)
        ]

    def _of_body(self, photo: np.ndarray, body: Body) -> list[Arm]:
        (row, person), view = self.said(photo, body.crop)
        sure = float(person[0])
        if not sure >= PERSON:
            return []
        row = row.double().reshape(39, 5)
        values, visible = row.numpy(), row[:, 3].sigmoid().numpy()
        # the network counts from the corner of the first of its pixels
        points = view.to_photo(values[:, :2] * (CROP_SIZE / INPUT) - 0.5)
        arms = []
        for name, (wrist, little, index) in ARMS.items():
            side = opposite(name) if view.flip else name
            knuckles = (2 * points[index] + points[little]) / 3
            size = HAND_SCALE * max(float(np.linalg.norm(knuckles - points[wrist])), 1.0)
            place = Crop(knuckles[0], knuckles[1], size, upright_angle(points[wrist], knuckles))
            arms.append(Arm(side, place, float(visible[wrist]), sure, body.score))
        return arms
