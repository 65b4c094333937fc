"""Sigmas that mean what they say: fitted on held-out hands so that a 90 % interval holds nine errors of ten.

    python -m annotator.learning.calibration CHECKPOINT SHARDS [--count 1000]     writes the factors into CHECKPOINT

A sigma is a standard deviation along one axis. Under a normal distribution a distance in the photo is within 2.146
sigma, a distance in space within 2.500 sigma, nine times of ten (the 90 % quantiles of the chi distribution with 2 and
3 degrees of freedom): one factor for keypoints and one for vertices makes the share that held-out hands show equal to
that. Vertices are compared after moving the centroids together: a sigma is of the hand's shape, not of its place.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.stats import chi

from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.scoring import Run, rendered_answers
from annotator.network.checkpoint import load_checkpoint, save_checkpoint
from annotator.network.glfnet import GLFNet
from annotator.network.hand_meshes import PER_AXIS_2D, PER_AXIS_3D, HandMeshes

LEVELS = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
HELD = 0.9


@dataclass(frozen=True)
class Ratios:
    """Errors over sigmas: keypoints (S * 21,), vertices (S * V,); infinite weights nothing, NaN is left out."""

    keypoints: np.ndarray
    vertices: np.ndarray

    def shares(self, levels: np.ndarray = LEVELS) -> tuple[np.ndarray, np.ndarray]:
        """The share of errors within the interval of each level, for keypoints and for vertices."""
        keypoints, vertices = (
            np.array([np.mean(ratios <= chi.ppf(level, degrees)) for level in levels])
            if len(ratios)
            else np.full(len(levels), np.nan)
            for ratios, degrees in ((self.keypoints, 2), (self.vertices, 3))
        )
        return keypoints, vertices

    def factors(self, level: float = HELD) -> tuple[float, float]:
        """By what the sigmas of keypoints and of vertices must be multiplied for the interval of `level` to hold it."""
        keypoints, vertices = (
            float(np.quantile(ratios, level) / chi.ppf(level, degrees)) if len(ratios) else 1.0
            for ratios, degrees in ((self.keypoints, 2), (self.vertices, 3))
        )
        return keypoints, vertices


def centred_errors(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(S, N) distances after moving the centroids together."""
    return np.linalg.norm((points - points.mean(1, keepdims=True)) - (target - target.mean(1, keepdims=True)), axis=-1)


def ratios(network: GLFNet, run: Run, true_vertices: np.ndarray | None = None, min_weight: float = 0.3) -> Ratios:
    """The run's errors in units of the sigmas its hands would carry. true_vertices (S, V, 3) m, or None."""
    labels, last = run.labels, run.estimates[-1]
    known = labels.keypoint_weight.numpy() >= min_weight
    off = np.linalg.norm(last.keypoints - labels.keypoints.numpy(), axis=-1)
    keypoints = (off / (run.keypoint_sigma * PER_AXIS_2D))[known]
    vertices = np.empty(0)
    if true_vertices is not None and last.vertices is not None:
        sigma = run.joint_sigma @ HandMeshes(network.hand).vertex_weights.T * PER_AXIS_3D
        vertices = (centred_errors(last.vertices, true_vertices) / sigma).ravel()
    return Ratios(keypoints, vertices)


def pooled_ratios(network: GLFNet, folder: str | Path, count: int) -> Ratios:
    """The ratios on rendered photos, each twice: with landmarks as noisy as on real photos, and with the landmark
    network's own, which fail on renders. Neither is what a real photo gives; a hand's sigma must hold for both."""
    both = [
        ratios(network, *rendered_answers(network, RenderedCrops(folder, jitter=False), count, simulated))
        for simulated in (True, False)
    ]
    return Ratios(*(np.concatenate([getattr(one, name) for one in both]) for name in ("keypoints", "vertices")))


def calibrate(network: GLFNet, folder: str | Path, count: int = 1000) -> tuple[float, float]:
    """Sets the network's calibration from held-out rendered photos (see `pooled_ratios`); returns the factors applied.

    Photos of hands beyond the shape space (`--bones 0.15`) are what real hands are like: on hands of the training's own
    shapes sigmas come out too small.
    """
    factors = pooled_ratios(network, folder, count).factors()
    with torch.no_grad():
        network.unsure.calibration.mul_(torch.tensor(factors))
    return factors


def described(factors: tuple[float, float], count: int) -> str:
    """For the checkpoint's card."""
    return (
        f"calibrated on {count:,} held-out rendered photos: keypoints x {factors[0]:.2f}, vertices x {factors[1]:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("shards", type=Path, help="rendered photos held out of training")
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()
    network, card = load_checkpoint(arguments.checkpoint)
    card["sigma"] = described(calibrate(network, arguments.shards, arguments.count), arguments.count)
    save_checkpoint(arguments.checkpoint, network, card)
    print(card["sigma"])


if __name__ == "__main__":
    main()
