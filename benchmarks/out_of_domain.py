"""Out of domain: is the confidence low where there is no ordinary bare hand?

    python benchmarks/out_of_domain.py DATA/real [--model CHECKPOINT] [--count 60]

Ordinary: held-out photos of the three real sets. Strange: see `worlds.strange_photos`. Every photo is given with a box,
so an answer comes in any case; what is asked is whether its confidence tells. Also how often `propose` without a box
finds a hand where there is none.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tables import markdown
from worlds.strange_photos import drawn, feet, gloved, interlocked, without_hands

import annotator
from annotator.learning.data.photos import KeypointPhotos
from annotator.vision.crops import box_round


def area_under_curve(hands: np.ndarray, strange: np.ndarray) -> float:
    """P(an ordinary hand's confidence is above a strange photo's), ties halved."""
    return float(np.mean((hands[:, None] > strange) + 0.5 * (hands[:, None] == strange)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("real", type=Path, help="folder with digits, signing and two-cameras")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--count", type=int, default=60)
    arguments = parser.parse_args()
    model, random = annotator.load_model(arguments.model), np.random.default_rng(0)

    def ask(photo, box) -> annotator.HandMesh:
        return model.propose(photo, [box])[0]

    ordinary, kept = {}, []
    for name in ("digits", "signing", "two-cameras"):
        photos = KeypointPhotos(arguments.real / name, held=True, jitter=False)
        rows = random.permutation(len(photos))[: arguments.count]
        hands = [(photos.photo(k), box_round(photos.table.keypoints[k])) for k in rows]
        answers = [(photo, box, ask(photo, box)) for photo, box in hands]
        ordinary[name] = np.array([hand.confidence for *_, hand in answers])
        if name == "digits":
            kept = answers
    confidence = {f"hands: {name}": values for name, values in ordinary.items()}
    nothing = list(without_hands(arguments.count, random))
    confidence["no hand"] = np.array([ask(*one).confidence for one in nothing])
    confidence["drawn foot"] = np.array([ask(*one).confidence for one in feet(arguments.count, random)])
    confidence["pencil sketch of a hand"] = np.array([ask(drawn(photo), box).confidence for photo, box, _ in kept])
    confidence["glove"] = np.array([ask(gloved(photo, hand, random), box).confidence for photo, box, hand in kept])
    pairs = zip(kept, kept[1:] + kept[:1], strict=True)
    confidence["interlocked hands"] = np.array(
        [ask(interlocked(p, h, q, g), box).confidence for (p, box, h), (q, _, g) in pairs]
    )
    hands = np.concatenate(list(ordinary.values()))
    threshold = np.quantile(hands, 0.05)
    rows = []
    for name, values in confidence.items():
        against = "" if name.startswith("hands") else f"{area_under_curve(hands, values):.3f}"
        rows.append([name, len(values), *(f"{q:.2f}" for q in np.quantile(values, [0.1, 0.5, 0.9])), against,
                     f"{np.mean(values < threshold):.0%}"])  # fmt: skip
    head = [
        "photos",
        "n",
        "confidence: 10 %",
        "median",
        "90 %",
        "AUC against hands",
        f"below {threshold:.2f} (5 % of hands)",
    ]
    print(markdown(head, rows))
    seen = {id(photo): photo for photo, _ in nothing}
    found = sum(len(model.propose(photo)) for photo in seen.values())
    print(f"\n`propose` without a box finds {found} hands in {len(seen)} whole pictures that show none")


if __name__ == "__main__":
    main()
