"""What active learning saves: error over corrections, strategy by strategy, at a place the model does not know.

    python benchmarks/active_learning.py OUT [--seeds 5] [--plot docs/active_learning.png]

OUT keeps photos, features and every finished run, so that an interrupted experiment goes on. Seeds come one after the
other, all strategies in each. The table says how many corrections each strategy needs for the error that random
selection of whole hands has at its full budget (interpolated between stages), as a share of that budget.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from active_runs import WAYS, Budget, run
from tables import markdown
from worlds.active import photos

from annotator.evaluation.bootstrap import resampled_means
from annotator.network.checkpoint import load_checkpoint


def corrections_to(corrections: np.ndarray, errors: np.ndarray, goal: float) -> float:
    """Corrections at which the error first comes down to `goal`, linear between stages; inf if it never does."""
    for k in range(1, len(errors)):
        if errors[k] <= goal:
            share = 0.0 if errors[k - 1] <= goal else (errors[k - 1] - goal) / (errors[k - 1] - errors[k])
            return float(corrections[k - 1] + share * (corrections[k] - corrections[k - 1]))
    return float("inf")


def summary(runs: dict[str, list[dict]], measure: str = "site_mm", reference: str = "random") -> list[list[str]]:
    """One row a strategy: errors by stage, corrections and simulated seconds to the reference's last error."""
    rows = []
    for name, of_way in runs.items():
        errors = np.array([[stage[measure] for stage in one["stages"]] for one in of_way])
        shares, times = [], []
        for one, base in zip(of_way, runs[reference], strict=False):
            goal = base["stages"][-1][measure]
            e = np.array([stage[measure] for stage in one["stages"]])
            for axis, into in (("corrections", shares), ("seconds", times)):
                spent = np.array([stage[axis] for stage in one["stages"]], float)
                into.append(100 * min(corrections_to(spent, e, goal) / base["stages"][-1][axis], 9.99))
        old = np.array([[stage["old_mm"] for stage in one["stages"]] for one in of_way])
        rows.append(
            [
                name,
                len(of_way),
                *(f"{e.mean():.2f} ± {e.std(ddof=1) if len(e) > 1 else 0:.2f}" for e in errors.T[1:]),
                spread(shares),
                spread(times),
                f"{100 * (old[:, -1] / old[:, 0] - 1).mean():+.1f} %",
            ]
        )
    return rows


def spread(shares: list[float]) -> str:
    """'mean (low..high)' in percent, a bootstrap interval over seeds; never reached counts as 999."""
    shares = np.array(shares)
    low, high = np.percentile(resampled_means(shares)[:, 0], [2.5, 97.5])
    return f"{shares.mean():.0f} % ({low:.0f}..{high:.0f})"


def against(runs: dict[str, list[dict]], first: str, second: str, measure: str = "site_mm") -> str:
    """first minus second, mm: mean over seeds and stages, with an interval over seeds."""
    both = zip(runs[first], runs[second], strict=False)
    gaps = [
        np.mean([a[measure] - b[measure] for a, b in zip(x["stages"][1:], y["stages"][1:], strict=True)])
        for x, y in both
    ]
    low, high = np.percentile(resampled_means(np.array(gaps))[:, 0], [2.5, 97.5])
    return f"{first} - {second}: {np.mean(gaps):+.2f} mm ({low:+.2f}..{high:+.2f}), n = {len(gaps)} seeds"


def plot(runs: dict[str, list[dict]], path: Path) -> None:
    """Error over corrections and over simulated minutes; bands: 95 % intervals over seeds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), dpi=110)
    FigureCanvasAgg(figure)
    for axes, axis, scale, label in zip(
        figure.subplots(1, 2),
        ("corrections", "seconds"),
        (1, 60),
        ("corrected keypoints", "simulated minutes"),
        strict=True,
    ):
        for name, of_way in runs.items():
            x = np.array([[stage[axis] for stage in one["stages"]] for one in of_way]).mean(0) / scale
            errors = np.array([[stage["site_mm"] for stage in one["stages"]] for one in of_way])
            low, high = zip(
                *(np.percentile(resampled_means(column)[:, 0], [2.5, 97.5]) for column in errors.T), strict=True
            )
            (line,) = axes.plot(x, errors.mean(0), marker="o", markersize=3, label=name)
            axes.fill_between(x, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
        axes.set_xlabel(label)
        axes.set_ylabel("PA-MPVPE, mm, mean over sites")
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network, _ = load_checkpoint(None)
    world = {name: photos(name, arguments.out, network) for name in ("pool", "test", "replay")}
    folder = arguments.out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    runs: dict[str, list[dict]] = {name: [] for name in arguments.ways}
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for name in arguments.ways:
            runs[name].append(
                run(name, network, world, folder, Budget(), seed, lambda line: print(line, file=sys.stderr, flush=True))
            )
    stages = Budget().stages
    start = runs[arguments.ways[0]][0]["stages"][0]
    print(f"{len(world['test'])} test photos of which {Budget().test} are scored, pool {Budget().pool} a seed; before: "
          f"{start['site_mm']:.2f} mm, old domain {start['old_mm']:.2f} mm\n")  # fmt: skip
    head = [
        "strategy",
        "seeds",
        *(f"mm after {k}" for k in stages),
        "corrections to random's last error",
        "simulated time to it",
        "old domain",
    ]
    print(markdown(head, summary(runs)))
    for first, second in (
        ("weighted-core-set", "uncertainty"),
        ("weighted-core-set", "core-set"),
        ("weighted-core-set", "random joints"),
        ("random joints", "random"),
    ):
        if first in runs and second in runs:
            print("\n" + against(runs, first, second))
    if arguments.plot:
        plot(runs, arguments.plot)


if __name__ == "__main__":
    main()
