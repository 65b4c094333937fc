"""Gloves of synthetic hands: how they look, how thick they are, and where their cuff ends.

Thin rubber (nitrile, latex), leather, plain and patterned fabric, knitted ones, and work gloves whose palm and
fingertips are coated.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from annotator.synthetic.scene import cloth, linear

GLOVES = ("rubber", "leather", "fabric", "patterned", "knitted", "coated")
SHARES = (0.2, 0.2, 0.2, 0.1, 0.1, 0.2)
KNITTED, COATED = 6.0, 5.0  # the shader's patterns


@dataclass(frozen=True, eq=False)
class Glove:
    """kind: one of `GLOVES`; look: the shader's uniforms; cuff: those of its cuff; thick: m beyond the skin; length:
    m, how far the cuff reaches up the forearm; flare: m, how much wider than the arm it is there."""

    kind: str
    look: dict
    cuff: dict
    thick: float
    length: float
    flare: float


def random_glove(rng: np.random.Generator) -> Glove:
    """Any glove."""
    kind = str(rng.choice(GLOVES, p=SHARES))
    look = cloth(rng) | {"pattern": 0.0, "mottle": rng.uniform(0, 0.15)}
    thick = rng.uniform(0.0008, 0.003)
    if kind == "rubber":
        tones = ([0.15, 0.35, 0.75], [0.1, 0.1, 0.12], [0.93, 0.92, 0.88], [0.5, 0.3, 0.7], [0.95, 0.8, 0.2])
        tone = np.array(tones[rng.integers(len(tones))]) if rng.random() < 0.7 else _vivid(rng)
        look |= {"base": linear(tone), "gloss": rng.uniform(20, 70), "specular": rng.uniform(0.1, 0.8)}
        look |= {"bump": rng.uniform(0, 0.6), "grain": rng.uniform(0, 0.04), "wrap": rng.uniform(0, 0.3)}
        thick = rng.uniform(0.0002, 0.0012)
    elif kind == "leather":
        brown = np.array([0.55, 0.36, 0.2]) * rng.uniform(0.15, 1.5)
        tone = brown + (np.array([0.85, 0.75, 0.55]) - brown) * rng.uniform(0, 0.6)
        tone = np.full(3, rng.uniform(0.03, 0.2)) if rng.random() < 0.4 else tone
        look |= {"base": linear(tone), "gloss": rng.uniform(8, 40), "specular": rng.uniform(0.02, 0.4)}
        look |= {"bump": rng.uniform(0.5, 2.0), "mottle": rng.uniform(0.05, 0.5)}
    elif kind == "patterned":
        look |= {"pattern": float(rng.integers(1, 5)), "base": linear(_vivid(rng)), "second": linear(_vivid(rng))}
    elif kind == "knitted":
        look |= {"pattern": KNITTED, "pattern_scale": rng.uniform(60, 250), "bump": rng.uniform(0.5, 1.5)}
        look |= {"second": np.clip(look["base"] * rng.uniform(0.4, 0.9), 0, 1)}
    elif kind == "coated":
        look |= {"pattern": COATED, "base": linear(_vivid(rng) if rng.random() < 0.5 else np.full(3, rng.random()))}
        look |= {"second": linear(_vivid(rng) if rng.random() < 0.5 else np.full(3, rng.uniform(0.05, 0.5)))}
    elif rng.random() < 0.7:  # plain fabric: saturated colours as well as cloth's greys
        look |= {"base": linear(_vivid(rng))}
    if kind in ("leather", "fabric", "coated") and rng.random() < 0.4:
        thick = rng.uniform(0.003, 0.006)  # padded
    cuff = look | {"pattern": 0.0 if kind == "coated" else look["pattern"]}
    if kind != "rubber" and rng.random() < 0.3:
        cuff = cuff | {"base": linear(_vivid(rng))}
    return Glove(kind, look, cuff, thick, rng.uniform(0.008, 0.11), max(0.0, rng.normal(0.001, 0.004)))


def _vivid(rng: np.random.Generator) -> np.ndarray:
    """Any colour (3,) sRGB, saturated ones as often as greyish ones."""
    return np.array(colorsys.hsv_to_rgb(rng.random(), rng.beta(1.5, 1.0), rng.beta(2.0, 1.0)))
