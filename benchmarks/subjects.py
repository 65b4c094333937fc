"""What it is worth to know whose hand it is: rendered subjects, their photos labelled by an ordinary annotator.

    python benchmarks/subjects.py OUT [--subjects 20] [--photos 30] [--labels 4] [--seed 47] [--annotator ordinary]

Subjects have shapes beyond training (`worlds.subject_photos`). Every photo gets `labels` keypoints, each the visible
one that is farthest from where this person would put it. From these hands the subject is estimated, and the same labels
are solved again with it: the two ways differ in nothing else. Errors are PA-MPVPE in mm; bone lengths are compared
after one common scale; the hand's length is estimated again with its width given, and its width with its length. Seed
31 was for tuning.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))

from tables import better_by, interval, markdown  # noqa: E402
from worlds.subject_photos import BONES, render_subject, subject_shape  # noqa: E402

import annotator  # noqa: E402
from annotator.correcting.simulation.annotators import ANNOTATORS, simulated_annotator  # noqa: E402
from annotator.correcting.subjects.measuring import LENGTH, WIDTH, bones_of, size_of  # noqa: E402
from annotator.evaluation.metrics import aligned  # noqa: E402
from annotator.hand.mesh import HandMesh  # noqa: E402
from annotator.rounds.trials.rendered_proposals import rendered_hands  # noqa: E402
from annotator.synthetic.generate import Studio  # noqa: E402
from annotator.synthetic.shards import proportioned  # noqa: E402


def mm(points: np.ndarray, target: np.ndarray) -> float:
    """PA-MPVPE, mm."""
    return 1000 * float(np.linalg.norm(aligned(points, target) - target, axis=-1).mean())


def clicked(model, hand: HandMesh, truth, person, labels: int, random: np.random.Generator):
    """(the hand corrected so often, without its subject; its labels)."""
    clicks, given, now = person.clicks(hand, truth, random), {}, hand
    for _ in range(labels):
        left = [k for k in np.flatnonzero(truth.visible) if k not in given]
        if not left:
            break
        off = np.linalg.norm(now.keypoints - clicks, axis=1)
        joint = int(left[int(off[left].argmax())])
        given[joint] = (float(clicks[joint, 0]), float(clicks[joint, 1]))
        now = model.refine(hand, given)
    return now, given


def tried(model, studio: Studio, options, number: int) -> dict:
    """One subject: mean errors, and its proportions and sizes against the truth."""
    place = render_subject(studio, options.out / "photos", options.seed, number, options.photos, options.bones)
    person = simulated_annotator(options.annotator, options.seed + number)
    seen = list(rendered_hands(model, place, options.photos))
    labelled = []
    for at, (hand, truth) in enumerate(seen):
        labelled.append(clicked(model, hand, truth, person, options.labels, np.random.default_rng([number, at])))
    told = [hand.replace(corrections=given) for (hand, _), (_, given) in zip(seen, labelled, strict=True)]
    subject = annotator.estimate_subject(told, model.hand)
    half = annotator.estimate_subject(told[::2], model.hand)
    errors = {"before": [], "labels": [], "subject": [], "others": [], "others before": []}
    for at, ((hand, truth), (now, given)) in enumerate(zip(seen, labelled, strict=True)):
        errors["before"].append(mm(hand.vertices, truth.vertices))
        errors["labels"].append(mm(now.vertices, truth.vertices))
        errors["subject"].append(mm(model.refine(hand, given, subject=subject).vertices, truth.vertices))
        if at % 2:  # a photo that the estimate has seen nothing of, and nobody labelled
            errors["others before"].append(errors["before"][-1])
            errors["others"].append(mm(model.of_subject(hand, half).vertices, truth.vertices))
    owner = proportioned(studio.model, options.seed, number, options.bones)
    rest = owner.template + owner.shape_directions @ subject_shape(options.seed, number)
    ratio = bones_of(model.hand, model.hand.template + model.hand.shape_directions @ subject.shape)
    ratio = ratio / bones_of(model.hand, rest)
    result = {name: float(np.mean(values)) for name, values in errors.items()}
    result["bones"] = 100 * float(np.abs(ratio / np.exp(np.log(ratio).mean()) - 1).mean())
    plain = bones_of(model.hand, model.hand.template) / bones_of(model.hand, rest)
    result["bones of the mean hand"] = 100 * float(np.abs(plain / np.exp(np.log(plain).mean()) - 1).mean())
    truth_of = dataclasses.replace(model.hand, template=rest)
    random = np.random.default_rng([options.seed, number, 5])
    for given_size in (LENGTH, WIDTH):
        ruler = size_of(truth_of, np.zeros(10), given_size)[0] + random.normal(0, 0.002)
        sized = annotator.estimate_subject(told, model.hand, {given_size: ruler})
        off = size_of(model.hand, sized.shape, LENGTH)[0] - size_of(truth_of, np.zeros(10), LENGTH)[0]
        result[f"length, {given_size} given"] = 1000 * abs(float(off))
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--subjects", type=int, default=20)
    parser.add_argument("--photos", type=int, default=30)
    parser.add_argument("--labels", type=int, default=4)
    parser.add_argument("--seed", type=int, default=47)
    parser.add_argument("--bones", type=float, default=BONES)
    parser.add_argument("--annotator", default="ordinary", choices=ANNOTATORS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, studio, results = annotator.load_model(device="cpu"), Studio(), []
    file = options.out / f"subjects-{options.seed}-{options.annotator.replace(' ', '-')}-{options.bones:g}.json"
    for number in range(options.subjects):
        results.append(tried(model, studio, options, number))
        file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        print(f"\r{number + 1} subjects", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    of = {name: np.array([one[name] for one in results]) for name in results[0]}
    worst = 100 * (of["subject"] / of["labels"] - 1).max()
    rows = [
        ["no label", interval(of["before"]), ""],
        [f"{options.labels} labels", interval(of["labels"]), ""],
        ["the same labels and the subject", interval(of["subject"]), better_by(of["labels"], of["subject"])],
        ["no label, odd photos", interval(of["others before"]), ""],
        ["the same, subject from the even ones", interval(of["others"]), better_by(of["others before"], of["others"])],
    ]
    print(f"n = {len(results)} subjects, {options.photos} photos each, {options.annotator} annotator\n")
    print(markdown(["", "PA-MPVPE mm", "lower by"], rows))
    print(f"\nworst subject, with against without: {worst:+.1f} %")
    for name in ("bones", "bones of the mean hand", "length, length given", "length, width given"):
        unit = "%" if "bones" in name else "mm"
        print(f"{name}: {interval(of[name])} {unit}, worst {of[name].max():.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
