"""Calibration: does an interval hold as many errors as it says? Prints the shares and draws the reliability plot.

    python benchmarks/reliability.py DATA/test DATA/real [--model CHECKPOINT] [--plot docs/reliability.png]

DATA/test is the frozen mesh-truth set (`mesh_truth.py`); the factors were fitted on another set (`annotator.learning.
calibration`). Keypoints of real photos are compared with the teacher's, whose own errors are not known.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mesh_truth import COUNT, test_set
from tables import markdown

from annotator.learning.calibration import LEVELS, Ratios, ratios
from annotator.learning.evaluation import answers, rendered_answers
from annotator.learning.photos import KeypointPhotos
from annotator.network.checkpoint import load_checkpoint


def draw(found: dict[str, Ratios], path: Path) -> None:
    """Said against seen, one line a set."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np

    levels = np.linspace(0.05, 0.99, 48)
    figure, axis = plt.subplots(figsize=(5.2, 5.0), dpi=110)
    axis.plot([0, 1], [0, 1], color="0.6", lw=1, ls="--", label="as it should be")
    axis.fill_between([0.85, 0.95], 0.85, 0.95, color="0.9")
    for name, one in found.items():
        for what, shares in zip(("keypoints", "vertices"), one.shares(levels), strict=True):
            if not np.isnan(shares).any():
                axis.plot(levels, shares, lw=1.6, label=f"{what}, {name}")
    axis.set(xlabel="interval by the sigma", ylabel="share of errors within", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.legend(loc="upper left", fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("test", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    network, _ = load_checkpoint(arguments.model)
    rendered = rendered_answers(network, test_set(arguments.test), arguments.count, seed=1)
    found = {"rendered": ratios(network, *rendered)}
    for name in ("digits", "two-cameras"):
        run = answers(network, KeypointPhotos(arguments.real / name, held=True, jitter=False))
        found[f"held-out {name}"] = ratios(network, run)
    rows = []
    for name, one in found.items():
        for what, shares in zip(("keypoints", "vertices"), one.shares(), strict=True):
            if shares[0] == shares[0]:
                rows.append([f"{what}, {name}", *(f"{100 * share:.0f}" for share in shares)])
    print(markdown(["% of errors within the interval of", *(f"{level:.0%}" for level in LEVELS)], rows))
    if arguments.plot:
        draw(found, arguments.plot)


if __name__ == "__main__":
    main()
