"""How soon the mesh follows a correction: `model.refine` with cached features, beside an L-BFGS fit to convergence.

    python benchmarks/refine_time.py [--model CHECKPOINT] [--threads 2] [--hands 20] [--peer 40]

Every sample photo's hand gets 1, 2, 4 and 8 corrections of up to 15 px of the crop; each is timed (network's local
refinement and the solver), the solver alone (what a drag's preview runs) too, and on the first of them the peer, in
turn.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from annotator.sample_data import photos
from solver_peers import SmplifyFit
from tables import markdown

import annotator
from annotator.correcting import solve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--hands", type=int, default=20)
    parser.add_argument("--peer", type=int, default=40, help="how many of the corrections the peer fits too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = annotator.load_model(arguments.model)
    peer = SmplifyFit(model.hand, "proposal")
    random = np.random.default_rng(0)
    hands = [
        hand for found in model.propose_many(map(annotator.read_photo, photos()[: arguments.hands])) for hand in found
    ]
    ways = {"refine": [], "solver alone": [], "L-BFGS": []}

    def timed(name: str, call) -> None:
        start = time.perf_counter()
        call()
        ways[name].append(1000 * (time.perf_counter() - start))

    model.refine(hands[0], {8: tuple(hands[0].keypoints[8])})  # first call: caches are made
    for hand in hands:
        for count in (1, 2, 4, 8):
            joints = random.choice(21, count, replace=False)
            moves = random.normal(0, 6, (count, 2)).clip(-15, 15) * hand.crop_size / 224
            given = {int(k): tuple(hand.keypoints[k] + m) for k, m in zip(joints, moves, strict=True)}
            timed("refine", lambda hand=hand, given=given: model.refine(hand, given))
            timed("solver alone", lambda hand=hand, given=given: solve(hand, model.hand, given))
            if len(ways["L-BFGS"]) < arguments.peer:
                timed("L-BFGS", lambda hand=hand, given=given: peer(hand, given))
    rows = [
        [name, len(ms), f"{np.median(ms):.1f}", f"{np.percentile(ms, 95):.1f}", f"{max(ms):.1f}"]
        for name, ms in ways.items()
        if ms
    ]
    print(f"{len(hands)} hands, {arguments.threads} threads\n")
    print(markdown(["what", "n", "ms median", "ms p95", "ms most"], rows))
    if ways["L-BFGS"]:
        ratio = np.array(ways["L-BFGS"]) / np.array(ways["refine"][: len(ways["L-BFGS"])])
        print(f"\nL-BFGS / refine, pair by pair: median {np.median(ratio):.0f} x, least {ratio.min():.0f} x")


if __name__ == "__main__":
    main()
