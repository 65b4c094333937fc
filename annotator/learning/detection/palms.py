"""The palm network learns of gloves from itself: what it says of a picture of bare, empty hands, a copy learns to say
of the same picture with the hands gloved, holding things and seen by a worse camera.

So boxes, points and anchors stay what they are, and no palm is labelled. Hands that the teacher misses teach nothing;
what it sees beside hands is unlearned. On real photos the copy learns to say what the teacher says.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from annotator.detection.anchors import anchors
from annotator.detection.palms.palm_network import PalmNetwork
from annotator.detection.palms.palm_scan import CELLS
from annotator.learning.detection.bank import SHOWN
from annotator.learning.detection.pictures import SIDE, Pair, Pictures

FROZEN = ("stem", "levels.0.", "levels.1.")  # at 96 and 48 px: edges and textures
RATE, BATCH, WARM = 3e-4, 24, 40
SEEN = 0.5  # the teacher's score from which a palm is one
PALM = [0, 1, 5, 9, 13, 17]  # keypoints whose middle is a palm's
KEPT = 0.995  # of the mean of the weights, at each step


def targets(rows: Tensor, scores: Tensor, pairs: Sequence[Pair]) -> tuple[Tensor, Tensor]:
    """What the student should say (B, A) 0..1, and how much each anchor counts (B, A), by what the teacher says of the
    twins: rows (B, A, 18), scores (B, A) 0..1."""
    middles = torch.from_numpy(anchors(SIDE, SIDE, CELLS)).float()
    target, weight = scores.clone(), torch.ones_like(scores)
    for k, pair in enumerate(pairs):
        if pair.hands is None:
            continue
        own = torch.zeros(len(middles), dtype=torch.bool)
        centres = middles + rows[k, :, :2]
        for keypoints, seen in pair.hands:
            points = torch.from_numpy(keypoints).float()
            low, high = points.min(0)[0], points.max(0)[0]
            size = (high - low).max()
            inside = ((middles > low - 0.15 * size) & (middles < high + 0.15 * size)).all(1)
            near = (centres - points[PALM].mean(0)).norm(dim=1) < 0.35 * size
            if seen >= SHOWN and bool((inside & near & (scores[k] > SEEN)).any()):
                own |= inside
            else:
                weight[k][inside] = 0
        target[k][~own] = 0
        target[k] = torch.where(target[k] > SEEN, (1 + target[k]) / 2, target[k])
    return target, weight


def loss(said: tuple[Tensor, Tensor], rows: Tensor, scores: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Of scores (cross entropy) and, at palms, of boxes and points (shares of the palm's size)."""
    own, logits = said
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    of_scores = (entropy * weight * torch.where(target > SEEN, 4.0, 1.0)).sum()
    sure = scores * weight * ((scores > 0.4) & (target > 0.4))
    size = rows[..., 2:3].clamp(min=8)
    of_rows = (F.smooth_l1_loss(own / size, rows / size, reduction="none", beta=0.05).mean(-1) * sure).sum()
    return (of_scores + 6 * of_rows) / (8 * len(target))


def tuned(
    teacher: PalmNetwork, pictures: Pictures, seconds: float, report: Callable[[int, float], None]
) -> PalmNetwork:
    """The mean of the weights along `seconds` of training from the teacher; report: told each step and its loss."""
    student = copy.deepcopy(teacher)
    for name, parameter in student.named_parameters():
        parameter.requires_grad_(not name.startswith(FROZEN))
    learned = [parameter for parameter in student.parameters() if parameter.requires_grad]
    mean = copy.deepcopy(student)
    optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.0)
    begun, step = time.monotonic(), 0
    while (share := (time.monotonic() - begun) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM) * (0.485 * (1 + math.cos(math.pi * share)) + 0.03)
        pairs = [pictures.pair() for _ in range(BATCH)]
        with torch.no_grad():
            rows, logits = teacher(_batch([pair.twin for pair in pairs]))
            scores = torch.sigmoid(logits)
        target, weight = targets(rows, scores, pairs)
        total = loss(student(_batch([pair.shown for pair in pairs])), rows, scores, target, weight)
        optimiser.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(learned, 2.0)
        optimiser.step()
        with torch.no_grad():
            kept = min(KEPT, (step + 1) / (step + 20))
            for averaged, now in zip(mean.parameters(), student.parameters(), strict=True):
                averaged.lerp_(now, 1 - kept)
        step += 1
        report(step, float(total.detach()))
    return mean


def _batch(pictures: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
