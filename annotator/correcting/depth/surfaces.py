"""A depth image read through a hand: how far away it says that each joint is.

Measured is the surface; asked for are joints inside the flesh. The hand as it is now says how deep under the skin each
joint lies: where the image has the surface nearer or farther than the mesh's at the same pixels, the joint is so too
(projective association as in R. Newcombe et al. 2011). Holes are left out; what stands in front of the hand, and the
flying pixels at its edges, differ from the hand's other pixels by more than a hand may, and are left out too.

That brings a hand near its surface; from there `surface_pairs` lays it on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotator.correcting.depth.depth_windows import DepthWindow
from annotator.correcting.depth.evidence import Depths
from annotator.hand.mesh import HandMesh
from annotator.vision.images.depth_images import DepthImage

WIDEST = 0.35  # m: how far the whole hand's distance may be off, at most
BIN = 0.005  # m
BULK = 0.025  # m: pixels of the hand lie within it of the hand's usual difference
THROUGH = 0.5  # a pixel behind the hand speaks so much against a difference, as a pixel of the hand speaks for it
AROUND = 0.016  # m: the skin that speaks of a joint is so near to it
UNDER = 0.028  # m: skin that far in front of a joint still covers it
FEWEST = 12  # pixels that say how far away a joint is
FEWEST_OF_HAND = 60  # pixels, without which a depth image says nothing of a hand
INDEPENDENT = 25.0  # neighbouring pixels share their errors: so many count as one


@dataclass(frozen=True, eq=False)
class SurfaceReading:
    """What a depth image says of a hand.

    depths: of the joints whose skin it sees, None where it sees too little; distance: m, the mean difference between
    the measured surface and the mesh's, along the camera's axis; covered: the share of the mesh's pixels that have a
    measurement of the hand itself.
    """

    depths: Depths | None
    distance: float
    covered: float


def read_surface(hand: HandMesh, image: DepthImage) -> SurfaceReading:
    """What the image says of where this hand's joints are. The hand's photo and the image share their pixels."""
    window = DepthWindow.around(hand, image)
    seen, measured = window.seen, window.depth[window.seen.rows, window.seen.columns]
    rays = np.stack([seen.columns, seen.rows, np.ones_like(seen.rows)]).T @ window.back.T
    skin = rays * seen.depth[:, None]  # (n,3) m
    apart = np.where(measured > 0, measured - skin[:, 2], np.nan)
    usual = _usual(apart[np.isfinite(apart)])
    if usual is None:
        return SurfaceReading(None, np.nan, 0.0)
    with np.errstate(invalid="ignore"):
        own = np.abs(apart - usual) < BULK
    covered = float(own.mean())
    if own.sum() < FEWEST_OF_HAND:
        return SurfaceReading(None, np.nan, covered)
    depths, sigmas = {}, {}
    for joint, place in enumerate(hand.joints):
        beside = np.hypot(skin[:, 0] - place[0], skin[:, 1] - place[1])
        near = own & (beside < AROUND) & (np.abs(skin[:, 2] - place[2]) < UNDER)
        if near.sum() < FEWEST:
            continue
        said = apart[near]
        middle = float(np.median(said))
        spread = 1.48 * float(np.median(np.abs(said - middle)))
        depths[joint] = float(place[2]) + middle
        sigmas[joint] = float(np.hypot(image.sigma, spread / np.sqrt(1 + near.sum() / INDEPENDENT)))
    distance = float(np.abs(apart[own]).mean())
    return SurfaceReading(Depths(depths, sigmas) if depths else None, distance, covered)


def _usual(apart: np.ndarray) -> float | None:
    """The difference that most pixels agree on, m: where a hand of the wrong size was thought to be, all differ
    alike, and what is in front of it differs otherwise. Something flat in front may have more pixels that agree; but
    then the hand is seen through it, which cannot be."""
    reached = apart[np.abs(apart) < WIDEST]
    if len(reached) < FEWEST_OF_HAND:
        return None
    edges = np.arange(-WIDEST, WIDEST + BIN, BIN)
    counts = np.histogram(reached, edges)[0]
    wide = np.convolve(counts, np.ones(3), "same")  # a hand is no plane, and its bends are off too
    middles = edges[:-1] + BIN / 2
    behind = len(apart) - np.searchsorted(np.sort(apart), middles + BULK)
    peak = middles[int((wide - THROUGH * behind).argmax())]
    near = reached[np.abs(reached - peak) < BULK]
    return float(np.median(near)) if len(near) else None
