"""Lens distortion by OpenCV's formulas, there and back: normalised places (x/z, y/z) to bent ones.

`opencv`: 4, 5, 8 or 12 numbers, k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4]]], as `cv2.projectPoints` (D. Brown 1971, with
the rational and thin-prism terms); `fisheye`: 4 numbers k1..k4 of the angle off the axis, as `cv2.fisheye` (J. Kannala
and S. Brandt 2006). The way back is Newton's: OpenCV's fixed-point iteration has the same answer where it converges.
"""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError

OPENCV, FISHEYE = "opencv", "fisheye"
LENSES = (OPENCV, FISHEYE)
COUNTS = {OPENCV: (0, 4, 5, 8, 12), FISHEYE: (0, 4)}
STEPS, CLOSE = 30, 1e-10  # Newton's steps, and how near (of a focal length) the answer bends back


def check_distortion(values, lens: str) -> np.ndarray:
    """The coefficients (n,) as float64. InputError: an unknown lens, another count, or anything not finite.

    Trailing zeros count for nothing, so that 14 numbers without tilt are 12, and a lens of zeros has none.
    """
    if lens not in LENSES:
        raise InputError(f"unknown lens {lens!r}: expected one of {', '.join(LENSES)}")
    try:
        numbers = np.array(values if values is not None else (), np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise InputError(f"distortion is not numeric: {error}") from error
    if not np.isfinite(numbers).all():
        raise InputError("distortion has NaN or infinite numbers")
    used = len(np.trim_zeros(numbers, "b"))
    fitting = next((count for count in COUNTS[lens] if count >= used), None)
    if fitting is None:
        raise InputError(f"distortion has {len(numbers)} numbers, a {lens} lens has {' or '.join(_counts(lens))}")
    return np.pad(numbers[:fitting], (0, max(0, fitting - len(numbers))))


def _counts(lens: str) -> list[str]:
    return [str(count) for count in COUNTS[lens] if count]


def distort(places: np.ndarray, coefficients: np.ndarray, lens: str = OPENCV) -> np.ndarray:
    """Normalised places (..., 2) of an ideal camera to where the lens shows them (..., 2)."""
    places = np.asarray(places, np.float64)
    if not len(coefficients):
        return places.copy()
    if lens == FISHEYE:
        radius = np.hypot(places[..., 0], places[..., 1])
        angle = np.arctan(radius)
        bent = _angle(angle, coefficients)[0]
        return places * np.where(radius > 1e-12, bent / np.maximum(radius, 1e-300), 1.0)[..., None]
    return _brown(places, coefficients)[0]


def undistort(places: np.ndarray, coefficients: np.ndarray, lens: str = OPENCV) -> np.ndarray:
    """Normalised places (..., 2) in the photo to those of an ideal camera (..., 2); NaN where the lens shows nothing:
    beyond what its polynomial can mean, or (fisheye) behind the camera."""
    places = np.asarray(places, np.float64)
    if not len(coefficients):
        return places.copy()
    if lens == FISHEYE:
        return _from_fisheye(places, coefficients)
    found = places.copy()
    for _ in range(STEPS):
        there, slope = _brown(found, coefficients)
        missing = places - there
        determinant = slope[..., 0, 0] * slope[..., 1, 1] - slope[..., 0, 1] * slope[..., 1, 0]
        safe = np.where(np.abs(determinant) > 1e-9, determinant, np.nan)
        step = np.stack(
            [
                (slope[..., 1, 1] * missing[..., 0] - slope[..., 0, 1] * missing[..., 1]) / safe,
                (slope[..., 0, 0] * missing[..., 1] - slope[..., 1, 0] * missing[..., 0]) / safe,
            ],
            axis=-1,
        )
        found = found + np.clip(step, -0.2, 0.2)  # a long step would leave the branch that the lens shows
        if np.nanmax(np.abs(step), initial=0.0) < CLOSE:
            break
    there, slope = _brown(found, coefficients)
    turned = slope[..., 0, 0] * slope[..., 1, 1] - slope[..., 0, 1] * slope[..., 1, 0]
    good = (np.abs(there - places).max(axis=-1) < 1e-6) & (turned > 0)
    return np.where(good[..., None], found, np.nan)


def _brown(places: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bent places (..., 2) and their derivative (..., 2, 2)."""
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = np.pad(coefficients, (0, 12 - len(coefficients)))
    x, y = places[..., 0], places[..., 1]
    r = x * x + y * y
    above, below = 1 + r * (k1 + r * (k2 + r * k3)), 1 + r * (k4 + r * (k5 + r * k6))
    radial = above / below
    rise = (k1 + r * (2 * k2 + 3 * r * k3) - radial * (k4 + r * (2 * k5 + 3 * r * k6))) / below  # d radial / d r
    bent = np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x) + r * (s1 + r * s2),
            y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y + r * (s3 + r * s4),
        ],
        axis=-1,
    )
    prism_x, prism_y = 2 * (s1 + 2 * r * s2), 2 * (s3 + 2 * r * s4)
    slope = np.empty((*places.shape, 2))
    slope[..., 0, 0] = radial + 2 * x * x * rise + 2 * p1 * y + 6 * p2 * x + prism_x * x
    slope[..., 0, 1] = 2 * x * y * rise + 2 * p1 * x + 2 * p2 * y + prism_x * y
    slope[..., 1, 0] = 2 * x * y * rise + 2 * p1 * x + 2 * p2 * y + prism_y * x
    slope[..., 1, 1] = radial + 2 * y * y * rise + 6 * p1 * y + 2 * p2 * x + prism_y * y
    return bent, slope


def _angle(angle: np.ndarray, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bent angle and its derivative."""
    k1, k2, k3, k4 = coefficients
    s = angle * angle
    bent = angle * (1 + s * (k1 + s * (k2 + s * (k3 + s * k4))))
    return bent, 1 + s * (3 * k1 + s * (5 * k2 + s * (7 * k3 + s * 9 * k4)))


def _from_fisheye(places: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    bent = np.hypot(places[..., 0], places[..., 1])
    angle = bent.copy()
    for _ in range(STEPS):
        there, slope = _angle(angle, coefficients)
        step = (bent - there) / np.where(slope > 1e-6, slope, np.nan)
        angle = angle + np.clip(step, -0.3, 0.3)
        if np.nanmax(np.abs(step), initial=0.0) < CLOSE:
            break
    good = (np.abs(_angle(angle, coefficients)[0] - bent) < 1e-6) & (angle >= 0) & (angle < 0.5 * np.pi - 1e-3)
    grown = np.where(bent > 1e-12, np.tan(angle) / np.maximum(bent, 1e-300), 1.0)
    return np.where(good[..., None], places * grown[..., None], np.nan)
