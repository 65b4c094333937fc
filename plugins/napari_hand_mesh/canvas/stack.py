"""The six layers of a hand in napari's viewer, as they are at first, and how new data gets into them quickly."""

from __future__ import annotations

from typing import NamedTuple

import napari
import numpy as np
from napari.layers import Image, Layer, Points, Vectors

from annotator.hand.joints import BONES
from napari_hand_mesh.canvas.emphasis import BONE_COLOURS, OPACITY
from napari_hand_mesh.canvas.markers import BORDER, LABEL_COLOUR, RINGS, SIZE, fills
from napari_hand_mesh.canvas.picture import PIXELS

PHOTO, OTHERS, MESH, SKELETON, KEYPOINTS = "photo", "other hands", "hand mesh", "skeleton", "keypoints"
LABELS = "labels to mesh"
OTHER_COLOUR = "#b8c4d0"  # hands that are not the one in work
DELETING = ("Delete", "Backspace", "1", "Control-V", "A", "Shift-A", "Control-A")


class Stack(NamedTuple):
    """Lowest first. others: the skeletons of the other hands; while a box is drawn, the box. labels: a row a joint."""

    photo: Image
    others: Vectors
    mesh: Image
    skeleton: Vectors
    labels: Vectors
    points: Points

    @classmethod
    def made(cls, viewer: napari.Viewer, marker_scale: float) -> Stack:
        """New ones in the viewer, empty. marker_scale: factor on the keypoints' diameter on the screen."""
        photo = viewer.add_image(np.zeros((8, 8, 3), np.uint8), rgb=True, name=PHOTO)
        others = viewer.add_vectors(
            np.zeros((0, 2, 2)), name=OTHERS, edge_color=OTHER_COLOUR, edge_width=1, vector_style="line", opacity=0.7,
            ndim=2,
        )  # fmt: skip
        mesh = viewer.add_image(
            np.zeros((PIXELS, PIXELS, 4), np.uint8), rgb=True, name=MESH, opacity=0.55, interpolation2d="linear"
        )
        skeleton = viewer.add_vectors(
            np.zeros((20, 2, 2)),
            name=SKELETON,
            edge_color=BONE_COLOURS,
            edge_width=2,
            vector_style="line",
            opacity=OPACITY,
        )
        labels = viewer.add_vectors(
            np.zeros((21, 2, 2)), name=LABELS, edge_color=LABEL_COLOUR, edge_width=1,
            vector_style="line", opacity=1.0, ndim=2, visible=False,
        )  # fmt: skip
        points = viewer.add_points(
            np.zeros((21, 2)), name=KEYPOINTS, face_color=fills(("proposed",) * 21), border_color=RINGS,
            border_width=BORDER, size=8, ndim=2, opacity=1.0, canvas_size_limits=(SIZE * marker_scale,) * 2,
        )  # fmt: skip
        # 21 keypoints in one order: nothing of napari's own may add, delete, paste or select
        for key in DELETING:
            points.bind_key(key, _nothing, overwrite=True)
        return cls(photo, others, mesh, skeleton, labels, points)


def put(layer: Layer, data: np.ndarray) -> None:
    """New data of a layer. Where it has the old one's shape, the array stays and napari draws it again, without what
    takes most of the time when data is set: extents of all layers (the photo's is as large as any), and a thumbnail,
    for which the whole list of layers is painted."""
    if layer.data.shape == data.shape and layer.data.flags.writeable:
        layer.data[:] = data
        layer.refresh(thumbnail=False, highlight=False, extent=False)
    else:
        layer.data = data


def bones_of(places: np.ndarray) -> np.ndarray:
    """(20, 2, 2): start and direction of each bone, from keypoints (21, 2)."""
    start = places[[a for a, _ in BONES]]
    return np.stack([start, places[[b for _, b in BONES]] - start], axis=1)


def _nothing(_layer) -> None:
    """What keys do that would add or delete keypoints."""
