"""Labels as places in a photo: pictures that EXIF turns, pictures and cameras of another size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.formats.conventions.fillers import at_filler
from annotator.formats.conventions.remarks import remark
from annotator.formats.conventions.units import in_pixels
from annotator.formats.core.photo_files import image_size
from annotator.vision.camera import project
from annotator.vision.images.opening import opened_image

_ORIENTATION = 0x0112  # EXIF


@dataclass(frozen=True, eq=False)
class Picture:
    """The picture that a data set's labels are of. size: its (height, width) px; upright: (2, 3) from its pixels to
    those of the photo as it is shown, None where they are the same."""

    size: tuple[int, int]
    upright: np.ndarray | None = None

    @classmethod
    def of(cls, photo: Path, height: int | None = None, width: int | None = None) -> Picture:
        """By the size that the data set gives for its picture, None where it gives none.

        Where that is the file's own size and EXIF turns the picture on its side, labels are of the picture as it is
        stored. InputError naming both sizes where it is neither: labels of another picture, or of one that was made
        smaller since.
        """
        shown = image_size(photo)
        if height is None or width is None or (int(height), int(width)) == shown:
            return cls(shown)
        with opened_image(photo, str(photo)) as image:
            stored, turn = (image.height, image.width), image.getexif().get(_ORIENTATION, 1)
        if (int(height), int(width)) == stored and turn in _TURNS:
            remark("photo that EXIF turns, with labels of the picture as it is stored: they are turned with it")
            return cls(stored, _TURNS[turn](*stored))
        raise InputError(
            f"{photo.name} is {shown[1]} x {shown[0]} px, its annotation is of a picture of {width} x {height} px: "
            "labels of another size are not taken"
        )

    def places(self, points: np.ndarray, known: np.ndarray, box: np.ndarray | None = None, units: str = ""):
        """(points (21, 2), box (4,) x0, y0, x1, y1 or None) as px of the photo as it is shown. units: of both, see
        `units.in_pixels`. What only fills a row stays where it is, and is known by that."""
        filler, said = at_filler(points), points
        points, box = in_pixels(points, known & ~filler, box, self.size, units)
        if self.upright is not None:
            turn, shift = self.upright[:, :2], self.upright[:, 2]
            points = points @ turn.T + shift
            if box is not None:
                corners = box.reshape(2, 2) @ turn.T + shift
                box = np.concatenate([corners.min(0), corners.max(0)])
        return np.where(filler[:, None], said, points), box


# EXIF's value, of those that change width and height -> the map from stored pixels (height, width) to upright ones
_TURNS = {
    5: lambda height, width: np.array([[0.0, 1, 0], [1, 0, 0]]),
    6: lambda height, width: np.array([[0.0, -1, height - 1], [1, 0, 0]]),
    7: lambda height, width: np.array([[0.0, -1, height - 1], [-1, 0, width - 1]]),
    8: lambda height, width: np.array([[0.0, 1, 0], [-1, 0, width - 1]]),
}


def check_fit(record, size: tuple[int, int]) -> None:
    """InputError naming both, where a record's labels are no places in its photo of (height, width), or its camera does
    not see its joints where its keypoints are: labels or K of another resolution, lens distortion that nobody took out.

    Records with parameters of their own (our exports) are as they were written.
    """
    if record.parameters is not None:
        return
    height, width = size
    known = record.weights > 0
    points = record.keypoints[known]
    out = ((points < -0.5) | (points > (width - 0.5, height - 0.5))).any(1)
    if out.mean() > 0.5:
        low, high = points.min(0), points.max(0)
        raise InputError(
            f"most labels lie outside the photo: keypoints from ({low[0]:.0f}, {low[1]:.0f}) to "
            f"({high[0]:.0f}, {high[1]:.0f}) px, {record.photo.name} has {width} x {height} px"
        )
    if record.K is None or record.joints is None:
        return
    trust = known if record.joint_weights is None else known & (record.joint_weights > 0)
    trust &= record.joints[:, 2] > 0
    if trust.sum() < 4:
        return
    off = np.median(np.linalg.norm(project(record.joints, record.K)[trust] - record.keypoints[trust], axis=1))
    extent = float(np.ptp(record.keypoints[trust], axis=0).max())
    if off > max(0.1 * extent, 3.0):
        raise InputError(
            f"K (focal {record.K[0, 0]:.0f} px, centre {record.K[0, 2]:.0f}, {record.K[1, 2]:.0f}) puts the joints "
            f"{off:.0f} px from the labelled keypoints of a photo of {width} x {height} px: K of another resolution, "
            "or a distorted picture"
        )
