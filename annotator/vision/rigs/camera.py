"""One calibrated camera of a rig: from the rig's world to photo pixels and back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from annotator.errors import InputError
from annotator.vision.camera import check_camera
from annotator.vision.rigs.lens import OPENCV, check_distortion, distort, undistort

EXACT = 1e-12  # what is left of it by arithmetic
NEARLY = 1e-3  # how far R R' may be from 1: calibration files are rounded


@dataclass(frozen=True, eq=False)
class RigCamera:
    """K (3,3) px; distortion (n,) of `lens` (see `vision.rigs.lens`); a point X of the world is R X + t in the camera's
    frame (x right, y down, z forward), in the rig's unit; width, height px of its photos, 0 where they are not known.

    InputError for a K that is none, an R that is no rotation, or anything not finite.
    """

    name: str
    K: np.ndarray
    R: np.ndarray
    t: np.ndarray
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(0))
    lens: str = OPENCV
    width: int = 0
    height: int = 0

    def __post_init__(self) -> None:
        size = (int(self.height), int(self.width))
        object.__setattr__(self, "K", check_camera(self.K, size if min(size) > 0 else None))
        object.__setattr__(self, "distortion", check_distortion(self.distortion, self.lens))
        for name, shape in (("R", (3, 3)), ("t", (3,))):
            try:
                array = np.array(getattr(self, name), np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"{name} is not numeric: {error}") from error
            if name == "t" and array.size == 3:
                array = array.ravel()
            if array.shape != shape or not np.isfinite(array).all():
                raise InputError(f"{name} must be finite and of shape {shape}, it has shape {array.shape}")
            object.__setattr__(self, name, array)
        off = np.abs(self.R @ self.R.T - np.eye(3)).max()
        if off > NEARLY or np.linalg.det(self.R) < 0:
            raise InputError("R is not a rotation")
        if off > EXACT:
            u, _, v = np.linalg.svd(self.R)  # the nearest one
            object.__setattr__(self, "R", u @ v)
        for name in ("K", "R", "t", "distortion"):
            getattr(self, name).setflags(write=False)
        object.__setattr__(self, "width", int(self.width))
        object.__setattr__(self, "height", int(self.height))

    @property
    def centre(self) -> np.ndarray:
        """(3,) where it stands in the world."""
        return -self.R.T @ self.t

    @property
    def is_pinhole(self) -> bool:
        """Whether it has no distortion."""
        return not self.distortion.any()

    def to_camera(self, world: np.ndarray) -> np.ndarray:
        """(..., 3) of the world in the camera's frame."""
        return np.asarray(world) @ self.R.T + self.t

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """(..., 3) of the camera's frame in the world."""
        return (np.asarray(points) - self.t) @ self.R

    def normalised(self, pixels: np.ndarray) -> np.ndarray:
        """Ideal px (..., 2) as x/z, y/z."""
        pixels = np.asarray(pixels, np.float64)
        y = (pixels[..., 1] - self.K[1, 2]) / self.K[1, 1]
        return np.stack([(pixels[..., 0] - self.K[0, 2] - self.K[0, 1] * y) / self.K[0, 0], y], axis=-1)

    def pixels(self, normalised: np.ndarray) -> np.ndarray:
        """x/z, y/z (..., 2) as ideal px."""
        return np.asarray(normalised) @ self.K[:2, :2].T + self.K[:2, 2]

    def ideal(self, photo: np.ndarray) -> np.ndarray:
        """Photo px (..., 2) as px of the same camera without its distortion; NaN where its lens shows nothing."""
        if self.is_pinhole:
            return np.array(photo, np.float64)
        return self.pixels(undistort(self.normalised(photo), self.distortion, self.lens))

    def bent(self, ideal: np.ndarray) -> np.ndarray:
        """Ideal px (..., 2) as photo px: what `ideal` takes back."""
        if self.is_pinhole:
            return np.array(ideal, np.float64)
        return self.pixels(distort(self.normalised(ideal), self.distortion, self.lens))

    def project(self, world: np.ndarray) -> np.ndarray:
        """(..., 3) of the world in photo px (..., 2), through the lens. Points must be in front of the camera."""
        points = self.to_camera(world)
        return self.pixels(distort(points[..., :2] / points[..., 2:], self.distortion, self.lens))

    def pinhole_at(self, points: np.ndarray) -> tuple[np.ndarray, float]:
        """The pinhole K (3,3) that comes nearest to this camera with its lens at points (N,3) of the camera's frame,
        and how many photo px it is off there at most. A hand covers little of a photo, so a few numbers follow the lens
        there: tools that know pinholes alone draw the mesh where the photo has the hand."""
        if self.is_pinhole:
            return self.K.copy(), 0.0
        flat = points[:, :2] / points[:, 2:]
        photo = self.pixels(distort(flat, self.distortion, self.lens))
        one = np.ones(len(flat))
        x, *_ = np.linalg.lstsq(np.column_stack([flat, one]), photo[:, 0], rcond=None)
        y, *_ = np.linalg.lstsq(np.column_stack([flat[:, 1], one]), photo[:, 1], rcond=None)
        K = np.array([[x[0], x[1], x[2]], [0.0, y[0], y[1]], [0.0, 0.0, 1.0]])
        return K, float(np.linalg.norm(flat @ K[:2, :2].T + K[:2, 2] - photo, axis=1).max())

    def epipolar_line(self, other: RigCamera, place: np.ndarray, depths: np.ndarray) -> np.ndarray:
        """Where a photo place (2,) of this camera can be in the other camera's photo: px (n, 2), one for each depth
        (n,) along this camera's axis, NaN where it is behind the other camera or so far aside that its lens shows it
        nowhere."""
        ray = np.append(self.normalised(self.ideal(place)), 1.0)
        seen = other.to_camera(self.to_world(ray * np.asarray(depths)[:, None]))
        front = seen[:, 2] > 1e-9
        found = np.full((len(seen), 2), np.nan)
        flat = seen[front, :2] / seen[front, 2:]
        found[front] = other.bent(other.pixels(flat))
        if not other.is_pinhole:  # beyond its sight a lens's polynomial turns back into the photo
            back = other.normalised(other.ideal(found[front]))
            strays = ~(np.linalg.norm(back - flat, axis=1) < NEARLY * (1 + np.linalg.norm(flat, axis=1)))
            found[np.flatnonzero(front)[strays]] = np.nan
        return found

    def check_photo(self, height: int, width: int) -> None:
        """InputError if a photo of this size (px) cannot be this camera's."""
        if self.width and self.height and (width, height) != (self.width, self.height):
            raise InputError(
                f"the photo is {width} x {height} px, camera {self.name!r} is calibrated for {self.width} x "
                f"{self.height} px"
            )
        if not self.width and not (
            -0.5 * width < self.K[0, 2] < 1.5 * width and -0.5 * height < self.K[1, 2] < 1.5 * height
        ):
            raise InputError(
                f"the photo is {width} x {height} px, but the middle of camera {self.name!r} is at "
                f"({self.K[0, 2]:.0f}, {self.K[1, 2]:.0f})"
            )

    def as_dict(self) -> dict:
        """For `cameras.json`."""
        return {
            "K": self.K.tolist(), "dist": self.distortion.tolist(), "lens": self.lens, "R": self.R.tolist(),
            "t": self.t.tolist(), "width": self.width, "height": self.height,
        }  # fmt: skip
