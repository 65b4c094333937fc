"""Depth images beside photos: how far away the surface is that each pixel sees.

Read are 16-bit PNG and TIFF in whole mm (DexYCB's aligned depth, most cameras), HO-3D's coding in an 8-bit colour PNG
(Hampali et al. 2020), `.npy` arrays (floats in m, whole numbers in mm), floating-point TIFF in m and OpenEXR in m (the
extra `formats`). Zero, negative or not finite means: nothing was measured there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.serialization.npz_arrays import WRONG
from annotator.vision.camera import check_camera
from annotator.vision.images.exr_files import read_exr
from annotator.vision.images.opening import judge_size, opened_image

MILLIMETRE = 0.001
HO3D_STEP = 0.00012498664727900177  # m: HO-3D's depth is (red + 256 green) of these
FARTHEST = 20.0  # m: beyond it no depth camera sees a hand
SPLAT = 3  # px: holes between the points of another camera that are filled, at most


@dataclass(frozen=True, eq=False)
class DepthImage:
    """Depths (H, W) in m, of the photo's own pixels; 0 where nothing was measured.

    sigma: m, how far one measurement may be off. InputError: wrong shape, or nothing measured at all.
    """

    depth: np.ndarray
    sigma: float = 0.003

    def __post_init__(self) -> None:
        depth = np.asarray(self.depth)
        if depth.ndim != 2 or depth.dtype.kind not in "fiu":
            raise InputError(f"a depth image is (H, W) numbers in m, got {depth.dtype} of shape {depth.shape}")
        depth = np.where(np.isfinite(depth) & (depth > 0) & (depth < FARTHEST), depth, 0).astype(np.float32)
        if not depth.any():
            raise InputError("the depth image has no measurement in it (all zero, or none between 0 and 20 m)")
        if not (np.isfinite(self.sigma) and self.sigma > 0):
            raise InputError(f"depth image: sigma is {self.sigma} m, expected a positive number")
        object.__setattr__(self, "depth", depth)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) px."""
        return self.depth.shape[0], self.depth.shape[1]

    def check_photo(self, height: int, width: int, name: str = "the depth image") -> None:
        """InputError, naming both sizes, unless the photo has the depth image's."""
        if self.size != (height, width):
            rows, columns = self.size
            raise InputError(f"{name} is {columns} x {rows} px, its photo {width} x {height}")

    def seen_by(
        self, K_depth: np.ndarray, K: np.ndarray, size: tuple[int, int], R: np.ndarray | None = None, t=None
    ) -> DepthImage:
        """The same depths for the pixels of a photo of another camera.

        K_depth, K (3,3): the depth camera's and the photo's intrinsics; size: the photo's (height, width); R (3,3),
        t (3,) m: a point X of the depth camera's frame is R X + t in the photo's. Of several points on a pixel the
        nearest counts; small gaps between points are closed by their neighbours.
        """
        K_depth, K = check_camera(K_depth), check_camera(K)
        rows, columns = np.nonzero(self.depth)
        z = self.depth[rows, columns].astype(np.float64)
        rays = np.stack([columns, rows, np.ones_like(rows)]).T @ np.linalg.inv(K_depth).T
        points = rays * z[:, None]
        if R is not None:
            points = points @ np.asarray(R, np.float64).T
        if t is not None:
            points = points + np.asarray(t, np.float64)
        points = points[points[:, 2] > 0]
        seen = points @ K.T
        places = np.rint(seen[:, :2] / seen[:, 2:]).astype(np.int64)
        height, width = size
        # one measurement covers as many of the photo's pixels as the photo is finer
        reach = min(int(np.ceil(max(K[0, 0] / K_depth[0, 0], K[1, 1] / K_depth[1, 1]) / 2)), SPLAT)
        found = np.full(height * width, np.inf)
        for dy in range(-reach + 1, reach):
            for dx in range(-reach + 1, reach):
                x, y = places[:, 0] + dx, places[:, 1] + dy
                inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
                np.minimum.at(found, y[inside] * width + x[inside], points[inside, 2])
        found[~np.isfinite(found)] = 0
        return DepthImage(found.reshape(height, width), self.sigma)


def read_depth(path: str | Path, size: tuple[int, int] | None = None, sigma: float = 0.003) -> DepthImage:
    """The depth image of a file.

    Parameters
    ----------
    path
        16-bit millimetres (PNG, TIFF), or metres (.npy, floating-point TIFF).
    size
        (height, width) of its photo, px, which it must have too.
    sigma
        One standard deviation of its values, m.

    Returns
    -------
    DepthImage
        Metres along the camera's z axis.

    Raises
    ------
    InputError
        One line that names the file: missing, not of a form that is read, of another size, or empty.
    """
    path = Path(path)
    try:
        image = DepthImage(_metres(path), sigma)
    except InputError as error:
        text = str(error)
        raise InputError(text if str(path) in text else f"{path}: {text}") from error
    if size is not None:
        image.check_photo(*size, str(path))
    return image


def _metres(path: Path) -> np.ndarray:
    if path.suffix.lower() == ".npy":
        array = _array(path)
        return array * (MILLIMETRE if array.dtype.kind in "iu" else 1.0)
    if path.suffix.lower() == ".exr":
        return read_exr(path)
    with opened_image(path, str(path)) as image:
        return _decoded(image, path)


def _array(path: Path) -> np.ndarray:
    with reading(path, "cannot be read as a .npy array", *WRONG):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InputError(f"{path}: a depth image is (H, W) numbers, this is {array.dtype} of shape {array.shape}")
    judge_size((array.shape[1], array.shape[0]), str(path))
    return np.array(array)


def _decoded(image: Image.Image, path: Path) -> np.ndarray:
    pixels = np.asarray(image)
    if pixels.ndim == 2 and pixels.dtype.kind == "f":
        return pixels
    if pixels.ndim == 2 and pixels.dtype.itemsize > 1:
        return pixels * MILLIMETRE
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4) and pixels.dtype == np.uint8 and not pixels[..., 2].any():
        return (pixels[..., 0].astype(np.float64) + 256.0 * pixels[..., 1]) * HO3D_STEP
    raise InputError(
        f"{path} is no depth image: expected 16-bit grey in mm, floats in m, or HO-3D's coding (blue is 0 everywhere)"
    )
