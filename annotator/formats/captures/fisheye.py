"""A fisheye camera as Project Aria's and Quest's calibrations describe it: FISHEYE624."""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError

RADIAL, TANGENTIAL, PRISM = 6, 2, 4  # coefficients


def fisheye_places(points: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """(N, 2) px, pixel centres at .0, of points (N, 3) in the camera's frame (OpenCV axes).

    parameters: focal length (one, or one for each axis), principal point, 6 radial, 2 tangential, 4 thin-prism
    coefficients: 15 or 16 numbers. The angle to the optical axis in radians is the distance from the middle before
    distortion: theta (1 + k1 theta^2 + ... + k6 theta^12). InputError for another number of parameters.
    """
    parameters = np.ravel(np.array(parameters, np.float64))
    if parameters.size == 3 + RADIAL + TANGENTIAL + PRISM:
        parameters = np.concatenate([parameters[:1], parameters])
    if parameters.size != 4 + RADIAL + TANGENTIAL + PRISM or not np.isfinite(parameters).all():
        raise InputError(f"a FISHEYE624 camera has 15 or 16 finite parameters, not {parameters.size}")
    focal, middle, k, (p0, p1), prism = np.split(parameters, [2, 4, 4 + RADIAL, 4 + RADIAL + TANGENTIAL])
    x, y, z = np.asarray(points, np.float64).T
    off = np.hypot(x, y)
    theta = np.arctan2(off, z)
    square = np.minimum(theta**2, np.pi**2)
    radial = 1 + sum(factor * square ** (n + 1) for n, factor in enumerate(k))
    scale = np.divide(theta, off, out=np.ones_like(off), where=off > 0) * radial
    u, v = x * scale, y * scale
    reach = u**2 + v**2
    twist = 2 * (u * p0 + v * p1)
    places = np.stack(
        [
            u + u * twist + p0 * reach + prism[0] * reach + prism[1] * reach**2,
            v + v * twist + p1 * reach + prism[2] * reach + prism[3] * reach**2,
        ],
        axis=1,
    )
    return places * focal + middle
