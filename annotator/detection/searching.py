"""All hands of a photo, where nothing is told of them: palms first, then arms, then what may be palms.

Each leads to crops, which the landmark network looks at (`detection.crop_hypotheses`); what shows a hand is kept, each
hand once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import nn

from annotator.detection.answered import AnswerSearch
from annotator.detection.bodies.hands_by_arms import BodySearch, hands_by_arms
from annotator.detection.crop_hypotheses import CropHypothesis, Target, all_round, every_one, settle
from annotator.detection.dressed import DressedSearch
from annotator.detection.palms.palm_detector import Palm, PalmDetector
from annotator.detection.two_pass import two_pass_check
from annotator.vision.boxes import overlap
from annotator.vision.crops import Crop

PART = 0.6  # of a larger hand's crop: the most that a part of it takes
CLEAR, FAINT = 0.5, 0.15  # least score of a palm; of what may be one
CERTAIN = 0.95  # least trust of a look at what may be one
SAME_PLACE = 0.1  # intersection over union of a hand's box and that of an arm's end
HOPELESS = 0.05  # presence below which a palm is not looked at from all sides

Looks = list[list[CropHypothesis]]  # photo by photo


def search(
    photos: Sequence[np.ndarray],
    landmark_network: nn.Module,
    detector: PalmDetector,
    bodies: BodySearch | None,
    dressed: DressedSearch | None = None,
    answers: AnswerSearch | None = None,
) -> Looks:
    """Looks at all hands of each photo, each once; best first, then those that `dressed` adds, then those of `answers`.
    bodies: None: palms alone. dressed: finds gloved hands, too. answers, beside it: those where landmarks fail."""
    palms = detector.detect_many(photos, CLEAR, FAINT)
    starts = [[Crop.from_palm(palm) for palm in own if palm.score >= CLEAR] for own in palms]
    looks = _two_passes(landmark_network, photos, starts)
    # a palm seen at a wrong angle: try all round, unless it was a part of a hand that is found, or is no hand
    lost = [
        [start for start, look in zip(*own, strict=True) if not look.found and look.presence > HOPELESS]
        for own in zip(starts, looks, strict=True)
    ]
    looks = _with(looks, _all_round(landmark_network, photos, _unknown(lost, looks)))
    arms: list[list[Crop]] = [[] for _ in photos]  # that lead to no hand
    if bodies is not None:
        known = [each_once(own) for own in looks]
        ends = hands_by_arms(landmark_network, bodies, photos, known)
        arms = [[look.crop for look in own if not look.found] for own in ends]
        looks = _with(looks, ends)
    faint = [[Crop.from_palm(palm) for palm in own if palm.score < CLEAR] for own in palms]
    seen = _two_passes(landmark_network, photos, _unknown(faint, looks))
    looks = _with(looks, [[look for look in own if look.trust >= CERTAIN] for own in seen])
    # nothing sure yet: a hand that fills the photo
    whole = [
        [] if any(look.sure for look in own) else [whole_photo(photo)] for photo, own in zip(photos, looks, strict=True)
    ]
    looks = _with(looks, _all_round(landmark_network, photos, whole))
    once = [each_once(own) for own in looks]
    return once if dressed is None else _with_dressed(landmark_network, photos, palms, arms, once, dressed, answers)


def _with_dressed(
    landmark_network: nn.Module,
    photos: Sequence[np.ndarray],
    palms: list[list[Palm]],
    arms: list[list[Crop]],
    once: Looks,
    dressed: DressedSearch,
    answers: AnswerSearch | None,
) -> Looks:
    """These looks, and those of `dressed` and `answers`. palms: of the palm detector; arms: the crops at their ends."""
    seen = dressed.palms_in(photos)
    looks = _added(once, dressed.looks(landmark_network, photos, seen, once))
    if answers is None:
        return looks
    looks = [[answers.sided(photo, look) for look in own] for photo, own in zip(photos, looks, strict=True)]
    closer = dressed.palms_closer(photos, looks)
    every = [a + b + c for a, b, c in zip(palms, seen, closer, strict=True)]
    return _with(looks, answers.looks(photos, every, arms, looks))


def _added(once: Looks, more: Looks) -> Looks:
    """More hands, none of which is one of these, or a part of one."""
    return [
        own + [look for look in each_once(new) if not any(_same(look, one) or _part(look, one) for one in own)]
        for own, new in zip(once, more, strict=True)
    ]


def _with(looks: Looks, more: Looks) -> Looks:
    return [a + b for a, b in zip(looks, more, strict=True)]


def _unknown(crops: list[list[Crop]], looks: Looks) -> list[list[Crop]]:
    """The crops whose middle lies in no hand that is found."""
    return [
        [crop for crop in own if not any(look.holds(crop) for look in known if look.found)]
        for own, known in zip(crops, looks, strict=True)
    ]


def _two_passes(landmark_network: nn.Module, photos: Sequence[np.ndarray], crops: list[list[Crop]]) -> Looks:
    """`two_pass_check` of these crops of each photo."""
    starts = [(photo, crop) for photo, own in zip(photos, crops, strict=True) for crop in own]
    looks = iter(two_pass_check(landmark_network, starts))
    return [[next(looks) for _ in own] for own in crops]


def _all_round(landmark_network: nn.Module, photos: Sequence[np.ndarray], crops: list[list[Crop]]) -> Looks:
    """The best looks at these crops of each photo, turned any way."""
    targets = [Target(photo, tuple(all_round(crop))) for photo, own in zip(photos, crops, strict=True) for crop in own]
    looks = iter(every_one(settle(landmark_network, targets)))
    return [[next(looks) for _ in own] for own in crops]


def whole_photo(photo: np.ndarray) -> Crop:
    """The crop of a hand that fills the photo."""
    height, width = photo.shape[:2]
    return Crop((width - 1) / 2, (height - 1) / 2, 1.2 * max(height, width))


def each_once(looks: list[CropHypothesis]) -> list[CropHypothesis]:
    """The looks at hands, best first, without those that show one again, or a part of a surer one."""
    good = sorted((look for look in looks if look.found), key=lambda look: -look.score)
    once: list[CropHypothesis] = []
    for look in good:
        if not any(_same(look, other) or _part(look, other) for other in once):
            once.append(look)
    return once


def _same(a: CropHypothesis, b: CropHypothesis) -> bool:
    """Whether two looks show one hand: their boxes nearly coincide, or overlap and landmarks lie close. One that an arm
    alone tells of is any hand seen near there."""
    shared = float(overlap(a.box, b.box[None])[0])
    if a.placed != b.placed:
        return shared > SAME_PLACE
    apart = np.linalg.norm(a.landmarks - b.landmarks, axis=1).mean() / min(a.crop.size, b.crop.size)
    return shared > 0.6 or (shared > 0.25 and apart < 0.2)


def _part(look: CropHypothesis, other: CropHypothesis) -> bool:
    """Whether an unsure look shows a part of another one's hand."""
    smaller = look.crop.size < PART * other.crop.size
    return other.sure and not look.sure and smaller and other.holds(look.crop)
