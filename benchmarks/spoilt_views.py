"""Two cameras, one of whose photos is spoilt: is the hand worse than the good photo alone has it?

    python benchmarks/spoilt_views.py [--instants 25] [--seed 902019] [--model CHECKPOINT]

Rendered rigs (`worlds.rigs.Spoilt`) of two cameras. The good photo has landmarks of the noise of real photos; the other
is out of focus by 2 to 8 % of the hand, or covered from one side by 40 to 100 % of it, and has the network's own
landmarks, which fail there. Each of the two is spoilt in turn, PA-MPVPE in mm, mean of both. How much a spoilt photo is
doubted was chosen on seed 31; `benchmarks/rigs.py --real` does the same with a real video.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rigs import pa
from tables import interval, markdown
from worlds.rigs import SEED, Spoilt

import annotator
from annotator.correcting.views import join

KINDS = ("out of focus", "partly covered")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--instants", type=int, default=25)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    model = annotator.load_model(arguments.model, device="cpu")
    world = Spoilt(model, arguments.seed)
    errors: dict[str, list[float]] = {name: [] for name in ("alone", "both good", *KINDS)}
    for one in world.instants(arguments.instants):
        good = {name: hands[0] for name, hands in one.proposals.items()}
        errors["alone"].append(
            float(np.mean([pa(hand.vertices, one.truths[name][0].vertices) for name, hand in good.items()]))
        )

        def error(proposals, one=one) -> float:
            (hand, *_) = join({name: [hand] for name, hand in proposals.items()}, one.rig, model.hand, one.sizes)
            return pa(hand.vertices, one.hands[0].vertices)

        errors["both good"].append(error(good))
        for kind in KINDS:
            errors[kind].append(float(np.mean([error(good | {name: world.spoilt[name][kind]}) for name in good])))
    alone = np.array(errors["alone"])
    rows = [
        [name, interval(np.array(values)), f"{100 * (np.mean(values) / alone.mean() - 1):+.1f} %",
         f"{100 * (np.array(values) / alone - 1).max():+.0f} %"]
        for name, values in errors.items()
    ]  # fmt: skip
    print(f"n = {len(alone)} instants of two cameras, seed {arguments.seed}\n")
    print(markdown(["the other photo", "PA-MPVPE mm", "against the good photo alone", "worst instant"], rows))


if __name__ == "__main__":
    main()
