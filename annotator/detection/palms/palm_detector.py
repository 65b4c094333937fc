"""The palm detector: where hands are in a photo.

MediaPipe's single-shot detector (BlazePalm: Zhang et al. 2020, "MediaPipe Hands", arXiv 2006.10214) was trained on
squares of 192 x 192 px. Palms rather than hands: they are nearly square and rigid. Here it scans whole photos at
several scales (`palms.palm_scan`), each the way round that shows the brighter side right, so that a mirrored photo
gives the mirrored palms; square views, turned or not, it sees both ways round.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np
import torch
from torch import nn

from annotator.detection.anchors import Seen, in_view, merged
from annotator.detection.palms.exported_palm import exported_palms
from annotator.detection.palms.palm_network import PALM_WEIGHTS, PalmNetwork
from annotator.detection.palms.palm_scan import CELLS, Piece, pieces
from annotator.network.frozen.exported import Made
from annotator.network.layers import load_weights
from annotator.stopping import still_wanted
from annotator.vision.boxes import overlap
from annotator.vision.crops import Crop

INPUT = 192  # px, the side of what the network sees
FINEST = 300  # photo px that fill the network's 192 px at the finest scale, unless nothing is found
SCALES = (1, 2, 4, 8)  # the photo's longer side takes this many times 192 px
SMALL = 0.1  # of the photo's longer side: palms beside which smaller ones are likely
FARTHER = 1.6  # the farther view: the photo's longer side is this share of it
BATCH = 16


@dataclass(frozen=True, eq=False)
class Palm:
    """A detected palm.

    score: 0..1. box: x0, y0, x1, y1 in photo pixels round the palm (nearly square). points: (7, 2) photo
    pixels: wrist, knuckles of index, middle, ring and little finger, the thumb's two lower joints.
    """

    score: float
    box: tuple[float, float, float, float]
    points: np.ndarray


class PalmDetector(nn.Module):
    """MediaPipe's palm detector with its own weights, or with those of another file in `weights`. Deterministic; one
    instance can serve many photos."""

    def __init__(self, weights: str = PALM_WEIGHTS) -> None:
        super().__init__()
        self.network = PalmNetwork()
        load_weights(self.network, files("annotator.detection") / "weights" / weights)
        self.eval()
        self._made = Made()

    @property
    def _device(self) -> torch.device:
        return next(self.parameters()).device

    def detect(self, photo: np.ndarray, threshold: float = 0.5) -> list[Palm]:
        """Palms in a photo (H, W, 3) uint8, best first.

        The network finds hands of about a third of its 192 px, or more. It scans the whole photo at that size, at
        twice, four times and eight times that, while 192 px hold at least 300 of the photo's: hands down to 100 px, or
        to a 24th of a large photo. If nothing is found: the photo turned, and from farther away (a hand that fills it).
        If all palms are small, or still there is none: at a finer scale.
        """
        return self.detect_many([photo], threshold)[0]

    def detect_many(
        self, photos: Sequence[np.ndarray], threshold: float = 0.5, faint: float | None = None
    ) -> list[list[Palm]]:
        """`detect` for each of these photos. faint: palms down to this score follow, as they are seen beside those.
        They change nothing of what is searched for, nor of the others."""
        found: list[list[Palm]] = [[] for _ in photos]
        seen: list[list[Seen]] = [[] for _ in photos]
        least = threshold if faint is None else min(faint, threshold)
        for seen_in, wanted in ((self._at_scales, _none), (self._turned, _none), (self._finer, _none_or_small)):
            left = [k for k, photo in enumerate(photos) if wanted(found[k], photo)]
            for k, more in zip(left, seen_in([photos[k] for k in left], least), strict=True):
                seen[k] += more
                found[k] = _palms_once([_above(threshold, one) for one in seen[k]])
        if faint is None:
            return found
        return [palms + _beside(palms, _palms_once(own)) for palms, own in zip(found, seen, strict=True)]

    def glance(self, photos: Sequence[np.ndarray], farther: bool = False, threshold: float = 0.5) -> list[list[Palm]]:
        """The palms in one look at each whole photo, at the size that the network was trained for, or from farther
        away; in bfloat16 where the processor has it."""
        margin = FARTHER if farther else 1.0
        return [_palms_once(seen) for seen in self._scan(photos, [[1]] * len(photos), threshold, margin, bfloat16=True)]

    def at_scales(
        self, photos: Sequence[np.ndarray], scales: Sequence[int], threshold: float = 0.5
    ) -> list[list[Palm]]:
        """The palms in each whole photo whose longer side takes so many times the 192 px, at each of these scales."""
        return [_palms_once(seen) for seen in self._scan(photos, [scales] * len(photos), threshold)]

    def detect_in(self, photo: np.ndarray, views: Sequence[Crop], threshold: float = 0.5) -> list[Palm]:
        """Palms seen in any of these square views of a photo, best first, each once.

        Each view is looked at as it is and mirrored. A view's rotation turns what the network sees. Palms
        cut by a view's edge while the photo goes on are left out.
        """
        return _palms_once(self._look([(photo, view) for view in views], threshold))

    def _at_scales(self, photos: Sequence[np.ndarray], threshold: float) -> list[list[Seen]]:
        return self._scan(photos, [_scales(photo) for photo in photos], threshold)

    def _turned(self, photos: Sequence[np.ndarray], threshold: float) -> list[list[Seen]]:
        seen = []
        for photo in photos:
            height, width = photo.shape[:2]
            whole = Crop((width - 1) / 2, (height - 1) / 2, max(height, width))
            farther = replace(whole, size=FARTHER * whole.size)
            views = [view.turned(turn * math.pi / 2) for view in (whole, farther) for turn in range(4)][1:]
            seen.append(self._look([(photo, view) for view in views], threshold))
        return seen

    def _finer(self, photos: Sequence[np.ndarray], threshold: float) -> list[list[Seen]]:
        finer = [2 * _scales(photo)[-1] for photo in photos]
        enough = [max(photo.shape[:2]) >= scale * INPUT for photo, scale in zip(photos, finer, strict=True)]
        return self._scan(photos, [[scale] if has else [] for scale, has in zip(finer, enough, strict=True)], threshold)

    @torch.inference_mode()
    def _scan(
        self,
        photos: Sequence[np.ndarray],
        scales: Sequence[Sequence[int]],
        threshold: float,
        margin: float = 1.0,
        bfloat16: bool = False,
    ) -> list[list[Seen]]:
        """What is seen in each of these whole photos at each of its scales."""
        seen: list[list[Seen]] = [[] for _ in photos]
        wanted = sorted((scale, k) for k, own in enumerate(scales) for scale in own)
        everything = ((k, one) for scale, k in wanted for one in pieces(photos[k], INPUT * scale / margin, margin))
        # a GPU wants many at once; on a CPU that gains nothing, and every shape of a batch costs memory
        most = 0 if self._device.type == "cpu" else BATCH * INPUT**2
        for group in _alike(everything, most):
            still_wanted()
            pictures = torch.from_numpy(np.stack([one.picture for _, one in group])).permute(0, 3, 1, 2)
            for (k, one), scores, rows in zip(group, *self._said(pictures, bfloat16), strict=True):
                seen[k].append(one.palms(scores, rows, threshold))
        return seen

    @torch.inference_mode()
    def _look(self, views: Sequence[tuple[np.ndarray, Crop]], threshold: float) -> list[Seen]:
        """What is seen in each of these square views of photos, both ways round."""
        seen = []
        for start in range(0, len(views), BATCH):
            still_wanted()
            batch = views[start : start + BATCH]
            pictures = torch.from_numpy(np.stack([view.extract(photo, INPUT) for photo, view in batch]))
            pictures = pictures.permute(0, 3, 1, 2)
            scores, rows = self._said(torch.cat([pictures, pictures.flip(-1)]))
            for k, (photo, view) in enumerate(batch):
                ways = [(k, view), (k + len(batch), view.flipped())]
                both = [in_view(way, INPUT, photo.shape, scores[at], rows[at], threshold, CELLS) for at, way in ways]
                found, places, marks = (np.concatenate(part) for part in zip(*both, strict=True))
                seen.append((found, places, marks))
        return seen

    def _said(self, pictures: torch.Tensor, bfloat16: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The network's scores (B, A), 0..1, and rows (B, A, 18) for pictures (B, 3, H, W)."""
        network: nn.Module = self.network
        if self._device.type == "cpu":
            network = self._made.once("palms", bfloat16, lambda: exported_palms(self.network, bfloat16))
        rows, logits = network(pictures.to(self._device))
        return torch.sigmoid(logits.double()).cpu().numpy(), rows.float().cpu().numpy()


