"""A round on real photos whose labels mean the joints in another way than the model does.

    python benchmarks/real_round.py OUT --table DATA/real/two-cameras [--hands 60] [--replay FOLDER]

A project of photos out of the table's training part, all 21 keypoints set where the table has them, accepted; one
`annotator.rounds.run_round` with its default settings. Then the photos that the table holds out are proposed with the
model of before and of after, and compared with the table's joints in 3-D (similarity alignment, at the size of an
ordinary hand where their unit is unknown), read as the mesh has them and by the project's definition. The shipped model
saw the two-camera video in its last training phase: its weights have little to gain there.
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
from tables import better_by, interval, markdown

from annotator.evaluation.metrics import point_errors
from annotator.hand.definitions import ANATOMICAL, JointDefinition
from annotator.hand.mesh import HandMesh
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.samples import MEAN_PALM
from annotator.model import Model, load_model
from annotator.project import Project, Provenance
from annotator.project.records.states import ACCEPTED
from annotator.rounds import RoundSettings, run_round
from annotator.vision.crops import box_round

BLOCK = 30  # frames of video that are drawn together in the bootstrap


def proposed(model: Model, photos: KeypointPhotos, row: int) -> HandMesh:
    """The model's answer to a row of the table, told the hand's box and side as a person draws them."""
    table = photos.table
    return model.propose(photos.photo(row), [box_round(table.keypoints[row])], [str(table.side[row])], table.K[row])[0]


def labelled(folder: Path, model: Model, photos: KeypointPhotos, rows: np.ndarray) -> None:
    """A project whose people set every keypoint of these rows as the table has it."""
    provenance = Provenance("real round", model.digest)
    with Project.create(folder, who="table") as project:
        for row in rows:
            photo = project.add_photo(photos.folder / str(photos.table.photo[row]), photos.photo(row).shape[:2])
            hand = proposed(model, photos, row)
            given = {k: tuple(point) for k, point in enumerate(photos.table.keypoints[row].tolist())}
            hand_id = project.add_proposal(photo, hand, provenance)
            project.edit(hand_id, model.refine(hand, given))
            project.set_state(hand_id, ACCEPTED)


def joint_errors(hands: list[HandMesh], photos: KeypointPhotos, definition: JointDefinition) -> np.ndarray:
    """(N,) PA-MPJPE, mm."""
    table = photos.table
    size = np.where(table.metric > 0, 1.0, MEAN_PALM / palms(table.joints))
    found = [point_errors(definition.joints(hand), table.joints[k] * size[k]).mean() for k, hand in enumerate(hands)]
    return 1000 * np.array(found)


def palms(joints: np.ndarray) -> np.ndarray:
    """The median palm (wrist to middle knuckle) of joints (N, 21, 3) in their own unit."""
    return np.median(np.linalg.norm(joints[:, 9] - joints[:, 0], axis=-1))


def said(step: str, done: int, total: int, _numbers: dict) -> None:
    if done == total or done % 20 == 0:
        print(f"{step} {done}/{total}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--hands", type=int, default=60)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--replay", type=Path, help="rendered photos to show again; default: rendered into the project")
    parser.add_argument("--replayed", type=int, default=RoundSettings().replayed, help="how many of them")
    parser.add_argument("--block", type=int, default=BLOCK, help="rows of numbered groups that are drawn together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    taught = KeypointPhotos(arguments.table, held=False, jitter=False)
    held = KeypointPhotos(arguments.table, held=True, jitter=False)
    rows = np.sort(np.random.default_rng(arguments.seed).permutation(len(taught))[: arguments.hands])
    folder, parent = arguments.out / "project", load_model(arguments.model)
    if not folder.exists():
        labelled(arguments.out / "begun", parent, taught, rows)
        shutil.move(arguments.out / "begun", folder)
    began = time.monotonic()
    settings = RoundSettings(seed=arguments.seed, replayed=arguments.replayed)
    result = run_round(folder, settings, arguments.model, arguments.replay, "table", progress=said)
    seconds = time.monotonic() - began
    with Project.open(folder) as project:
        learned = project.definition()
    before = [proposed(parent, held, k) for k in range(len(held))]
    child = load_model(result["checkpoint"])
    after = [proposed(child, held, k) for k in range(len(held))]
    _, blocks = np.unique(held.table.group, return_inverse=True)
    if all(str(group).isdigit() for group in held.table.group):
        blocks = held.table.group.astype(int) // arguments.block
    start = joint_errors(before, held, ANATOMICAL)
    lines = []
    for name, hands, definition in (
        ("model before, our joints", before, ANATOMICAL),
        ("model before, the project's joints", before, learned),
        ("model after, our joints", after, ANATOMICAL),
        ("model after, the project's joints", after, learned),
    ):
        errors = joint_errors(hands, held, definition)
        lines.append([name, interval(errors, blocks), better_by(start, errors, blocks)])
    (arguments.out / "result.json").write_text(json.dumps(result, indent=1))
    print(f"{len(rows)} labelled photos, {len(held)} held out\n")
    print(markdown(["held-out photos", "PA-MPJPE, mm (95 %)", "better than the first"], lines))
    print(f"\npromoted: {result['promoted']}: {result['why']}")
    print(f"definition ({learned.name}): {result['definition']}")
    print(f"contradicting: {len(result['contradicting']['hands'])} of {result['contradicting']['of']}")
    for key in ("error", "from_definition", "from_weights", "old_domain_mm"):
        print(f"{key}: {result[key]}")
    print(f"round: {seconds:.0f} s, {arguments.threads} threads")


if __name__ == "__main__":
    main()
