"""Benchmark 4, ablation: what each idea of the method is worth, trained with one budget each.

python benchmarks/ablation.py DATA/rendered DATA/test OUT [--steps 600] [--seeds 1] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from tables import better_by, interval, markdown
from variants import Budget, Variant, over_seeds

from annotator.learning.losses import LossWeights
from annotator.network.glfnet import GLFNetConfig

WHOLE = "whole method"
VARIANTS = {
    WHOLE: Variant(),
    "parametric stage only": Variant(GLFNetConfig(levels=(), strides=())),
    "one refinement stage": Variant(GLFNetConfig(levels=(0,), strides=(32,))),
    "two refinement stages": Variant(GLFNetConfig(levels=(0, 1), strides=(32, 16))),
    "not pixel-aligned (global feature only)": Variant(GLFNetConfig(aligned=False)),
    "one retrieval a stage": Variant(GLFNetConfig(retrievals=1)),
    "no global prior in refinement": Variant(GLFNetConfig(prior=False)),
    "no mesh terms": Variant(losses=LossWeights(field=0.0)),
    "no free field": Variant(GLFNetConfig(free_field=False)),
}


def parser(text: str) -> argparse.ArgumentParser:
    """The options that both benchmarks of variants take."""
    options = argparse.ArgumentParser(description=text.split("\n")[0])
    options.add_argument("shards", type=Path, help="rendered photos for training")
    options.add_argument("test", type=Path, help="the frozen mesh-truth set (made if missing)")
    options.add_argument("out", type=Path)
    for field in dataclasses.fields(Budget):
        options.add_argument(f"--{field.name}", type=int, default=field.default)
    options.add_argument("--only", nargs="*", help="these variants")
    return options


def table(variants: dict[str, Variant], reference: str, arguments: argparse.Namespace) -> str:
    """Trains what is not trained yet and compares all with `reference`, hand by hand."""
    budget = Budget(**{f.name: getattr(arguments, f.name) for f in dataclasses.fields(Budget)})
    arguments.out.mkdir(parents=True, exist_ok=True)
    names = [n for n in variants if not arguments.only or n in arguments.only or n == reference]
    found = {n: over_seeds(n, variants[n], arguments.shards, arguments.test, arguments.out, budget) for n in names}
    base, rows = found[reference], []
    for name, one in found.items():
        against = "" if name == reference else better_by(base["vertex_mm"], one["vertex_mm"])
        spread = " / ".join(f"{m:.2f}" for m in one["by_seed"])
        rows.append(
            [
                name,
                interval(one["parametric_mm"]),
                interval(one["vertex_mm"]),
                against,
                interval(one["joint_mm"]),
                interval(one["photo"], factor=100),
                spread,
                f"{one['seconds'].mean():.0f}",
            ]
        )
    head = ["variant", "parametric stage: PA-MPVPE mm", "PA-MPVPE mm", f"better than '{reference}'", "PA-MPJPE mm",
            "2-D error, % of box", "PA-MPVPE by seed", "seconds"]  # fmt: skip
    text = (
        f"n = {budget.scored} hands, {budget.seeds} seeds, {budget.steps} steps of {budget.batch}, {budget.samples:,} "
        "photos\n\n"
    )
    return text + markdown(head, rows)


if __name__ == "__main__":
    print(table(VARIANTS, WHOLE, parser(__doc__).parse_args()))
