"""Benchmark 1, mesh truth: rendered hands whose meshes are known, from seeds that no training has seen.

    python benchmarks/mesh_truth.py DATA/test [--model CHECKPOINT] [--count 2000] [--own-landmarks] [--by-kind]

DATA/test is made on first use: 2,000 photos, seed 900001. Landmarks are simulated with the noise of real photos, since
the landmark network fails on rendered ones (--own-landmarks: takes its word all the same).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tables import better_by, interval, markdown

from annotator.evaluation import metrics
from annotator.hand.joints import JOINT_NAMES
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.scoring import Run, Scored, rendered_answers
from annotator.model import Model
from annotator.network.checkpoint import load_checkpoint
from annotator.rounds.trials.rendered_proposals import rendered_hands
from annotator.synthetic.generate import generate

SEED, COUNT = 900_001, 2000


def test_set(folder: Path, count: int = COUNT) -> RenderedCrops:
    """The frozen set, rendered if it is not there."""
    generate(folder, count, SEED)
    return RenderedCrops(folder, jitter=False)


def vertex_mm(run: Run, truth: np.ndarray, which: int = -1) -> np.ndarray:
    """(S,) PA-MPVPE of each hand, mm (official alignment)."""
    return 1000 * metrics.point_errors(run.estimates[which].vertices, truth, reflect=True).mean(1)


def joint_mm(run: Run, which: int = -1) -> np.ndarray:
    """(S,) PA-MPJPE of each hand, mm."""
    return 1000 * metrics.point_errors(run.estimates[which].joints, run.labels.joints.numpy(), reflect=True).mean(1)


def photo_share(run: Run, which: int = -1) -> np.ndarray:
    """(S,) mean 2-D error over the larger side of the hand's box."""
    truth = run.labels.keypoints.numpy()
    box = np.ptp(truth, axis=1).max(1)
    return np.linalg.norm(run.estimates[which].keypoints - truth, axis=-1).mean(1) / box


def scored(run: Run, truth: np.ndarray, which: int) -> list:
    """One row of the table."""
    moved = metrics.aligned(run.estimates[which].vertices, truth, reflect=True)
    f = [[metrics.f_score(a, b, limit) for limit in (0.005, 0.015)] for a, b in zip(moved, truth, strict=True)]
    return [interval(vertex_mm(run, truth, which)), interval(joint_mm(run, which)), *np.mean(f, axis=0).round(3),
            interval(photo_share(run, which), factor=100)]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("shards", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--own-landmarks", action="store_true")
    parser.add_argument("--by-kind", action="store_true", help="also by kind of pose, and joint by joint")
    arguments = parser.parse_args()
    network, _ = load_checkpoint(arguments.model)
    crops = test_set(arguments.shards)
    run, truth = rendered_answers(network, crops, arguments.count, not arguments.own_landmarks)
    rows = []
    stages = {"parametric": 0} | {
        f"refinement {k // network.config.retrievals}": k
        for k in range(network.config.retrievals, len(run.estimates), network.config.retrievals)
    }
    for name, which in stages.items():
        rows.append([name, *scored(run, truth, which)])
    hands = [
        hand for hand, _ in rendered_hands(Model(network), arguments.shards, len(truth), not arguments.own_landmarks)
    ]
    answered = Run([Scored(np.array([h.joints for h in hands]), np.array([h.keypoints for h in hands]),
                           np.array([h.vertices for h in hands]))], *([None] * 4), run.labels)  # fmt: skip
    rows.append(["as `propose` gives it", *scored(answered, truth, 0)])
    print(f"n = {len(truth)}, seed {SEED}, 95 % bootstrap intervals over hands\n")
    print(markdown(["estimate", "PA-MPVPE mm", "PA-MPJPE mm", "F@5", "F@15", "2-D error, % of box"], rows))
    print(
        f"\nrefinement over parametric stage, PA-MPVPE: {better_by(vertex_mm(run, truth, 0), vertex_mm(run, truth))} "
        "better"
    )
    if arguments.by_kind:
        kinds, names = crops.shards.labels["kind"][: len(truth)], crops.shards.meta["kinds"]
        rows = [
            [
                names[k],
                int((kinds == k).sum()),
                interval(vertex_mm(run, truth)[kinds == k]),
                interval(joint_mm(run)[kinds == k]),
            ]
            for k in np.unique(kinds)
        ]
        print("\n" + markdown(["pose", "n", "PA-MPVPE mm", "PA-MPJPE mm"], rows))
        each = 1000 * metrics.point_errors(run.estimates[-1].joints, run.labels.joints.numpy()).mean(0)
        print("\n" + markdown(["joint", "mm"], [[n, f"{e:.1f}"] for n, e in zip(JOINT_NAMES, each, strict=True)]))


if __name__ == "__main__":
    main()
