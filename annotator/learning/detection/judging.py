"""How the judge of crops (`detection.judged`) learns what is a hand, and which: what both trunks say of rendered ones.

Hands that are gloved, hold things, touch or are bare lie in pictures over backgrounds; some pictures are empty. Crops
are followed there as in the search: from round each hand, from what the palm networks take for palms, from beside
hands. Where the keypoints end up says what each is: a hand's, if they lie on one. Real photos teach the same from the
hands of which MediaPipe is sure. Two ridge fits; the renders are the trunk's own, so that real photos keep a say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from annotator.detection.answered import PASSES, next_crop
from annotator.detection.hand_detector import HandDetector
from annotator.detection.judged import Pair, Way, biases, evidence, trunk_of
from annotator.detection.searching import search
from annotator.learning.detection.bank import SHOWN
from annotator.learning.detection.presence import SIDE, beside, loosely
from annotator.network.encoders.mediapipe_hand import POOLED, load_mediapipe_hand
from annotator.network.encoders.tuned import TunedMediaPipeEncoder
from annotator.synthetic.whole.cutouts import Cutout
from annotator.synthetic.whole.photos import backdrop, developed, extent, lay, placed
from annotator.vision.boxes import bounds, overlap
from annotator.vision.crops import Crop

LEAST = 35.0  # px, of a hand in its render
SIZES = (24.0, 280.0)  # px, the longer side of a hand
BARE, EMPTY, ASIDE = 0.2, 0.15, 0.5  # chances: of a twin; of a picture without hands; of a crop beside them
FAINT, PALMS = 0.25, 5  # least score of palms, and how many of a picture are followed
ON, NEAR, OFF = 0.4, 0.4, 0.2  # intersection over union, and error in hand sizes, of what is a hand; the former of none
SURE, SIDED = 0.9, 0.97  # of a real photo's hand: least trust, least probability of its side
NONE, FIRST = 1.5, 0.5  # how much a crop without a hand counts, and a first crop; any other: 1
RIDGES = 0.001, 0.003  # on weights times the spread of what they weigh: of a hand, of a side


@dataclass(frozen=True, eq=False)
class Followed:
    """pooled (N, 2, 2304): of crops and their mirror images; beside (N, 2): `evidence`; hand (N,): whether there is
    one; right (N,): whether it is a right one, of hands alone; first (N,): whether a crop is the first of its way."""

    pooled: np.ndarray
    beside: np.ndarray
    hand: np.ndarray
    right: np.ndarray
    first: np.ndarray


@dataclass(frozen=True, eq=False)
class _Shown:
    """A picture, the keypoints (H, 21, 2) of its hands, which are right ones, how much is seen of each; starts."""

    picture: np.ndarray
    hands: np.ndarray
    right: np.ndarray
    seen: np.ndarray
    starts: list[Crop]


def followed(
    rng: np.random.Generator,
    finder: HandDetector,
    bank: Sequence[Cutout],
    photos: Sequence[np.ndarray],
    places: Sequence[np.ndarray],
    count: int,
) -> Followed:
    """What is said of crops of `count` pictures of cutouts, and of these real photos."""
    assert finder.answers is not None
    rows: list[tuple] = []
    for shown in (*_real(rng, finder, photos), *_pictures(rng, finder, bank, places, count)):
        crops = shown.starts
        for number in range(PASSES):
            pairs = finder.answers.ways(shown.picture, crops)
            for pair in pairs:
                hand, which = _told(_surer(pair).keypoints, shown)
                if hand is not None:
                    pooled = np.stack([way.pooled for way in pair]).astype(np.float16)
                    rows.append((pooled, evidence(pair), hand, hand and shown.right[which], number == 0))
            crops = [next_crop(_surer(pair)) for pair in pairs]
    return Followed(*(np.array(column) for column in zip(*rows, strict=True)))


def fitted(told: Followed, encoder: TunedMediaPipeEncoder) -> dict[str, np.ndarray]:
    """The weights of a `TrunkJudge`."""
    pooled = torch.from_numpy(told.pooled.astype(np.float32))
    hand = torch.from_numpy(told.hand).float()
    middle = pooled.reshape(-1, 2 * POOLED).mean(0)
    counts = torch.where(hand > 0, 1.0, NONE) * torch.from_numpy(np.where(told.first, FIRST, 1.0)).float()
    ones = torch.ones(len(hand), 1)
    of_hand, bias = _ridge(pooled.mean(1) - middle, ones, hand, counts, RIDGES[0], _spread(pooled))
    apart = (pooled[:, 0] - pooled[:, 1])[told.hand][:, POOLED:]
    also = torch.from_numpy(told.beside[told.hand]).float()
    right = torch.from_numpy(told.right[told.hand]).float()
    of_side, weights = _ridge(apart, also, right, torch.ones(len(right)), RIDGES[1], _spread(apart))
    trunk = trunk_of(encoder)
    first = load_mediapipe_hand()
    from_first = trunk - biases(first.head_expand, first.head_depthwise)
    return {
        "hand": of_hand.numpy(),
        "bias": (bias - middle @ of_hand).numpy(),
        "side": of_side.numpy(),
        "beside": weights.numpy(),
        "trunk": trunk.astype(np.float16),
        "moved": np.array([np.linalg.norm(from_first)], np.float32),
    }


def _spread(values: Tensor) -> Tensor:
    return values.reshape(-1, values.shape[-1]).std(0) + 1e-3


def _ridge(
    x: Tensor, also: Tensor, target: Tensor, counts: Tensor, ridge: float, spread: Tensor
) -> tuple[Tensor, Tensor]:
    """Weights of a logistic in x (N, D) and in `also` (N, E), of which the latter are free."""
    own = torch.zeros(x.shape[1], requires_grad=True)
    free = torch.zeros(also.shape[1], requires_grad=True)
    scaled = x / spread
    optimiser = torch.optim.LBFGS([own, free], max_iter=120, history_size=20, line_search_fn="strong_wolfe")

    def total() -> Tensor:
        optimiser.zero_grad()
        entropy = F.binary_cross_entropy_with_logits(scaled @ own + also @ free, target, reduction="none")
        value = (entropy * counts).mean() + ridge * own.square().sum()
        value.backward()
        return value

    optimiser.step(total)
    return (own / spread).detach(), free.detach()


def _surer(pair: Pair) -> Way:
    return min(pair, key=lambda way: way.sigma)


def _told(keypoints: np.ndarray, shown: _Shown) -> tuple[bool | None, int]:
    """Whether these keypoints are a hand's, None where that is hard to say, and which one's."""
    if not len(shown.hands):
        return False, -1
    shares = [float(overlap(bounds(keypoints), bounds(own)[None])[0]) for own in shown.hands]
    which = int(np.argmax(shares))
    own = shown.hands[which]
    error = np.linalg.norm(keypoints - own, axis=1).mean() / np.ptp(own, 0).max()
    if shares[which] >= ON and error < NEAR and shown.seen[which] >= SHOWN:
        return True, which
    return (False if shares[which] < OFF else None), which


def _pictures(
    rng: np.random.Generator,
    finder: HandDetector,
    bank: Sequence[Cutout],
    places: Sequence[np.ndarray],
    count: int,
) -> Iterator[_Shown]:
    bank = [cutout for cutout in bank if extent(cutout) > LEAST]
    for _ in range(count):
        cutout = bank[int(rng.integers(len(bank)))]
        cutout = cutout.mirrored() if rng.random() < 0.5 else cutout
        assert cutout.bare is not None
        picture = backdrop(rng, SIDE, SIDE, places)
        x, y = rng.uniform(0.06 * SIDE, 0.94 * SIDE, 2)
        place = placed(rng, cutout, math.exp(rng.uniform(*np.log(SIZES))), (float(x), float(y)))
        hands, right, seen = place.points(cutout.keypoints), cutout.right, cutout.shown
        if rng.random() < EMPTY:
            hands, right, seen = hands[:0], right[:0], seen[:0]
        else:
            lay(picture, *(cutout.bare if rng.random() < BARE else (cutout.colour, cutout.cover)), place)
        picture = developed(rng, picture)
        inside = ((hands > 0) & (hands < SIDE - 1)).all(-1).mean(-1)
        seen = np.minimum(seen, inside)
        crops = [loosely(rng, own) for own, part in zip(hands, seen, strict=True) if part >= SHOWN]
        if rng.random() < ASIDE:
            crops += [crop for crop in [beside(rng, hands, int(rng.integers(max(len(hands), 1))))] if crop]
        yield _Shown(picture, hands, right, seen, crops + _palms(rng, finder, picture))


def _palms(rng: np.random.Generator, finder: HandDetector, picture: np.ndarray) -> list[Crop]:
    """Where palm networks send a search."""
    assert finder.dressed is not None
    scales = (1, 2) if rng.random() < 0.6 else (2, 4)
    (palms,) = finder.dressed.palms.at_scales([picture], scales, FAINT)
    (more,) = finder.detector.detect_many([picture], FAINT)
    best = sorted(palms + more, key=lambda palm: -palm.score)[:PALMS]
    return [Crop.from_palm(palm) for palm in best]


def _real(rng: np.random.Generator, finder: HandDetector, photos: Sequence[np.ndarray]) -> Iterator[_Shown]:
    for photo in photos:
        (looks,) = search([photo], finder.landmark_network(), finder.detector, finder.bodies)
        looks = [look for look in looks if look.trust > SURE and not look.placed]
        if looks and all(max(look.right, 1 - look.right) > SIDED for look in looks):
            hands = np.stack([look.landmarks for look in looks])
            right = np.array([look.right > 0.5 for look in looks])
            starts = [replace(loosely(rng, own), flip=False) for own in hands]
            yield _Shown(photo, hands, right, np.ones(len(hands)), starts)
