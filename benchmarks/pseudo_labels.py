"""Do exported pseudo-labels teach? A student trained on them, against its teacher, against corrections alone, and
shuffled.

    python benchmarks/pseudo_labels.py OUT [--hands 200] [--seeds 3]

OUT is that of benchmarks/active_learning.py. The teacher (the shipped model) proposes hands of the pool into a project;
in each the simulated person corrects the three keypoints that are expected to help most, the mesh follows, the hand is
accepted. The project is exported (hamer-npz) and read back: keypoints and joints of the corrected meshes, weighed by
their states. Students start from the teacher and see as much replay as labels.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from active_runs import Answers, Budget, Rest, described, learn, mesh_of
from tables import better_by, interval, markdown
from worlds.active import OLD, Photos, over_sites, photos, vertex_mm

from annotator.formats import reader, writer
from annotator.formats.transfer.from_project import labelled_hands
from annotator.model import Model
from annotator.network.checkpoint import load_checkpoint
from annotator.network.hand_meshes import HandMeshes
from annotator.project import Project, Provenance
from annotator.rounds.trials.trial_projects import NOISE, answer
from annotator.synthetic.shards import SyntheticShards

JOINTS = 3


class Exported:
    """Pseudo-labels by row of the pool, as a bank: keypoints, joints and weights as the data set gives them."""

    def __init__(self, data: Photos, labels: dict[int, object]):
        self.data, self.rows, self.labels = data, np.array(sorted(labels)), labels

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, index: torch.Tensor):
        rows = self.rows[index.numpy()]
        features, labels = self.data.batch(rows)
        said = [self.labels[int(row)] for row in rows]
        weights = torch.tensor(np.array([one.weights for one in said]), dtype=torch.float32)
        return features, labels._replace(
            keypoints=torch.tensor(np.array([one.keypoints for one in said]), dtype=torch.float32),
            joints=torch.tensor(np.array([one.joints for one in said]), dtype=torch.float32),
            keypoint_weight=weights,
            joint_weight=weights,
            visible=torch.tensor(np.array([one.visible for one in said])).float(),
            exact=torch.zeros(len(rows)),
        )


@torch.inference_mode()
def annotate(teacher: Model, pool: Photos, shards: SyntheticShards, rows: np.ndarray, folder: Path, seed: int):
    """Propose, correct, accept, export, read back: {row: LabelledHand}, and the corrections alone."""
    shutil.rmtree(folder, ignore_errors=True)
    random, alone = np.random.default_rng(seed), Answers(pool)
    records, network, numbers = HandMeshes(teacher.hand), teacher.network, {}
    gains = dict(zip(rows, described(network, pool, rows, [], True).gains, strict=True))
    with Project.create(folder / "project", who="simulated") as project:
        for start in range(0, len(rows), 50):
            part = rows[start : start + 50]
            features, labels = pool.batch(part)
            answers = network.answer(features, labels.projection, labels.focal)
            for at, row in enumerate(part):
                path = folder / "photos" / f"hand-{row:05d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(shards.jpeg(int(row)))
                mesh = mesh_of(records, answers, at, float(labels.focal[at]))
                hand_id = project.add_proposal(project.add_photo(path), mesh, Provenance("teacher", teacher.digest))
                joints = np.argsort(-gains[row], kind="stable")[:JOINTS]
                answer(project, hand_id, labels.keypoints[at].numpy(), joints, teacher, random)
                numbers[hand_id] = int(row)
                for joint, place in project.hand(hand_id).corrections.items():
                    alone.add(int(row), joint, np.array(place, np.float32))
        writer("hamer-npz").write(labelled_hands(project), folder / "export")
    return {numbers[record.id]: record for record in reader("hamer-npz").read(folder / "export")}, alone


def shuffled(labels: dict[int, object], random: np.random.Generator) -> dict[int, object]:
    """Every hand gets another's labels."""
    rows = random.permutation(sorted(labels))
    return {int(a): labels[int(b)] for a, b in zip(rows, np.roll(rows, 1), strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--hands", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network, card = load_checkpoint(None)
    teacher, budget = Model(network, card), Budget()
    world = {name: photos(name, arguments.out, network) for name in ("pool", "test", "replay")}
    shards, folder = SyntheticShards(arguments.out / "pool"), arguments.out / "pseudo-labels"
    folder.mkdir(parents=True, exist_ok=True)
    test, site = np.arange(budget.test), world["test"].site[: budget.test]
    scores: dict[str, list] = {}
    for seed in range(arguments.seeds):
        done = folder / f"students-{arguments.hands}-{seed}.json"
        if not done.exists():
            rows = np.sort(np.random.default_rng([seed, 7]).permutation(len(world["pool"]))[: arguments.hands])
            labels, alone = annotate(teacher, world["pool"], shards, rows, folder / f"seed-{seed}", seed)
            mixed = shuffled(labels, np.random.default_rng(seed))
            found = {}
            students = {"pseudo-labels": Exported(world["pool"], labels), "corrections alone": alone,
                        "shuffled pseudo-labels": Exported(world["pool"], mixed)}  # fmt: skip
            for name, bank in students.items():
                student = learn(network, [bank, Rest(world["replay"])], budget, folder / "training", seed)
                found[name] = {"errors": vertex_mm(student, world["test"], test).tolist(),
                               "old": vertex_mm(student, world["replay"], np.arange(OLD)).tolist()}  # fmt: skip
                print(f"seed {seed}, {name}: {np.mean(found[name]['errors']):.2f} mm", file=sys.stderr, flush=True)
            done.write_text(json.dumps(found))
        for name, one in json.loads(done.read_text()).items():
            scores.setdefault(name, []).append(one)
    before, old = vertex_mm(network, world["test"], test), vertex_mm(network, world["replay"], np.arange(OLD))
    table = [["teacher", interval(before), f"{over_sites(before, site):.2f}", "", f"{old.mean():.2f}"]]
    for name, runs in scores.items():
        errors = np.mean([one["errors"] for one in runs], axis=0)
        table.append([name, interval(errors), f"{over_sites(errors, site):.2f}", better_by(before, errors),
                      f"{np.mean([one['old'] for one in runs]):.2f}"])  # fmt: skip
    print(
        f"{arguments.hands} hands with {JOINTS} corrections each (noise {NOISE} px), {arguments.seeds} seeds, "
        f"{len(before)} test photos\n"
    )
    print(
        markdown(["trained on", "PA-MPVPE mm", "mean over sites", "better than the teacher by", "old domain mm"], table)
    )


if __name__ == "__main__":
    main()
