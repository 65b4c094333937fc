"""The palm detector: where hands are in a photo.

MediaPipe's single-shot detector (BlazePalm: Zhang et al. 2020, "MediaPipe Hands", arXiv 2006.10214) sees a
square of 192 x 192 px. Palms rather than hands: they are nearly square and rigid. Here it looks at the whole
photo, letterboxed, and at overlapping tiles of large photos, each both ways round, so that a mirrored photo
gives the mirrored palms. (One way alone would find three hands in 244 fewer.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import torch
from torch import nn

from annotator.vision.crops import CROP_SIZE, Crop
from annotator.vision.fused_palm import fused_palms
from annotator.vision.layers import load_weights
from annotator.vision.palm_network import PALM_WEIGHTS, PalmNetwork

INPUT = 192  # px, the side of what the network sees
OVERLAP = 0.3  # intersection over union above which two boxes are one palm
TILE = 360  # px: the photo is not cut into smaller tiles, unless nothing is found
SHARES = (2, 4, 8)  # tiles are the photo's longer side divided by these
SHARED = 0.25  # of a tile is shared with its neighbour
EDGE = 0.01  # of a view: how far a palm may reach out of it
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
    """MediaPipe's palm detector with its own weights. Deterministic; one instance can serve many photos."""

    def __init__(self) -> None:
        super().__init__()
        self.network = PalmNetwork()
        load_weights(self.network, files("annotator.vision") / "weights" / PALM_WEIGHTS)
        self.eval()
        self._fused: nn.Module | None = None  # made when it is needed

    def detect(self, photo: np.ndarray, threshold: float = 0.5) -> list[Palm]:
        """Palms in a photo (H, W, 3) uint8, best first.

        The network finds hands of about a third of what it looks at, or more. It looks at the whole photo,
        then at overlapping tiles of half its size, a quarter, an eighth, while they are at least 360 px:
        hands down to 120 px, or to a 24th of a large photo. If nothing is found: the photo turned, and from
        farther away (a hand that fills it); if still nothing, smaller tiles.
        """
        return self.detect_many([photo], threshold)[0]

    def detect_many(
        self, photos: Sequence[np.ndarray], threshold: float = 0.5, quick: bool = False
    ) -> list[list[Palm]]:
        """`detect` for each of these photos, their views in common batches. quick: first one look at the whole photo, one
        way round; where that finds palms, no other."""
        found: list[list[Palm]] = [[] for _ in photos]
        ways = [(_plain_views, True), (_turned_views, True), (_smaller_views, True)]
        for views_of, mirrored in [(_whole_views, False), *ways] if quick else ways:
            open_ = [k for k, palms in enumerate(found) if not palms]
            views = [(k, view) for k in open_ for view in views_of(*photos[k].shape[:2])]
            seen = self._look([(photos[k], view) for k, view in views], threshold, mirrored)
            for k in open_:
                found[k] = _merge([palms for (of, _), palms in zip(views, seen, strict=True) if of == k])
        return found

    def detect_in(self, photo: np.ndarray, views: Sequence[Crop], threshold: float = 0.5) -> list[Palm]:
        """Palms seen in any of these square views of a photo, best first, each once.

        Each view is looked at as it is and mirrored. A view's rotation turns what the network sees. Palms
        cut by a view's edge while the photo goes on are left out: half a palm looks like another palm.
        """
        return _merge(self._look([(photo, view) for view in views], threshold))

    @torch.inference_mode()
    def _look(self, views: Sequence[tuple[np.ndarray, Crop]], threshold: float, mirrored: bool = True) -> list[Seen]:
        """What is seen in each of these views of photos; mirrored: both ways round."""
        device = next(self.parameters()).device
        if self._fused is None:
            self._fused = fused_palms(self.network)
        network = self._fused if device.type == "cpu" else self.network
        seen = []
        for start in range(0, len(views), BATCH):
            batch = views[start : start + BATCH]
            pictures = torch.from_numpy(np.stack([view.extract(photo, INPUT) for photo, view in batch]))
            pictures = pictures.permute(0, 3, 1, 2).to(device)
            raw, logits = network(torch.cat([pictures, pictures.flip(-1)]) if mirrored else pictures)
            scores, rows = torch.sigmoid(logits.double()).cpu().numpy(), raw.double().cpu().numpy()
            for k, (photo, view) in enumerate(batch):
                ways = [_palms(scores[k], rows[k], view, photo.shape, threshold)]
                if mirrored:
                    k += len(batch)
                    ways.append(_palms(scores[k], rows[k], view.flipped(), photo.shape, threshold))
                seen.append(tuple(np.concatenate(part) for part in zip(*ways, strict=True)))
        return seen


Seen = tuple[np.ndarray, np.ndarray, np.ndarray]  # scores (N,), boxes (N, 4), points (N, 7, 2), photo pixels


