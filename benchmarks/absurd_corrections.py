"""Absurd corrections through the public door: a possible hand or one clear error, whatever is asked.

    python benchmarks/absurd_corrections.py [--model CHECKPOINT] [--tries 1000]

Kinds: far outside the photo, all 21 at random places, two or more on one spot, coordinates of any size, NaN and
infinite ones, unknown joints. Also: the same sensible corrections in another order, which must give the same mesh.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from annotator.sample_data import photos
from tables import markdown

import annotator
from annotator.correcting.plausibility import measures

KINDS = ("far outside", "21 at random", "one spot", "any size", "not finite", "no such joint")


def draw(kind: str, hand: annotator.HandMesh, random: np.random.Generator) -> dict:
    """Corrections of one kind."""
    centre, size = hand.crop_center, hand.crop_size
    some = [int(k) for k in random.permutation(21)[: random.integers(2, 6)]]
    if kind == "far outside":
        return {k: centre + random.normal(0, 10 * size, 2) for k in some}
    if kind == "21 at random":
        return {k: centre + random.uniform(-0.5, 0.5, 2) * size for k in range(21)}
    if kind == "one spot":
        spot = hand.keypoints[some[0]]
        return {k: spot for k in some}
    if kind == "any size":
        return {k: 10.0 ** random.uniform(-3, 30) * random.choice([-1, 1], 2) for k in some}
    if kind == "not finite":
        return {some[0]: (random.choice([np.nan, np.inf, -np.inf]), centre[1])}
    return {random.choice([21, -1, 1000]): centre} if random.random() < 0.5 else {"elbow": centre}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model")
    parser.add_argument("--tries", type=int, default=1000)
    arguments = parser.parse_args()
    model, random = annotator.load_model(arguments.model), np.random.default_rng(0)
    hands = [hand for found in model.propose_many(map(annotator.read_photo, photos()[::4])) for hand in found]
    count, excess, errors = Counter(), Counter(), Counter()
    for number in range(arguments.tries):
        kind, hand = KINDS[number % len(KINDS)], hands[number % len(hands)]
        count[kind] += 1
        try:
            answer = model.refine(hand, draw(kind, hand, random))
        except annotator.InputError:
            errors[kind] += 1
            continue
        assert np.isfinite(answer.vertices).all() and np.isfinite(answer.keypoints).all(), kind
        after = next(m.value for m in measures(answer, model.hand) if m.kind == "limit")
        excess[kind] = max(excess[kind], after)
    rows = [[kind, count[kind], count[kind] - errors[kind], errors[kind], f"{excess[kind]:.1f}"] for kind in KINDS]
    print(markdown(["kind", "tries", "hands", "clear errors", "limits exceeded by at most, degrees"], rows))
    apart = 0.0
    for hand in hands:
        given = {
            int(k): tuple(hand.keypoints[k] + random.normal(0, 0.03, 2) * hand.crop_size)
            for k in random.permutation(21)[:6]
        }
        other = dict(sorted(given.items(), key=lambda item: random.random()))
        apart = max(apart, np.abs(model.refine(hand, given).vertices - model.refine(hand, other).vertices).max())
    print(
        f"\nthe same six corrections in another order, {len(hands)} hands: meshes at most {1000 * apart:.6f} mm apart"
    )


if __name__ == "__main__":
    main()
