"""Joint angles about anatomical axes in numpy: rotations, rates, coupled limits. And small rotations of the
whole hand.

The same convention as `annotator.hand.limits` (which is torch): R = F(flexion) A(abduction) T(twist),
intrinsic, about the rows of HandModel.anatomical_axes, with the same couplings of the limits. A test holds
both to each other.
"""

from __future__ import annotations

import math

import numpy as np

FLEXION, ABDUCTION, TWIST = 0, 1, 2
SPLAY_ENDS = math.radians(70.0)  # a finger cannot splay once its MCP joint is flexed this far
OVEREXTENSION_ENDS = math.radians(20.0)  # a PIP joint does not overextend while its DIP joint flexes
TWIST_AT_REST, TWIST_FULL = (
    0.4,
    math.radians(40.0),
)  # share of the thumb's twist at rest; all of it once it opposes
MCP, PIP, DIP, CMC = np.array([0, 3, 6, 9]), np.array([1, 4, 7, 10]), np.array([2, 5, 8, 11]), 12


def angles_to_rotations(angles: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Rotations (15,3,3) of angles (15,3) rad (flexion, abduction, twist) about axes (15,3,3)."""
    cx, cy, cz = np.cos(angles).T
    sx, sy, sz = np.sin(angles).T
    local = np.empty((len(angles), 3, 3))
    local[:, 0, 0], local[:, 0, 1], local[:, 0, 2] = cy * cz, -cy * sz, sy
    local[:, 1, 0], local[:, 1, 1], local[:, 1, 2] = cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy
    local[:, 2, 0], local[:, 2, 1], local[:, 2, 2] = sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy
    return axes.transpose(0, 2, 1) @ local @ axes


def rotations_to_angles(rotations: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Angles (15,3) rad of rotations (15,3,3): inverts `angles_to_rotations` for |abduction| < 90 deg."""
    local = axes @ rotations @ axes.transpose(0, 2, 1)
    flexion = np.arctan2(-local[:, 1, 2], local[:, 2, 2])
    abduction = np.arctan2(local[:, 0, 2], np.hypot(local[:, 1, 2], local[:, 2, 2]))
    return np.stack([flexion, abduction, np.arctan2(-local[:, 0, 1], local[:, 0, 0])], axis=-1)


def angle_rates(angles: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Columns (15,3,3): the turn w (rotation R becoming R exp([w])) per unit of each angle."""
    _, cy, cz = np.cos(angles).T
    _, sy, sz = np.sin(angles).T
    rates = np.zeros((len(angles), 3, 3))
    rates[:, 0, 0], rates[:, 1, 0], rates[:, 2, 0] = cy * cz, -cy * sz, sy
    rates[:, 0, 1], rates[:, 1, 1] = sz, cz
    rates[:, 2, 2] = 1.0
    return axes.transpose(0, 2, 1) @ rates


def coupled_limits(angles: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and most angles, each (15,3) rad, of a hand with angles (15,3) and constant limits (15,3,2).

    A finger's splay range shrinks linearly to nothing as its MCP joint flexes to 70 deg, a PIP joint's
    overextension as its DIP joint flexes to 20 deg; the thumb's CMC twist range grows from 40 % to all of it
    as flexion and abduction there make 40 deg.
    """
    least, most = limits[..., 0].copy(), limits[..., 1].copy()
    splay = 1.0 - np.minimum(np.maximum(angles[MCP, FLEXION] / SPLAY_ENDS, 0.0), 1.0)
    least[MCP, ABDUCTION] *= splay
    most[MCP, ABDUCTION] *= splay
    least[PIP, FLEXION] *= 1.0 - np.minimum(np.maximum(angles[DIP, FLEXION] / OVEREXTENSION_ENDS, 0.0), 1.0)
    opposed = max(angles[CMC, FLEXION], 0.0) + max(angles[CMC, ABDUCTION], 0.0)
    twist = TWIST_AT_REST + (1.0 - TWIST_AT_REST) * min(opposed / TWIST_FULL, 1.0)
    least[CMC, TWIST] *= twist
    most[CMC, TWIST] *= twist
    return least, most


def coupling_slopes(angles: np.ndarray) -> list[tuple[int, int, float, bool]]:
    """How the coupled limits of angles (15,3) move: (dependent, driver, slope, both), numbers into the
    raveled angles.

    The dependent angle's limit moves by slope times its constant limit per rad of the driver; only its least
    limit where `both` is False.
    """
    slopes = [
        (3 * j + ABDUCTION, 3 * j + FLEXION, -1.0 / SPLAY_ENDS, True)
        for j in MCP
        if 0 < angles[j, FLEXION] < SPLAY_ENDS
    ] + [
        (3 * j + FLEXION, 3 * j + 3 + FLEXION, -1.0 / OVEREXTENSION_ENDS, False)
        for j in PIP
        if 0 < angles[j + 1, FLEXION] < OVEREXTENSION_ENDS
    ]
    flexion, abduction = angles[CMC, FLEXION], angles[CMC, ABDUCTION]
    if max(flexion, 0.0) + max(abduction, 0.0) < TWIST_FULL:
        rise = (1.0 - TWIST_AT_REST) / TWIST_FULL
        slopes += [
            (3 * CMC + TWIST, 3 * CMC + axis, rise, True) for axis in (FLEXION, ABDUCTION) if angles[CMC, axis] > 0
        ]
    return slopes


def clamp_angles(angles: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """The angles (15,3) drawn into their coupled limits: what others depend on first."""
    angles = np.clip(angles, limits[..., 0], limits[..., 1])
    least, most = coupled_limits(angles, limits)
    return np.clip(angles, least, most)


def limit_excess(angles: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """How far (15,3) rad, never negative, the angles lie outside their coupled limits."""
    least, most = coupled_limits(angles, limits)
    return np.maximum(np.maximum(angles - most, least - angles), 0.0)


def _rodrigues(vector: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """[vector] (3,3), and sin(a)/a, (1 - cos(a))/a^2, (a - sin(a))/a^3 of its length a."""
    x, y, z = vector.tolist()
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    square = x * x + y * y + z * z
    if square < 1e-6:
        return cross, 1 - square / 6, 0.5 - square / 24, 1 / 6 - square / 120
    angle = math.sqrt(square)
    sine = math.sin(angle)
    return cross, sine / angle, (1 - math.cos(angle)) / square, (angle - sine) / (square * angle)


def rotation_matrix(vector: np.ndarray) -> np.ndarray:
    """The rotation (3,3) of one rotation vector (3,); `annotator.hand.rotation_matrices` without its per-call
    cost.
    """
    cross, first, second, _ = _rodrigues(vector)
    return np.eye(3) + first * cross + second * (cross @ cross)


def turn_rate(vector: np.ndarray) -> np.ndarray:
    """(3,3): the turn w per unit of a rotation vector (3,), exp([vector + d]) = exp([vector]) exp([rate d]).

    The right Jacobian of the rotation group (T. Barfoot, 'State Estimation for Robotics', 2017).
    """
    cross, _, second, third = _rodrigues(vector)
    return np.eye(3) - second * cross + third * (cross @ cross)
