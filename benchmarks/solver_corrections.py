"""How fast errors fall under corrections, beside peers, in one run: `python benchmarks/solver_corrections.py
SHARDS OUT`.

Every hand is annotated by the simulated annotator once for each way, one way after the other on the same
hand, so a busy machine slows all of them alike. Clicks are the same for all ways (the same noise at each
keypoint). Where each way corrects is its own worst keypoint.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))

from solver_peers import SmplifyFit, in_the_picture_only  # noqa: E402

from annotator.correcting import solve  # noqa: E402
from annotator.correcting.simulation.annotators import SimulatedAnnotator  # noqa: E402
from annotator.correcting.simulation.report import plot, summarise  # noqa: E402
from annotator.correcting.simulation.simulated import annotate  # noqa: E402
from annotator.model import load_model  # noqa: E402
from annotator.rounds.trials.rendered_proposals import rendered_hands  # noqa: E402

AT = (0, 1, 2, 4, 8)


def main(arguments: list[str] | None = None) -> int:
    """Run, print a table, write OUT/corrections.json and OUT/corrections.png."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path, help="folder of rendered photos, held out of training")
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--hands", type=int, default=100)
    parser.add_argument("--corrections", type=int, default=21)
    parser.add_argument("--noise", type=float, default=1.5)
    parser.add_argument("--peer-corrections", type=int, default=8, help="the peers take seconds for each")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)

    model = load_model(options.model)
    ways = {
        "network and solver": (model.refine, "worst"),
        "where the model expects most": (model.refine, "model"),
        "random keypoints": (model.refine, "random"),
        "solver alone": (lambda hand, given: solve(hand, model.hand, given).hand, "worst"),
        "L-BFGS from the proposal": (SmplifyFit(model.hand, "proposal"), "worst"),
        "L-BFGS from the mean pose": (SmplifyFit(model.hand, "mean"), "worst"),
        "2-D only": (in_the_picture_only, "worst"),
    }
    person = SimulatedAnnotator("steady", options.noise)
    traces: dict[str, list] = {name: [] for name in ways}
    start = time.perf_counter()
    for number, (hand, truth) in enumerate(rendered_hands(model, options.shards, options.hands)):
        for name, (refine, policy) in ways.items():
            most = options.peer_corrections if name.startswith("L-BFGS") else options.corrections
            random = np.random.default_rng(number)
            traces[name].append(annotate(hand, truth, refine, model.hand, most, policy, person, random))
        print(f"\r{number + 1} hands, {time.perf_counter() - start:.0f} s", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    result = {}
    for name, of_way in traces.items():
        most = options.peer_corrections if name.startswith("L-BFGS") else options.corrections
        result[name] = summarise(of_way, most)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "corrections.json").write_text(json.dumps(result, indent=1) + "\n")
    plot(result, options.out / "corrections.png")
    print(table(result))
    return 0


def table(result: dict) -> str:
    """Markdown: PA-MPVPE after k corrections, the others' 2-D error after (before), the farthest miss, ms an
    answer.
    """
    head = [
        "",
        *(f"k={k} mm" for k in AT),
        *(f"others k={k} px (before)" for k in AT[1:]),
        "ms median",
        "ms p95",
    ]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for name, one in result.items():
        error, others, before = (one[m]["mean"] for m in ("vertex_mm", "others_px", "others_before_px"))
        cells = [f"{error[k]:.2f}" if k < len(error) else "" for k in AT]
        cells += [
            f"{others[k]:.2f} ({before[k]:.2f})" if k < len(others) and others[k] is not None else "" for k in AT[1:]
        ]
        seconds = one.get("seconds", {"median": 0, "p95": 0})
        cells += [f"{1000 * seconds['median']:.1f}", f"{1000 * seconds['p95']:.1f}"]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
