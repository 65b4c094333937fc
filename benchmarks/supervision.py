"""Benchmark 5, supervision: how near sparse keypoints come to full mesh labels, trained with one budget each.

    python benchmarks/supervision.py DATA/rendered DATA/test OUT [--steps 600] [--seeds 1] [--only NAME ...]

The evidence (a landmark network's noisy guess) is the same for all: a tool that everybody has, not a label.
"""

from __future__ import annotations

import torch
from ablation import parser, table
from variants import Variant

from annotator.hand.joints import TIPS
from annotator.learning.data.samples import Labels

FULL = "mesh labels"


def only(keypoints: list[int]):
    keep = torch.zeros(21, dtype=torch.bool)
    keep[keypoints] = True
    return lambda labels: labels.sparser(keep)


def flat(labels: Labels) -> Labels:
    return labels._replace(joint_weight=torch.zeros_like(labels.joint_weight))


MCPS = [5, 9, 13, 17]
VARIANTS = {
    FULL: Variant(mesh=True),
    "21 keypoints, 2-D and 3-D": Variant(),
    "21 keypoints, 2-D": Variant(relabel=flat),
    "11 keypoints, 2-D and 3-D": Variant(relabel=only([0, 2, *MCPS, *TIPS])),
    "6 keypoints, 2-D and 3-D": Variant(relabel=only([0, *TIPS])),
    "21 keypoints, 2-D and 3-D, 20 % of the photos": Variant(rows=0.2),
}

if __name__ == "__main__":
    print(table(VARIANTS, FULL, parser(__doc__).parse_args()))
