"""Facts about hands that the free hand model is built from: bone lengths, spreads, ranges of motion.

Bone lengths: A. Buryanov and V. Kotiuk, 'Proportions of hand segments', Int. J. Morphol. 28(3), 2010 (means,
mm, recalled).

Joint ranges: active ranges of motion as given by the American Academy of Orthopaedic Surgeons (1965) and, for
the thumb's saddle joint, W. Cooney et al., J. Bone Joint Surg. 63-A, 1981 (53 deg flexion-extension, 42 deg
abduction, 17 deg rotation); all recalled, and widened a little, as a limit must not cut off what people do.
"""

from __future__ import annotations

import numpy as np

# mm: metacarpal, proximal, middle (the thumb has none), distal.
BONE_LENGTHS = {
    "thumb": (46.0, 32.0, 22.0),
    "index": (68.0, 40.0, 22.0, 16.0),
    "middle": (65.0, 45.0, 26.0, 17.0),
    "ring": (58.0, 41.0, 26.0, 17.0),
    "little": (54.0, 33.0, 18.0, 16.0),
}
CARPUS = 17.5  # mm between the wrist joint's centre and the metacarpals' bases
SOFT_TIP = 3.5  # mm of soft tissue past the last bone
HAND_LENGTH = 0.183  # m, wrist crease to the middle fingertip, mean of women (174 mm) and men (193 mm)
# The source hand is slender. Widths that bring it to a mean hand's (about 83 mm across the knuckles, fingers
# 17-18 mm across the PIP joints, as tables of hand anthropometry give for women and men together): palm,
# fingers, thumb.
WIDENING = {"palm": 1.05, "fingers": 1.08, "thumb": 1.04}

# Standard deviations, as fractions of the mean, from which hands are drawn for the shape space: over women
# and men together 7 % of hand length; then, at a given size, what the tables of hand breadth, depth and
# finger length leave.
SPREADS = {
    "size": 0.07,
    "palm_length": 0.03,
    "palm_width": 0.05,
    "palm_depth": 0.06,
    "finger_length": 0.03,
    "thumb_length": 0.04,
    "index_length": 0.02,
    "ring_length": 0.02,
    "little_length": 0.035,
    "finger_width": 0.06,
    "thumb_width": 0.05,
}


def target_lengths() -> dict[str, tuple[float, ...]]:
    """Bone lengths (m) of a hand of mean length: wrist to MCP joint, then the phalanges, soft tip included.

    For the thumb: metacarpal (CMC to MCP joint), proximal, distal with the soft tip; where its CMC joint lies
    is not in the tables.
    """
    middle = CARPUS + sum(BONE_LENGTHS["middle"]) + SOFT_TIP
    scale = HAND_LENGTH / middle
    lengths = {}
    for finger, bones in BONE_LENGTHS.items():
        first = bones[0] if finger == "thumb" else bones[0] + CARPUS
        lengths[finger] = tuple(scale * b for b in (first, *bones[1:-1], bones[-1] + SOFT_TIP))
    return lengths


def joint_limits() -> np.ndarray:
    """Ranges of motion (15, 3, 2) rad in MANO's joint order: rows flexion, abduction, twist; (least, most).

    Positive flexion bends toward the palm. Positive abduction turns a finger toward the thumb's side, and the
    thumb out of the palm's plane, away from the palm. Negative twist of the thumb is its pronation
    (opposition).
    """
    hinge = ((-5, 5), (-5, 5))
    pip, dip = ((-10, 110), *hinge), ((-10, 90), *hinge)
    degrees = (
        ((-30, 95), (-20, 20), (-10, 10)), pip, dip,  # index
        ((-30, 95), (-15, 15), (-10, 10)), pip, dip,  # middle
        ((-30, 95), (-25, 25), (-10, 10)), pip, dip,  # little
        ((-30, 95), (-15, 20), (-10, 10)), pip, dip,  # ring
        ((-30, 40), (-25, 55), (-45, 35)),  # thumb: CMC, with the turn that opposition brings
        ((-20, 75), (-15, 15), (-10, 10)),
        ((-30, 90), (-5, 5), (-5, 5)),
    )  # fmt: skip
    return np.deg2rad(np.array(degrees, dtype=np.float64))
