"""From a photo, or from plain boxes in it, to crops in which every hand points up.

Without boxes, `detection.searching` looks for them. In a box palms give the first hypotheses, which
`detection.crop_hypotheses` follows; where palms do not help, all angles are tried.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from annotator.detection.answered import AnswerSearch
from annotator.detection.bodies.arms import Arm
from annotator.detection.bodies.hands_by_arms import BodySearch
from annotator.detection.crop_hypotheses import CropHypothesis, Target, all_round, every_one, look_at, settle
from annotator.detection.dressed import DressedSearch
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.detection.searching import search
from annotator.errors import InputError
from annotator.hand.joints import SIDES
from annotator.vision.boxes import overlap
from annotator.vision.crops import Crop

BOX_MARGIN = 1.4  # crop side over the longer side of a tight box, for ordinary hands
BEYOND = 3.0  # of the photo's longer side: how far a box may reach out of it


@dataclass(frozen=True, eq=False)
class Located:
    """One hand of a photo.

    crop: the hand upright, flipped if it is a left hand. side: "right" or "left", as told or else as seen.
    presence: 0..1, the network's probability of a hand, lowered where its looks disagree.
    right_probability: 0..1, from the crop and its mirror image alike. box: x0, y0, x1, y1 photo pixels, as
    given, or round the landmarks. landmarks: (21, 2) photo pixels, read-only, in keypoint order.
    """

    crop: Crop
    side: str
    presence: float
    right_probability: float
    box: tuple[float, float, float, float]
    landmarks: np.ndarray


def locate(
    photo: np.ndarray,
    landmark_network: nn.Module,
    detector: PalmDetector,
    boxes: Sequence[Sequence[float]] | None = None,
    sides: Sequence[str | None] | None = None,
    max_hands: int | None = None,
    bodies: BodySearch | None = None,
    dressed: DressedSearch | None = None,
    answers: AnswerSearch | None = None,
) -> list[Located]:
    """The hands of a photo (H, W, 3) uint8, each with its upright crop.

    landmark_network: `MediaPipeHand`, or its graph. bodies: finds hands by their arms, too; None: by palms alone.
    dressed: finds gloved hands, too; answers, beside it: those where landmarks fail.

    Without boxes: hands are detected, best first, at most `max_hands`. With boxes (upright, x0, y0, x1, y1 in
    photo pixels, tight or loose): exactly one answer for each, in their order, at whatever in-plane angle the
    hand is; a low presence where no hand is seen. sides: "left", "right" or None for each box. InputError for
    boxes or sides that cannot be used.
    """
    return locate_many([photo], landmark_network, detector, [boxes], [sides], bodies, dressed, answers)[0][:max_hands]


def locate_many(
    photos: Sequence[np.ndarray],
    landmark_network: nn.Module,
    detector: PalmDetector,
    boxes: Sequence[Sequence[Sequence[float]] | None],
    sides: Sequence[Sequence[str | None] | None],
    bodies: BodySearch | None = None,
    dressed: DressedSearch | None = None,
    answers: AnswerSearch | None = None,
) -> list[list[Located]]:
    """`locate` for each of these photos with its boxes and sides, all of them looked at together."""
    for own_boxes, own_sides in zip(boxes, sides, strict=True):
        if own_boxes is None and own_sides is not None:
            raise InputError("sides are given without boxes")
    located: list[list[Located]] = [[] for _ in photos]
    free = [k for k, given in enumerate(boxes) if given is None]
    found = search([photos[k] for k in free], landmark_network, detector, bodies, dressed, answers)
    for k, looks in zip(free, found, strict=True):
        located[k] = [hand_seen(look) for look in looks]
    targets, owners = [], []
    for k, given in enumerate(boxes):
        if given is not None:
            for box, side in zip(*_checked(given, sides[k], photos[k].shape), strict=True):
                targets.append(Target(photos[k], _palms_in(photos[k], detector, box), box, side))
                owners.append(k)
    for k, hand in zip(owners, _in_boxes(landmark_network, targets, bodies), strict=True):
        located[k].append(hand)
    return located


def _in_boxes(landmark_network: nn.Module, targets: list[Target], bodies: BodySearch | None) -> list[Located]:
    """The answers for boxes."""
    found = settle(landmark_network, targets)
    # where no palm led to a hand beyond doubt: all rotations of the box, and what the palms led to
    unsure = [k for k, target in enumerate(targets) if not target.certain(found[k])]
    wider = []
    for k in unsure:
        starts = all_round(Crop.from_box(targets[k].box, BOX_MARGIN))
        before = found[k]
        wider.append(replace(targets[k], starts=(*starts, *([before.next_crop] if before else []))))
    for k, look in zip(unsure, settle(landmark_network, wider), strict=True):
        found[k] = look
    looks = every_one(found)
    lost = [k for k, look in enumerate(looks) if not look.found]
    for k, arm in zip(lost, _arms_to([targets[k] for k in lost], bodies), strict=True):
        if arm is not None:  # the landmarks mean nothing, but the arm tells the side, and which way the hand points
            crop = Crop.from_box(targets[k].box, BOX_MARGIN, arm.crop.angle)
            looks[k] = replace(looks[k], crop=crop, right=arm.right, placed=True)
    return [_in_box(landmark_network, look, target) for look, target in zip(looks, targets, strict=True)]


def _arms_to(targets: list[Target], bodies: BodySearch | None) -> list[Arm | None]:
    """The arm that ends in each target's box, the most visible one; None where there is none."""
    photos = {id(target.photo): target.photo for target in targets}
    if bodies is None or not photos:
        return [None] * len(targets)
    arms = dict(zip(photos, bodies.arms_in(list(photos.values()), [[] for _ in photos]), strict=True))
    ends: list[Arm | None] = []
    for target in targets:
        assert target.box is not None
        x0, y0, x1, y1 = target.box
        own = [arm for arm in arms[id(target.photo)] if x0 <= arm.crop.cx <= x1 and y0 <= arm.crop.cy <= y1]
        ends.append(max(own, key=lambda arm: arm.visibility, default=None))
    return ends


