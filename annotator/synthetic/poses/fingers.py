"""Angles of single fingers and of the thumb, from which `poses` builds whole hands; degrees in, radians
out."""

from __future__ import annotations

from typing import Any

import numpy as np

from annotator.synthetic.poses.kinematics import FINGER_BASES

FOUR = ("index", "middle", "ring", "little")
# splay 1 = fingers well apart; degrees of abduction (positive: toward the thumb's side)
_SPLAY = {"index": 13.0, "middle": 1.0, "ring": -9.0, "little": -20.0}


def lerp(low: float, high: float, share: np.ndarray) -> np.ndarray:
    return low + (high - low) * share


def bend(angles, finger, mcp, pip, dip, rng, splay=0.0, jitter=1.0) -> None:
    """Set one finger (degrees); dip None couples the DIP joint to the PIP joint as tendons do."""
    n, base = len(angles), FINGER_BASES[finger]
    if dip is None:
        dip = pip * rng.uniform(0.45, 0.75, n) + rng.normal(0, 5, n)
    angles[:, base, 0] = np.deg2rad(mcp + jitter * rng.normal(0, 4, n))
    angles[:, base, 1] = np.deg2rad(_SPLAY[finger] * splay + jitter * rng.normal(0, 2.5, n))
    angles[:, base, 2] = np.deg2rad(jitter * rng.normal(0, 2, n))
    angles[:, base + 1, 0] = np.deg2rad(pip + jitter * rng.normal(0, 4, n))
    angles[:, base + 2, 0] = np.deg2rad(dip + jitter * rng.normal(0, 3, n))


def straight_fingers(n: int, rng: np.random.Generator, splay: np.ndarray) -> np.ndarray:
    angles = np.zeros((n, 15, 3))
    lean = rng.normal(0, 10, n)
    bow = np.abs(rng.normal(0, 8, n))
    for finger in FOUR:
        bend(
            angles,
            finger,
            lean + rng.normal(0, 5, n),
            bow + np.abs(rng.normal(0, 5, n)),
            None,
            rng,
            splay=splay[:, 0] + rng.normal(0, 0.15, n),
        )
    return angles


def fist_fingers(n: int, rng: np.random.Generator) -> np.ndarray:
    angles = np.zeros((n, 15, 3))
    tight = rng.uniform(0.8, 1.0, n)
    for finger in FOUR:
        bend(
            angles,
            finger,
            90 * tight + rng.normal(0, 4, n),
            102 * tight + rng.normal(0, 5, n),
            58 * tight + rng.normal(0, 8, n),
            rng,
            splay=rng.normal(-0.1, 0.1, n),
            jitter=0.6,
        )
    return angles


# Abduction (out of the palm's plane) of a thumb that is not put anywhere, degrees from the hand model's rest pose
NATURAL, NATURAL_SPREAD = -9.0, 9.0


def thumb(n: int, rng: np.random.Generator, flexion, abduction, mcp, ip) -> np.ndarray:
    """(n,3,3) thumb angles from ranges in degrees; the saddle joint's twist follows flexion and abduction."""
    angles = np.zeros((n, 3, 3))
    flex, abduct = (rng.uniform(low, high, n) for low, high in (flexion, abduction))
    twist = -0.5 * np.maximum(abduct, 0) - 0.55 * flex + rng.normal(0, 6, n)
    turns: tuple[tuple[Any, Any, Any], ...] = (
        (flex, abduct, twist),
        (rng.uniform(mcp[0], mcp[1], n), rng.normal(0, 4, n), rng.normal(0, 3, n)),
        (rng.uniform(ip[0], ip[1], n), 0.0, 0.0),
    )
    for joint, (a, b, c) in enumerate(turns):
        angles[:, joint, 0], angles[:, joint, 1], angles[:, joint, 2] = (
            np.deg2rad(a),
            np.deg2rad(b),
            np.deg2rad(c),
        )
    return angles


def any_thumb(rng: np.random.Generator, n: int) -> np.ndarray:
    angles = thumb(n, rng, (-28, 38), (-20, 52), (-12, 60), (-20, 80))
    # On triangulated hands the thumb's MCP joint stays 23 mm (sd 7) before the palm, at rest and in use: three in four
    # lie so. Without this a network has thumbs stick out of the palm, and their tips are 28 mm wrong.
    near = rng.random(n) < 0.75
    by_the_palm = thumb(n, rng, (-28, 32), (0, 0), (-12, 60), (-20, 80))
    abduct = rng.normal(NATURAL, NATURAL_SPREAD, n)
    by_the_palm[:, 0, 1] = np.deg2rad(abduct)
    by_the_palm[:, 0, 2] -= np.deg2rad(0.5 * np.maximum(abduct, 0))
    angles[near] = by_the_palm[near]
    # MCP and IP bend together more often than not
    together = rng.random(n) < 0.5
    angles[together, 2, 0] = np.deg2rad(
        np.clip(np.rad2deg(angles[together, 1, 0]) * 1.1 + rng.normal(0, 12, int(together.sum())), -20, 80)
    )
    return angles


def open_thumb(rng: np.random.Generator, n: int) -> np.ndarray:
    return thumb(n, rng, (-28, 5), (-24, 14), (-10, 20), (-20, 30))
