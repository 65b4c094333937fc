"""What corrections by four kinds of people do to the mesh, on hands within and beyond the shape space.

    python benchmarks/corrections.py DATA OUT [--hands 100] [--seed 2] [--exact]

DATA/test and DATA/beyond are made on first use (`annotator.synthetic.generate`, seeds 900001 and 910002, the second
with bones up to 15 % longer or shorter). Every hand is proposed twice: with landmarks as noisy as on real photos, and
with the landmark network's own, which fails on renders. The people are those of `correcting.simulation.annotators`;
each clicks on the keypoint that is farthest from where they would put it. Also: fingers that are grossly wrong (a
keypoint more than a tenth of the box off, the other fingers' mean below 3.5 %), after two clicks on them. Parameters
were tuned on other photos with other people: DATA/calibration, and seeds 1 and 5.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from tables import interval, markdown

from annotator.correcting.simulation.annotators import ANNOTATORS, SimulatedAnnotator, simulated_annotator
from annotator.correcting.simulation.report import curve
from annotator.correcting.simulation.simulated import annotate
from annotator.evaluation.metrics import aligned
from annotator.model import load_model
from annotator.rounds.trials.rendered_proposals import rendered_hands
from annotator.synthetic.generate import generate

STAGES = (0, 1, 2, 4, 8, 21)
SETS = {"within": ("test", 900001, 0.0), "beyond": ("beyond", 910002, 0.15)}
LANDMARKS = {"as real": True, "own": False}
GROSS, OTHERS = 0.10, 0.035  # shares of the box


def finger_error(hand, truth, joints: np.ndarray) -> float:
    """Mean error of some joints, mm, after the whole hand's alignment."""
    off = np.linalg.norm(aligned(hand.joints, truth.joints) - truth.joints, axis=1)
    return 1000 * float(off[joints].mean())


def gross_fingers(hand, truth, refine, random: np.random.Generator):
    """(before, after) of every grossly wrong finger of a hand, after two clicks on its farthest visible keypoints."""
    clicks = SimulatedAnnotator("steady").clicks(hand, truth, random)
    off = np.linalg.norm(hand.keypoints - truth.keypoints, axis=1) / np.ptp(truth.keypoints, axis=0).max()
    for finger in range(5):
        own = np.arange(1 + 4 * finger, 5 + 4 * finger)
        others = np.setdiff1d(np.arange(21), own)
        seen = sorted((k for k in own if truth.visible[k]), key=lambda k: -off[k])[:2]
        if off[own].max() > GROSS and off[others].mean() < OTHERS and len(seen) == 2:
            fixed = refine(hand, {int(k): tuple(clicks[k]) for k in seen})
            yield finger_error(hand, truth, own), finger_error(fixed, truth, own)


def clicks_of(seed: int, number: int) -> np.random.Generator:
    """The same clicks on a hand in every run."""
    return np.random.default_rng([seed, number])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--hands", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2, help="of people and clicks")
    parser.add_argument("--exact", action="store_true", help="pin the mesh to every label")
    parser.add_argument("--annotator", action="append", choices=ANNOTATORS)
    options = parser.parse_args()
    model = load_model(options.model)

    def refine(hand, given):
        return model.refine(hand, given, exact=options.exact)

    rows, result, gross = [], {}, []
    for kind, (folder, seed, bones) in SETS.items():
        generate(options.data / folder, max(options.hands, 400), seed, bones=bones)
        for landmarks, simulated in LANDMARKS.items():
            hands = list(rendered_hands(model, options.data / folder, options.hands, simulated))
            for name in options.annotator or ANNOTATORS:
                person = simulated_annotator(name, options.seed)
                traces = [
                    annotate(
                        hand, truth, refine, model.hand, 21, "worst", person, np.random.default_rng([options.seed, k])
                    )
                    for k, (hand, truth) in enumerate(hands)
                ]
                errors = curve(traces, "vertex_mm", 21)[:, STAGES]
                mean = errors.mean(axis=0)
                rise = 100 * max(np.max(np.triu(mean[None] / mean[:, None] - 1)), 0.0)
                took = np.concatenate([trace.seconds for trace in traces])
                result[f"{kind}, {landmarks}, {name}"] = {
                    "mean": mean.tolist(), "rise_percent": rise, "ms_median": 1000 * float(np.median(took)),
                    "ms_p95": 1000 * float(np.percentile(took, 95)),
                }  # fmt: skip
                rows.append(
                    [kind, landmarks, name, interval(errors[:, 0]), *(f"{value:.2f}" for value in mean[1:]),
                     f"{rise:.1f} %", f"{1e3 * np.median(took):.0f}, {1e3 * np.percentile(took, 95):.0f}"]
                )  # fmt: skip
                print("|", *rows[-1], sep=" | ", file=sys.stderr, flush=True)
            if not simulated:
                for k, (hand, truth) in enumerate(hands):
                    gross += gross_fingers(hand, truth, refine, np.random.default_rng([options.seed, k]))
    head = [
        "shapes",
        "landmarks",
        "annotator",
        "proposal",
        *(str(k) for k in STAGES[1:]),
        "largest rise",
        "ms median, p95",
    ]
    print(f"n = {options.hands} hands a row, PA-MPVPE mm\n")
    print(markdown(head, rows))
    before, after = np.array(gross).T
    share = float(after.mean() / before.mean())
    print(f"\ngrossly wrong fingers, two clicks (n = {len(gross)}): {before.mean():.1f} -> {after.mean():.1f} mm")
    print(f"{share:.2f} of the error is left")
    result["gross fingers"] = {"before_mm": before.mean(), "after_mm": after.mean(), "share": share, "n": len(gross)}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "corrections.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
