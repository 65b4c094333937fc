"""What a sign says of depth: fingertips that touch are near each other, whatever one photo shows or a teacher says.

Of the digits' signs, 6 to 9 are made with the thumb's tip on another finger's. That is 3-D truth which no network made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotator.hand.joints import TIPS
from annotator.learning.data.photos import KeypointTable
from annotator.learning.data.samples import MEAN_PALM

THUMB_TIP = TIPS[0]
TOUCHED = {6: TIPS[4], 7: TIPS[3], 8: TIPS[2], 9: TIPS[1]}  # digit -> the tip that the thumb's tip is on
APART = 0.010  # m: tips of touching fingers are no farther apart
TRUST = 3.0  # weight of the two joints, against 0..1 of a teacher's


def digit_of(photo: str) -> int:
    """The sign in a photo of the digits' set, by its file's name (`digit-7-IMG_5214.JPG`)."""
    return int(photo.split("-")[1])


def with_contacts(table: KeypointTable) -> KeypointTable:
    """The digits' table, where tips that touch are drawn together in depth until they are `APART`.

    Both move by half of what is missing, and the joints before them by half of that. Lengths are in units of the row's
    own palm: a teacher's scale means nothing.
    """
    joints, weight = np.array(table.joints, np.float64), np.array(table.joint_weight, np.float64)
    for row, photo in enumerate(table.photo):
        other = TOUCHED.get(digit_of(str(photo)))
        if other is None or not weight[row].max() > 0:
            continue
        hand = joints[row]
        apart = APART * float(np.linalg.norm(hand[9] - hand[0])) / MEAN_PALM
        across = float(np.linalg.norm(hand[THUMB_TIP, :2] - hand[other, :2]))
        depth = hand[other, 2] - hand[THUMB_TIP, 2]
        allowed = max(apart**2 - across**2, 0.0) ** 0.5
        too_far = np.sign(depth) * max(abs(depth) - allowed, 0.0)
        for tip, sign in ((THUMB_TIP, 1.0), (other, -1.0)):
            hand[tip, 2] += sign * too_far / 2
            hand[tip - 1, 2] += sign * too_far / 4
            weight[row, tip] = TRUST
    return replace(table, joints=joints, joint_weight=weight)
