"""Rounds as a project makes them: three in a row, a poisoned one, and what they cost.

    python benchmarks/active_rounds.py OUT [--hands 200] [--gold 60] [--test DATA/test]

Photos are rendered at another place (`--domain workshop`, seed 910006) and go through the whole road: files, proposals
with the landmark network's own word, a simulated person, `annotator.rounds.run_round` with its default settings. A
third of the hands is accepted before each round, each with its visible keypoints. Poisoned: 30 % of the accepted hands
have the corrections of a hand turned by a third. The old domain is the frozen mesh-truth set (--test), made if missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from mesh_truth import test_set
from tables import better_by, interval, markdown

from annotator.evaluation.metrics import point_errors
from annotator.learning.scoring import rendered_answers
from annotator.model import load_model
from annotator.network.checkpoint import load_checkpoint
from annotator.project import Project
from annotator.rounds import RoundSettings, run_round
from annotator.rounds.trials.trial_projects import add_rendered, answer
from annotator.synthetic.generate import generate
from annotator.synthetic.shards import SyntheticShards

ROUNDS, WRONG = 3, 0.3
EPOCH = 60_000  # photos of the shipped model's training


def prepared(folder: Path, shards: SyntheticShards, hands: int, gold: int, still_open: int) -> list[str]:
    """A project with proposals and gold hands; the ids, those to accept first."""
    model = load_model()
    with Project.create(folder, who="simulated") as project:
        ids = add_rendered(project, model, shards, range(hands + gold + still_open))
        random = np.random.default_rng(1)
        for number in range(hands, hands + gold):
            accept(project, ids, number, shards, model, random)
            project.make_gold(ids[number])
    return ids


def accept(project: Project, ids: list[str], number: int, shards, model, random, wrong: bool = False) -> None:
    visible = np.flatnonzero(shards.labels["visible"][number])
    answer(project, ids[number], shards.labels["keypoints"][number], visible, model, random, wrong)


def old_mm(checkpoint: str | None, test: Path, count: int) -> np.ndarray:
    """(count,) PA-MPVPE on the frozen set."""
    run, truth = rendered_answers(load_checkpoint(checkpoint)[0], test_set(test), count)
    return 1000 * point_errors(run.estimates[-1].vertices, truth, reflect=True).mean(1)


def said(step: str, done: int, total: int, _numbers: dict) -> None:
    if done == total or done % 20 == 0:
        print(f"{step} {done}/{total}", file=sys.stderr, flush=True)


def kept(path: Path, make) -> dict:
    """What `make` says, kept in a file: a finished part is not run again."""
    if not path.exists():
        path.write_text(json.dumps(make()))
    return json.loads(path.read_text())


def in_a_row(out: Path, shards, arguments) -> dict:
    """Three rounds, a third of the hands before each."""
    folder = out / "in-a-row"
    shutil.rmtree(folder, ignore_errors=True)
    ids = prepared(folder, shards, arguments.hands, arguments.gold, arguments.open)
    results, model, random = [], load_model(), np.random.default_rng(2)
    for number, part in enumerate(np.array_split(np.arange(arguments.hands), ROUNDS)):
        with Project.open(folder, who="simulated") as project:
            for k in part:
                accept(project, ids, int(k), shards, model, random)
            before = {e.id: e.version for e in project.hands("accepted")}
            result = run_round(project, RoundSettings(seed=number), progress=said)
            after = {e.id: e.version for e in project.hands("accepted")}
        results.append(result | {"accepted_untouched": before == after})
    last = [r["checkpoint"] for r in results if r["promoted"]]
    errors = [old_mm(path, arguments.test, arguments.scored).tolist() for path in (None, last[-1] if last else None)]
    return {"rounds": results, "old": errors}


def all_at_once(out: Path, shards, arguments, wrong: float) -> dict:
    """One round on all hands, a share of them answered wrongly; timed."""
    folder = out / f"at-once-{round(100 * wrong)}"
    shutil.rmtree(folder, ignore_errors=True)
    ids = prepared(folder, shards, arguments.hands, arguments.gold, arguments.open)
    model, random = load_model(), np.random.default_rng(3)
    bad = np.random.default_rng(4).permutation(arguments.hands) < wrong * arguments.hands
    with Project.open(folder, who="simulated") as project:
        for k in range(arguments.hands):
            accept(project, ids, k, shards, model, random, bool(bad[k]))
    start, marks = time.monotonic(), {}

    def watch(step, done, total, numbers):
        marks.setdefault(step, [time.monotonic(), 0.0, total])[1] = time.monotonic()
        said(step, done, total, numbers)

    result = run_round(folder, RoundSettings(), progress=watch)
    first, last, steps = marks["train"]
    return {"round": result, "seconds": time.monotonic() - start, "step_seconds": (last - first) / (steps - 1)}


def line(name: str, result: dict) -> list:
    error, old = result["error"], result["old_domain_mm"]
    change = (
        f"{100 * error['before']:.2f} -> {100 * error['after']:.2f} "
        f"({100 * error['low']:+.2f}..{100 * error['high']:+.2f})"
    )
    return [
        name,
        result["hands"],
        change,
        f"{old['before']:.2f} -> {old['after']:.2f}",
        "yes" if result["promoted"] else "no",
        result["reproposed"]["refreshed"],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--hands", type=int, default=200)
    parser.add_argument("--gold", type=int, default=60)
    parser.add_argument("--open", type=int, default=30)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--scored", type=int, default=500, help="photos of the frozen set")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    count = arguments.hands + arguments.gold + arguments.open
    generate(arguments.out / "photos", count, 910_006, domain="workshop")
    shards = SyntheticShards(arguments.out / "photos")
    row = kept(arguments.out / "in-a-row.json", lambda: in_a_row(arguments.out, shards, arguments))
    clean = kept(arguments.out / "clean.json", lambda: all_at_once(arguments.out, shards, arguments, 0.0))
    poisoned = kept(arguments.out / "poisoned.json", lambda: all_at_once(arguments.out, shards, arguments, WRONG))
    rows = [line(f"{n + 1} in a row", r) for n, r in enumerate(row["rounds"])]
    rows += [line("all at once", clean["round"]), line("all at once, 30 % wrong", poisoned["round"])]
    head = [
        "round",
        "hands",
        "error on gold, % of the box (95 % of the change)",
        "old, mm (held-out replay)",
        "promoted",
        "proposed anew",
    ]
    print(markdown(head, rows))
    before, after = (np.array(errors) for errors in row["old"])
    print(f"\nold domain after three rounds, frozen mesh-truth set: {interval(before)} -> {interval(after)} mm, "
          f"{better_by(before, after)} better\n")  # fmt: skip
    print(f"accepted hands untouched in all rounds: {all(r['accepted_untouched'] for r in row['rounds'])}\n")
    settings = clean["round"]["settings"]
    epoch = EPOCH / settings["batch"] * clean["step_seconds"]
    print(
        f"one round on {arguments.hands} hands: {clean['seconds']:.0f} s ({clean['step_seconds']:.2f} s a step of "
        f"{settings['batch']}, "
        f"{arguments.threads} threads); an epoch of plain training ({EPOCH} photos) at that speed: {epoch:.0f} s; "
        "ratio "
        f"{clean['seconds'] / epoch:.3f}"
    )


if __name__ == "__main__":
    main()