def _palms(score: np.ndarray, rows: np.ndarray, view: Crop, shape, threshold: float) -> Seen:
    """Whole palms in the network's answer (2016,), (2016, 18) to one view of a photo of this shape."""
    kept = np.flatnonzero(score >= threshold)
    # centre, size, seven points; in shares of the view
    places = rows[kept].reshape(-1, 9, 2) / INPUT
    places[:, 0] += ANCHORS[kept]
    places[:, 2:] += ANCHORS[kept, None]
    whole = ~_cut(places, view, shape)
    kept, places = kept[whole], places[whole]
    to_photo = view.to_photo(places * CROP_SIZE - 0.5)
    half = places[:, 1] * view.size / 2
    boxes = np.concatenate([to_photo[:, 0] - half, to_photo[:, 0] + half], axis=1)
    return score[kept], boxes, to_photo[:, 2:]


def _whole(height: int, width: int) -> tuple[Crop, list[float]]:
    """The view of a whole photo, and the sides of its tiles."""
    whole = Crop((width - 1) / 2, (height - 1) / 2, max(height, width))
    return whole, [whole.size / share for share in SHARES if whole.size / share >= TILE]


def _whole_views(height: int, width: int) -> list[Crop]:
    return [_whole(height, width)[0]]


def _plain_views(height: int, width: int) -> list[Crop]:
    whole, sides = _whole(height, width)
    return [whole, *(tile for side in sides for tile in _tiles(height, width, side))]


def _turned_views(height: int, width: int) -> list[Crop]:
    whole, _ = _whole(height, width)
    farther = Crop(whole.cx, whole.cy, 1.6 * whole.size)
    return [view.turned(k * math.pi / 2) for view in (whole, farther) for k in range(4)][1:]


def _smaller_views(height: int, width: int) -> list[Crop]:
    whole, sides = _whole(height, width)
    smaller = (sides[-1] if sides else whole.size) / 2
    return _tiles(height, width, smaller) if smaller >= INPUT else []


def overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Intersection over union of one box (4,) with each of boxes (N, 4); x0, y0, x1, y1."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    area = np.prod(np.clip(box[2:] - box[:2], 0, None))
    return shared / np.maximum(area + areas - shared, 1e-12)


def _cut(places: np.ndarray, view: Crop, shape) -> np.ndarray:
    """(N,) whether a box (places[:, 0] centre, [:, 1] size; shares of the view) is cut by its edge."""
    signs = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    corners = places[:, None, 0] + signs * places[:, None, 1]  # (N, 4, 2)
    beyond = ((corners < -EDGE) | (corners > 1 + EDGE)).any(-1)
    x, y = np.moveaxis(view.to_photo(corners * CROP_SIZE - 0.5), -1, 0)
    in_photo = (x >= 0) & (x <= shape[1] - 1) & (y >= 0) & (y <= shape[0] - 1)
    return (beyond & in_photo).any(1)


def _merge(seen: Sequence[Seen]) -> list[Palm]:
    """Weighted non-maximum suppression: what overlaps the best box is averaged with it, weighted by score."""
    nothing = (np.zeros(0), np.zeros((0, 4)), np.zeros((0, 7, 2)))
    scores, boxes, points = (np.concatenate(part) for part in zip(nothing, *seen, strict=True))
    remaining = np.argsort(-scores, kind="stable")
    palms = []
    while len(remaining):
        best = remaining[0]
        same = overlap(boxes[best], boxes[remaining]) > OVERLAP
        same[0] = True
        group, remaining = remaining[same], remaining[~same]
        weights = scores[group] / scores[group].sum()
        box = tuple(float(v) for v in weights @ boxes[group])
        palms.append(Palm(float(scores[best]), box, np.tensordot(weights, points[group], 1)))
    return palms


def _tiles(height: int, width: int, side: float) -> list[Crop]:
    """Squares of this side all over the photo."""
    return [Crop(x, y, side) for y in _middles(height, side) for x in _middles(width, side)]


def _middles(length: int, side: float) -> np.ndarray:
    """Middles of tiles of this side along an axis, evenly spread from end to end."""
    if length <= side:
        return np.array([(length - 1) / 2])
    count = math.ceil((length - side) / (side * (1 - SHARED))) + 1
    return np.linspace(side / 2 - 0.5, length - side / 2 - 0.5, count)


def _anchors() -> np.ndarray:
    """(2016, 2) anchor centres as shares of the input: two a cell of 24 x 24, then six a cell of 12 x 12."""
    rows = []
    for cells, each in ((24, 2), (12, 6)):
        middle = (np.arange(cells) + 0.5) / cells
        y, x = np.meshgrid(middle, middle, indexing="ij")
        rows.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2), each, axis=0))
    return np.concatenate(rows)


ANCHORS = _anchors()