def _scales(photo: np.ndarray) -> list[int]:
    """The scales at which a photo is scanned, coarse to fine."""
    longer = max(photo.shape[:2])
    return [scale for scale in SCALES if scale == 1 or longer / scale >= FINEST]


def _alike(everything: Iterable[tuple[int, Piece]], most: int) -> Iterator[list[tuple[int, Piece]]]:
    """In groups of pictures of one shape, of at most `most` px or one picture."""
    group: list[tuple[int, Piece]] = []
    for item in everything:
        height, width, _ = item[1].picture.shape
        if group and (group[0][1].picture.shape != item[1].picture.shape or (len(group) + 1) * height * width > most):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _none(palms: list[Palm], photo: np.ndarray) -> bool:
    return not palms


def _none_or_small(palms: list[Palm], photo: np.ndarray) -> bool:
    """Whether there is none, or all are so small beside a photo that is not too large that smaller ones are likely."""
    if not palms:
        return True
    longer = max(photo.shape[:2])
    most = max(max(palm.box[2] - palm.box[0], palm.box[3] - palm.box[1]) for palm in palms)
    return most < SMALL * longer and 2 * _scales(photo)[-1] <= SCALES[-1]


def _above(threshold: float, seen: Seen) -> Seen:
    scores, boxes, points = seen
    kept = scores >= threshold
    return scores[kept], boxes[kept], points[kept]


def _beside(palms: list[Palm], others: list[Palm]) -> list[Palm]:
    """The others that none of the palms overlaps."""
    boxes = np.array([palm.box for palm in palms]).reshape(-1, 4)
    return [other for other in others if not (overlap(other.box, boxes) > 0).any()]


def _palms_once(seen: Sequence[Seen]) -> list[Palm]:
    return [Palm(*one) for one in merged(seen)]
