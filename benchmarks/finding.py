"""Which hands of photos in the wild are found: against boxes that people drew, in a COCO-WholeBody file.

    python benchmarks/finding.py ANNOTATIONS.json PHOTOS [--most 500]

ANNOTATIONS: COCO-WholeBody's (Jin et al. 2020, arXiv 2007.11858), `coco_wholebody_val_v1.0.json`, or what
`annotator export --format coco-wholebody` writes; research data that is not shipped. Every hand that is said to be
valid counts; an answer is a hand's where their boxes overlap by 0.3 (intersection over union), one to one.
Answers beside all hands are counted as `beside`: hands that nobody labelled are among them. Five searches: by palms
alone, by palms and arms of bodies, with the networks tuned for gloves, too, the full search (hands followed where
landmarks fail, too), and `--quick`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from tables import markdown

import annotator
from annotator.errors import InputError
from annotator.vision.boxes import bounds, overlap
from annotator.vision.photos import read_photo

OVERLAP = 0.3
BINS = (0, 24, 48, 96, 10_000)  # photo px: the longer side of a hand's box

Truth = dict[str, list[tuple[np.ndarray, str]]]  # photo -> box (4,), side of each of its hands


def read(file: Path) -> Truth:
    """The valid hands of each photo."""
    content = json.loads(file.read_text())
    names = {image["id"]: image["file_name"] for image in content["images"]}
    truth: Truth = {name: [] for name in names.values()}
    for person in content["annotations"]:
        for side in ("left", "right"):
            if person.get(f"{side}hand_valid"):
                x, y, width, height = person[f"{side}hand_box"]
                truth[names[person["image_id"]]].append((np.array([x, y, x + width, y + height]), side))
    return truth


def matched(hands: list, truth: list[tuple[np.ndarray, str]]) -> list[int | None]:
    """For each answer, the surest first, the number of the hand that it is."""
    left = set(range(len(truth)))
    answers: list[int | None] = []
    for hand in sorted(hands, key=lambda hand: -hand.confidence):
        shares = {k: float(overlap(bounds(hand.keypoints), truth[k][0][None])[0]) for k in left}
        best = max(shares, key=lambda k: shares[k], default=None)
        answers.append(best if best is not None and shares[best] >= OVERLAP else None)
        left.discard(answers[-1] if answers[-1] is not None else -1)
    return answers


def row(name: str, model, photos: Path, truth: Truth) -> list:
    found, sizes, right_side, beside = [], [], [], 0
    for file, hands in truth.items():
        try:
            said = sorted(model.propose(read_photo(photos / file)), key=lambda hand: -hand.confidence)
        except InputError as error:
            print(f"{error}: left out")
            continue
        answers = matched(said, hands)
        beside += answers.count(None)
        found += [k in answers for k in range(len(hands))]
        sizes += [float(max(box[2:] - box[:2])) for box, _ in hands]
        right_side += [hand.side == hands[k][1] for hand, k in zip(said, answers, strict=True) if k is not None]
    bins = []
    for low, high in zip(BINS, BINS[1:], strict=False):
        own = [f for f, size in zip(found, sizes, strict=True) if low <= size < high]
        bins.append(f"{100 * np.mean(own):.0f}% of {len(own)}" if own else "-")
    shares = [f"{100 * np.mean(found):.1f}%", f"{100 * np.mean(right_side):.0f}%" if right_side else "-"]
    return [name, *shares, *bins, beside]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("annotations", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--most", type=int, default=500, help="photos")
    options = parser.parse_args()
    truth = dict(sorted(read(options.annotations).items())[: options.most])
    model, quick = annotator.load_model(), annotator.load_model(quick=True)
    arms, dressed, answers, rows = model.finder.bodies, model.finder.dressed, model.finder.answers, []
    for name, one, parts in (
        ("palms alone", model, (None, None, None)),
        ("palms and arms", model, (arms, None, None)),
        ("palms, arms, gloves", model, (arms, dressed, None)),
        ("full", model, (arms, dressed, answers)),
        ("--quick", quick, (arms, dressed, answers)),
    ):
        one.finder.bodies, one.finder.dressed, one.finder.answers = parts
        rows.append(row(name, one, options.photos, truth))
    print(f"{len(truth)} photos, {sum(map(len, truth.values()))} hands\n")
    sizes = [f"{low} to {high} px" for low, high in zip(BINS[:-1], BINS[1:-1], strict=False)] + [f"{BINS[-2]} px on"]
    print(markdown(["search", "found", "side", *sizes, "beside"], rows))


if __name__ == "__main__":
    main()
