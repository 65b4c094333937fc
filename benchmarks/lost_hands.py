"""Where hands of whole rendered scenes are lost, by kind of scene: on which step of the search.

    python benchmarks/lost_hands.py [--count 300] [--seed 77]

For who improves the finder: not on the seed of the frozen test (`scenes.py`, whose scenes and rules these are; a hand
counts as found here by the landmarks of the search, without a mesh). Of a hand that is asked for and not found:

unseen: no palm network, at no scale, and no arm has a place for it.
another's: all that points to it is taken for a part of a hand that is found.
astray: it is followed (`detection.answered`) from such a place, and the keypoints lead off it.
doubted: they lead to it, but it is not trusted, or is taken for a hand that is found.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from types import SimpleNamespace

import numpy as np
import torch
from scenes import KINDS, OVERLAP, Scene, scenes, score
from tables import markdown

import annotator
from annotator.detection.answered import starts
from annotator.detection.crop_hypotheses import CropHypothesis
from annotator.detection.hand_detector import HandDetector
from annotator.detection.searching import search
from annotator.vision.boxes import bounds, overlap
from annotator.vision.crops import Crop

STEPS = ("unseen", "another's", "astray", "doubted")
NEAR, LIKE = 0.35, 2.0  # of a hand's crop: how far one may lie from it; how much smaller or larger it may be


def points_to(crop: Crop, hand: Crop) -> bool:
    near = np.hypot(crop.cx - hand.cx, crop.cy - hand.cy) < NEAR * hand.size
    return bool(near and 1 / LIKE < crop.size / hand.size < LIKE)


def step(finder: HandDetector, photo: np.ndarray, keypoints: np.ndarray, found: list[CropHypothesis]) -> str:
    """On which step a hand (21, 2) that is in none of these looks is lost."""
    hand = Crop.from_landmarks(keypoints)
    (palms,) = finder.detector.detect_many([photo])
    (dressed,), (closer,) = finder.dressed.palms_in([photo]), finder.dressed.palms_closer([photo], [found])
    palms = [palm for palm in palms + dressed + closer if points_to(Crop.from_palm(palm), hand)]
    arms = [arm.crop for arm in finder.bodies.arms_in([photo], [found])[0] if points_to(arm.crop, hand)]
    if not palms and not arms:
        return "unseen"
    left = starts(palms, arms, found)
    if not left:
        return "another's"
    ends = finder.answers.follow(photo, left, hopeless=-np.inf)
    there = any(overlap(bounds(end.landmarks), bounds(keypoints)[None])[0] >= OVERLAP for end in ends)
    return "doubted" if there else "astray"


def lost(model: annotator.Model, one: Scene) -> tuple[list[bool], list[str]]:
    """Whether each hand asked for is found, and the steps on which the others are lost."""
    finder = model.finder
    networks = finder.landmark_network(), finder.detector, finder.bodies, finder.dressed, finder.answers
    (looks,) = search([one.photo], *networks)
    answers = [SimpleNamespace(confidence=look.trust, keypoints=look.landmarks, side=None) for look in looks]
    found, *_ = score(one, answers)
    asked = np.flatnonzero(one.asked)
    missing = [int(k) for k, hit in zip(asked, found, strict=True) if not hit]
    return found, [step(finder, one.photo, one.keypoints[k], looks) for k in missing]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=77)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = annotator.load_model(device="cpu")
    hands: dict[str, int] = defaultdict(int)
    steps: dict[str, Counter] = defaultdict(Counter)
    for one in scenes(options.count, options.seed):
        found, own = lost(model, one)
        for kind in (one.kind, "all"):
            hands[kind] += len(found)
            steps[kind].update(own)
    rows = [[kind, hands[kind], *(steps[kind][name] for name in STEPS)] for kind in [*KINDS, "all"]]
    print(f"{options.count} scenes, seed {options.seed}\n")
    print(markdown(["kind", "hands", *STEPS], rows))


if __name__ == "__main__":
    main()
