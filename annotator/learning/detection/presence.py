"""The look that confirms a hand learns of gloves: another linear layer on MediaPipe's own pooled vector.

Crops round rendered hands, loosely placed and then where the landmarks lead, say "hand"; crops beside hands, many of
them on forearms and sleeves, say "none". Bare, empty hands keep the presence that MediaPipe gives them. The layer stays
near MediaPipe's (ridge), since renders are not photos.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from annotator.learning.detection.bank import SHOWN
from annotator.network.encoders.mediapipe_hand import POOLED, MediaPipeHand
from annotator.synthetic.whole.cutouts import Cutout
from annotator.synthetic.whole.photos import backdrop, developed, extent, lay, placed
from annotator.vision.crops import Crop

SIDE = 448  # px of a photo with one cutout
SIZES = (50.0, 190.0)  # px, the longer side of a hand
LEAST = 35.0  # px, of a hand in its render
RIDGE = 0.05  # on the change of a weight, times the spread of what it weighs
NONE_BESIDE = 3.0  # how much a crop without a hand counts; a bare hand: 1
DRESSED = 1.5


@dataclass(frozen=True, eq=False)
class Looks:
    """pooled (N, 2, 1152): of crops and their mirror images; hand (N,): whether there is one; bare (N,): whether it is
    a twin's."""

    pooled: np.ndarray
    hand: np.ndarray
    bare: np.ndarray


def looks(
    rng: np.random.Generator, network: nn.Module, bank: Sequence[Cutout], places: Sequence[np.ndarray], count: int
) -> Looks:
    """Looks at `count` cutouts, at their twins, and beside them. network: the landmark network, or its graph."""
    bank = [cutout for cutout in bank if extent(cutout) > LEAST]
    behind = [backdrop(rng, SIDE, SIDE, places) for _ in range(150)]
    pooled, hand, bare = [], [], []
    for _ in range(count):
        cutout = bank[int(rng.integers(len(bank)))]
        assert cutout.bare is not None
        photo = behind[int(rng.integers(len(behind)))].copy()
        twin = photo.copy()
        pixels = math.exp(rng.uniform(*np.log(SIZES)))
        x, y = rng.uniform(0.3 * SIDE, 0.7 * SIDE, 2)
        place = placed(rng, cutout, pixels, (float(x), float(y)))
        lay(photo, cutout.colour, cutout.cover, place)
        lay(twin, cutout.bare[0], cutout.bare[1], place)
        photo, twin = developed(rng, photo), developed(rng, twin)
        every = place.points(cutout.keypoints)
        chosen = int(rng.integers(len(every)))
        for picture, is_twin in ((photo, False), (twin, True)):
            if cutout.shown[chosen] < SHOWN:
                continue
            crop = loosely(rng, every[chosen])
            for _ in range(2):
                seen, landmarks = _look(network, picture, crop)
                pooled.append(seen)
                hand.append(True)
                bare.append(is_twin)
                following = Crop.from_landmarks(landmarks)
                crop = replace(following, size=float(np.clip(following.size, crop.size / 3, crop.size * 3)))
        for _ in range(2):
            none = beside(rng, every, chosen)
            if none is not None:
                pooled.append(_look(network, photo if rng.random() < 0.6 else twin, none)[0])
                hand.append(False)
                bare.append(False)
    return Looks(np.stack(pooled), np.array(hand), np.array(bare))


def fitted(seen: Looks, network: MediaPipeHand) -> nn.Linear:
    """The presence layer learned from looks."""
    weight = network.presence.weight.detach()[0]
    bias = network.presence.bias.detach()[0].clone().requires_grad_(True)
    pooled = torch.from_numpy(seen.pooled.astype(np.float32))
    spread = pooled.reshape(-1, POOLED).std(0) + 1e-3
    hand, bare = torch.from_numpy(seen.hand)[:, None], torch.from_numpy(seen.bare)[:, None]
    said = torch.sigmoid(pooled @ weight + bias.detach())
    target = torch.where(bare, said, 0.01 + 0.98 * hand.float())
    counts = torch.where(bare, 1.0, torch.where(hand, DRESSED, NONE_BESIDE))
    change = torch.zeros(POOLED, requires_grad=True)
    optimiser = torch.optim.LBFGS([change, bias], max_iter=150, line_search_fn="strong_wolfe")

    def total() -> Tensor:
        optimiser.zero_grad()
        logits = pooled @ (weight + change / spread) + bias
        entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        value = (entropy * counts).mean() + RIDGE * change.square().sum()
        value.backward()
        return value

    optimiser.step(total)
    layer = nn.Linear(POOLED, 1)
    with torch.no_grad():
        layer.weight.copy_((weight + change / spread)[None])
        layer.bias.copy_(bias[None])
    return layer


def loosely(rng: np.random.Generator, keypoints: np.ndarray) -> Crop:
    """A crop round a hand, as a palm may place it."""
    crop = Crop.from_landmarks(keypoints)
    dx, dy, grow, turn = rng.normal(0, (0.06, 0.06, 0.12, 0.22))
    return Crop(
        crop.cx + dx * crop.size, crop.cy + dy * crop.size, crop.size * math.exp(grow), crop.angle + turn, crop.flip
    )


def beside(rng: np.random.Generator, hands: np.ndarray, chosen: int) -> Crop | None:
    """A crop in whose middle none of these hands (H, 21, 2) is; most of them on the chosen one's forearm."""
    for _ in range(20):
        size = math.exp(rng.uniform(math.log(60), math.log(260)))
        middle = rng.uniform(20, SIDE - 20, 2)
        if len(hands) and rng.random() < 0.6:
            wrist, knuckle = hands[chosen][0], hands[chosen][9]
            middle = wrist + (wrist - knuckle) * rng.uniform(0.7, 3) + rng.normal(0, 10, 2)
            size = float(np.ptp(hands[chosen], 0).max()) * rng.uniform(0.8, 2)
        if all(
            np.hypot(*((own.min(0) + own.max(0)) / 2 - middle)) > 0.25 * size + 0.45 * np.ptp(own, 0).max()
            for own in hands
        ):
            return Crop(middle[0], middle[1], size, rng.uniform(-math.pi, math.pi))
    return None


@torch.inference_mode()
def _look(network: nn.Module, photo: np.ndarray, crop: Crop) -> tuple[np.ndarray, np.ndarray]:
    """The pooled vectors (2, 1152) of a crop and its mirror image, and the landmarks (21, 2), photo px."""
    picture = torch.from_numpy(crop.extract(photo)).permute(2, 0, 1)[None]
    said = network(torch.cat([picture, picture.flip(-1)]))
    plain, mirrored = said.landmarks[..., :2].double().numpy()
    landmarks = crop.to_photo((plain + mirrored * (-1, 1) + (picture.shape[-1] - 1, 0)) / 2)
    return said.pooled.numpy().astype(np.float16), landmarks
