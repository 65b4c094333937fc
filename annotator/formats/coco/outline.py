"""A hand's outline in its photo, as polygons: what COCO calls a segmentation."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import ConvexHull, QhullError

from annotator.formats.core.base import LabelledHand
from annotator.vision.camera import project

LONGER = 512  # pixels of the picture that the mesh is drawn into, along the longer side of its box
COARSE = 0.5  # of these pixels: how far a polygon may leave the outline
SMALLEST = 1e-3  # of the largest ring's area: smaller rings are crumbs


def outline(record: LabelledHand) -> list[list[float]]:
    """Polygons x0, y0, x1, y1, ... in photo px (pixel centres at .0) round the hand's mesh as the camera sees it;
    without a mesh or a camera, round its labelled keypoints. Empty where there are fewer than three of these.

    Rings inside (a thumb touching a finger) are filled, as COCO's polygons cannot say holes.
    """
    if record.vertices is None or record.faces is None or record.K is None or (record.vertices[:, 2] <= 0).any():
        return _hull(record.keypoints[record.weights > 0])
    # half a second that whoever only reads need not wait: it imports SciPy's signal processing
    from skimage.measure import approximate_polygon, find_contours

    points = project(record.vertices, record.K)
    low, high = points.min(0), points.max(0)
    scale = LONGER / max(float((high - low).max()), 1e-6)
    drawn = (points - low) * scale + 2
    width, height = (int(np.ceil(n)) + 5 for n in (high - low) * scale)
    picture = Image.new("L", (width, height))
    draw = ImageDraw.Draw(picture)
    for face in drawn[record.faces]:
        draw.polygon([tuple(point) for point in face.tolist()], fill=1)
    rings = [approximate_polygon(ring, COARSE)[:-1, ::-1] for ring in find_contours(np.asarray(picture, float), 0.5)]
    rings = [ring for ring in rings if len(ring) >= 3]
    areas = [_signed(ring) for ring in rings]
    # find_contours runs round what is high in one direction and round holes in the other
    outer = np.sign(areas[int(np.argmax(np.abs(areas)))]) if rings else 1.0
    kept = [r for r, a in zip(rings, areas, strict=True) if a * outer > SMALLEST * np.abs(areas).max()]
    return [((ring - 2) / scale + low).round(2).ravel().tolist() for ring in kept]


def area_of(rings: list[list[float]]) -> float:
    """Of polygons that do not overlap, px."""
    return float(sum(abs(_signed(np.reshape(ring, (-1, 2)))) for ring in rings))


def _signed(ring: np.ndarray) -> float:
    x, y = ring.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _hull(points: np.ndarray) -> list[list[float]]:
    try:
        return [points[ConvexHull(points).vertices].ravel().tolist()]
    except (QhullError, ValueError):  # too few, or on a line
        return []