def _palms_in(photo: np.ndarray, detector: PalmDetector, box) -> tuple[Crop, ...]:
    """Crops of the palms whose middle lies in the box: starts of the right size, however loose it is."""
    x0, y0, x1, y1 = box
    crops = []
    for palm in detector.detect_in(photo, [Crop.from_box(box, BOX_MARGIN)]):
        x, y = (palm.box[0] + palm.box[2]) / 2, (palm.box[1] + palm.box[3]) / 2
        if x0 <= x <= x1 and y0 <= y <= y1:
            crops.append(Crop.from_palm(palm))
    return tuple(crops[:3])


def _in_box(landmark_network: nn.Module, look: CropHypothesis, target: Target) -> Located:
    """The answer for a box. If the settled hand has left it, the box itself is the crop, presence low."""
    shared = float(overlap(np.asarray(target.box), look.box[None])[0])
    if shared < 0.1:
        (look,) = look_at(landmark_network, [(target.photo, Crop.from_box(target.box, BOX_MARGIN))])
        hand = hand_seen(look, target)
        return replace(hand, crop=replace(look.crop, flip=hand.side == "left"), presence=hand.presence * shared)
    return hand_seen(look, target)


def hand_seen(look: CropHypothesis, target: Target | None = None) -> Located:
    """The hand of a look, in what was told of it."""
    side = (target and target.side) or ("right" if look.right >= 0.5 else "left")
    landmarks = look.landmarks.copy()
    landmarks.setflags(write=False)
    x0, y0, x1, y1 = (float(v) for v in (look.box if target is None or target.box is None else target.box))
    crop = replace(look.next_crop, flip=side == "left")
    return Located(crop, side, look.trust, look.right, (x0, y0, x1, y1), landmarks)


def _checked(boxes, sides, shape) -> tuple[list[tuple[float, float, float, float]], list[str | None]]:
    """Boxes as float tuples and a side or None for each. InputError naming the box that cannot be used."""
    height, width = shape[:2]
    checked = []
    for number, box in enumerate(boxes):
        try:
            x0, y0, x1, y1 = (float(v) for v in box)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"box {number} is {reprlib.repr(box)}, expected four numbers x0, y0, x1, y1") from error
        if not all(math.isfinite(v) for v in (x0, y0, x1, y1)):
            raise InputError(f"box {number} has NaN or infinite numbers")
        if x1 <= x0 or y1 <= y0:
            raise InputError(f"box {number} ({x0:g}, {y0:g}, {x1:g}, {y1:g}) is empty, expected x0 < x1 and y0 < y1")
        if x1 < -0.5 or y1 < -0.5 or x0 > width - 0.5 or y0 > height - 0.5:
            raise InputError(
                f"box {number} ({x0:g}, {y0:g}, {x1:g}, {y1:g}) lies outside the {width} x {height} px photo"
            )
        beyond = max(-x0, -y0, x1 - width, y1 - height)
        if beyond > BEYOND * max(width, height):
            raise InputError(
                f"box {number} ({x0:g}, {y0:g}, {x1:g}, {y1:g}) reaches {beyond:g} px out of the {width} x {height} px "
                f"photo, at most {BEYOND * max(width, height):g} are taken"
            )
        checked.append((x0, y0, x1, y1))
    sides = [None] * len(checked) if sides is None else list(sides)
    if len(sides) != len(checked):
        raise InputError(f"{len(checked)} boxes but {len(sides)} sides were given")
    for side in sides:
        if side is not None and side not in SIDES:
            raise InputError(f"side is {side!r}, expected 'left', 'right' or None")
    return checked, sides
