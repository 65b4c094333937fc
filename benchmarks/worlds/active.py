"""The world of the active-learning experiments: a pool, a test set and replay, as banks of the encoder's features.

The pool is rendered at another place (`annotator.synthetic.generate --domain workshop`): twelve sites, each with its
own pose, gloves or skin, lamps, view and background, the busiest some thirty times as frequent as the rarest. As in all
benchmarks on rendered photos, landmarks are simulated with the noise of real photos; here they also fail as a landmark
network does on gloves and tools: at each site four fingers, always the same, are folded, taken for their neighbour, or
put beside. Errors are means over sites: what was photographed most is not what matters most.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from annotator.evaluation.metrics import point_errors
from annotator.learning.data.bank import FeatureBank
from annotator.learning.data.noise import simulate_landmarks
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.data.sources import in_batches
from annotator.network.checkpoint import checkpoint_digest
from annotator.network.glfnet import GLFNet
from annotator.network.parametric import place
from annotator.synthetic.domain import DOMAINS
from annotator.synthetic.generate import generate
from annotator.synthetic.shards import SyntheticShards

SETS = {"pool": (1000, 920_004, "workshop"), "test": (500, 920_005, "workshop"), "replay": (2000, 910_003, "everyday")}
OLD = 200  # of the replay photos: test of what was known before
FAILURES = 4  # fingers a site
LEAST, ASIDE = 0.7, 28.0  # how far a finger is folded or taken for another, at least; px that it is put beside


@dataclass(frozen=True, eq=False)
class Photos:
    """N hands. bank: features (of the whole encoder, which stays as it is) and labels; landmarks (N, 21, 2) crop px and
    world (N, 21, 3) m: what the landmark network says; vertices (N, V, 3) m; site (N,): a number."""

    bank: FeatureBank
    landmarks: torch.Tensor
    world: torch.Tensor
    vertices: np.ndarray
    site: np.ndarray

    def __len__(self) -> int:
        return len(self.site)

    def batch(self, rows: np.ndarray):
        """Features and labels of these rows."""
        index = torch.from_numpy(np.asarray(rows, np.int64))
        features, labels = self.bank.batch(index)
        return features._replace(landmarks=self.landmarks[index], world=self.world[index]), labels

    @property
    def visible(self) -> np.ndarray:
        return self.bank.labels.visible.numpy() > 0


def photos(name: str, out: Path, network: GLFNet) -> Photos:
    """One of `SETS`, rendered and encoded if it is not there."""
    count, seed, domain = SETS[name]
    generate(out / name, count, seed, domain=domain)
    crops = RenderedCrops(out / name, jitter=False)
    folder = out / f"features-{name}-{checkpoint_digest(network)}"  # another model's would be taken for this one's
    if not (folder / "bank.json").exists():
        FeatureBank.build(folder, network.encoder.eval(), in_batches(crops, count), count)
    bank = FeatureBank(folder)
    truth = {key: values[:count] for key, values in SyntheticShards(out / name).labels.items()}
    site = sites_of(truth, domain)
    landmarks, world = simulate_landmarks(bank.labels, torch.Generator().manual_seed(seed))
    if domain == "workshop":
        landmarks, world = misled(landmarks, world, site)
    return Photos(bank, landmarks, world, crops.true_vertices(network.layer, count), site)


def sites_of(truth: dict[str, np.ndarray], domain: str) -> np.ndarray:
    """(N,) the number of each sample's site."""
    place_of = DOMAINS[domain]
    return np.array(
        [
            10 * int(k) + place_of.site([int(v) for v in s], int(k))
            for s, k in zip(truth["seed"], truth["kind"], strict=True)
        ]
    )


def misled(points: torch.Tensor, world: torch.Tensor, site: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Landmarks (N, 21, 2) px and (N, 21, 3) m with the failures of each hand's site."""
    points, world = points.clone(), world.clone()
    for number in np.unique(site):
        rows, random = np.flatnonzero(site == number), np.random.default_rng([99, int(number)])
        for finger in random.permutation(5)[:FAILURES]:
            own = [1 + 4 * finger + k for k in range(4)]
            beside = finger - 1 if finger > 1 else finger + 1
            share, how = random.uniform(LEAST, 1.0), int(random.integers(3))
            aside = random.normal(size=2)
            aside = torch.tensor(ASIDE * aside / np.linalg.norm(aside), dtype=points.dtype)
            for values, scale in ((points, 1.0), (world, 0.0011)):  # 1 px is about 1.1 mm
                for step, joint in enumerate(own[1:]):
                    now, root = values[rows, joint], values[rows, own[0]]
                    if how == 0:
                        values[rows, joint] = now + share * (root - now)
                    elif how == 1:
                        values[rows, joint] = now + share * (values[rows, 1 + 4 * beside + 1 + step] - now)
                    else:
                        values[rows, joint, :2] = now[:, :2] + aside * scale * (0.5, 0.8, 1.0)[step]
    return points, world


@torch.inference_mode()
def vertex_mm(network: GLFNet, data: Photos, rows: np.ndarray, batch: int = 50) -> np.ndarray:
    """(len(rows),) PA-MPVPE mm of the network's answers, no reflections."""
    network.eval()
    found = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        features, labels = data.batch(part)
        last = network.answer(features, labels.projection, labels.focal).final
        vertices = network.layer(last.rotations(), last.shape, last.offsets).numpy()
        found.append(1000 * point_errors(vertices, data.vertices[part]).mean(1))
    return np.concatenate(found)


@torch.inference_mode()
def keypoint_px(network: GLFNet, data: Photos, rows: np.ndarray) -> np.ndarray:
    """(len(rows), 21) px: how far the network's keypoints are from the truth."""
    features, labels = data.batch(rows)
    final = network.eval().answer(features, labels.projection, labels.focal).final
    return (
        (place(network.layer, final, labels.projection, labels.focal).keypoints - labels.keypoints).norm(dim=-1).numpy()
    )


def over_sites(errors: np.ndarray, site: np.ndarray) -> float:
    """The mean over sites of each site's mean."""
    return float(np.mean([errors[site == one].mean() for one in np.unique(site)]))
