"""What the ablation and the supervision benchmark share: many small trainings with one budget, scored on one test set.

Every variant trains on the same feature bank of rendered photos (encoder as it comes, so that its features are computed
once), with the same batches, steps and rates, and is scored on the frozen mesh-truth set. A finished variant is not run
again: the folder keeps its scores.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from mesh_truth import joint_mm, photo_share, test_set, vertex_mm

from annotator.learning.data.bank import FeatureBank
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.data.samples import Labels
from annotator.learning.data.sources import BankSource, in_batches
from annotator.learning.losses import LossWeights, Supervision
from annotator.learning.scoring import rendered_answers
from annotator.learning.trainer import Trainer, TrainSettings
from annotator.network.glfnet import GLFNet, GLFNetConfig


@dataclass(frozen=True)
class Variant:
    """One training. relabel: what is left of the labels; rows: share of the bank's samples that are labelled;
    mesh: whether the true meshes supervise too."""

    network: GLFNetConfig = field(default_factory=GLFNetConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    relabel: Callable[[Labels], Labels] = lambda labels: labels
    rows: float = 1.0
    mesh: bool = False


@dataclass(frozen=True)
class Budget:
    """Equal for all variants of a table."""

    samples: int = 12_000
    steps: int = 600
    batch: int = 48
    scored: int = 1000
    seeds: int = 1


class VariantSource(BankSource):
    """A bank with a variant's labels; remembers which samples the last batch held."""

    def __init__(self, bank: FeatureBank, variant: Variant):
        super().__init__([bank], [1.0])
        self.variant = variant
        self.last = np.empty(0, int)

    def draw(self, batch: int, generator: np.random.Generator):
        bank = self.banks[0]
        self.last = np.sort(generator.integers(0, int(len(bank) * self.variant.rows), batch))
        features, labels = bank.batch(torch.from_numpy(self.last))
        return features, self.variant.relabel(labels)


class MeshSupervision(Supervision):
    """Full supervision, for comparison only: the true vertices beside the keypoints."""

    def __init__(self, network: GLFNet, weights: LossWeights, source: VariantSource, truth: dict[str, np.ndarray]):
        super().__init__(network, weights)
        self.source, self.truth = source, truth

    def forward(self, answer, labels):
        total, numbers = super().forward(answer, labels)
        rows = self.source.last
        with torch.no_grad():
            true = self.layer(*(torch.from_numpy(self.truth[n][rows]).float() for n in ("rotations", "shape")))
            true = true - true.mean(1, keepdim=True)
        last = len(answer.estimates) - 1
        for index, estimate in enumerate(answer.estimates):
            ours = self.layer(estimate.rotations(), estimate.shape, estimate.offsets)
            off = ((ours - ours.mean(1, keepdim=True) - true).square().sum(-1) + 1e-8).sqrt().mean() * 10.0
            weight = 1.0 if index in (0, last) else self.weights.between
            total = total + weight * self.weights.joints * off
        return total, numbers


def bank_of(shards: Path, out: Path, samples: int) -> FeatureBank:
    folder = out / f"bank-{samples}"
    if (folder / "bank.json").exists():
        return FeatureBank(folder)
    crops = RenderedCrops(shards, jitter=False)
    encoder = GLFNet(GLFNetConfig(levels=(), strides=())).encoder.eval()
    return FeatureBank.build(folder, encoder.stem, in_batches(crops, samples), samples)


def scores(name: str, variant: Variant, shards: Path, test: Path, out: Path, budget: Budget, seed: int) -> dict:
    """Per-hand errors of one trained variant: vertex_mm, joint_mm, parametric_mm, photo (share of the box), seconds."""
    path = out / f"{name}-{budget.steps}-{seed}.json"
    if path.exists():
        return {key: np.array(value) for key, value in json.loads(path.read_text()).items()}
    torch.manual_seed(seed)
    network = GLFNet(variant.network)
    source = VariantSource(bank_of(shards, out, budget.samples), variant)
    settings = TrainSettings(steps=budget.steps, batch=budget.batch, warmup=100, ema_decay=0.99, simulated=1.0,
                             seed=seed, save_every=1e9)  # fmt: skip
    trainer = Trainer(network, source, out / f"run-{name}-{seed}", settings, variant.losses)
    if variant.mesh:
        truth = RenderedCrops(shards, jitter=False).shards.labels
        trainer.supervision = MeshSupervision(network, variant.losses, source, truth)
    start = time.monotonic()
    network = trainer.run()
    seconds = time.monotonic() - start
    run, vertices = rendered_answers(network, test_set(test), budget.scored)
    found = {
        "vertex_mm": vertex_mm(run, vertices), "joint_mm": joint_mm(run), "parametric_mm": vertex_mm(run, vertices, 0),
        "photo": photo_share(run), "seconds": np.array([seconds]),
    }  # fmt: skip
    path.write_text(json.dumps({key: np.round(value, 6).tolist() for key, value in found.items()}))
    return found


def over_seeds(name: str, variant: Variant, shards: Path, test: Path, out: Path, budget: Budget) -> dict:
    """The mean over seeds of every hand's errors (the seeds see the same hands), and each seed's mean."""
    runs = [scores(name, variant, shards, test, out, budget, seed) for seed in range(budget.seeds)]
    merged = {key: np.mean([run[key] for run in runs], axis=0) for key in runs[0]}
    merged["by_seed"] = np.array([run["vertex_mm"].mean() for run in runs])
    return merged
