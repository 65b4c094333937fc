"""Random damage to a project's file: whether anything built on it leaves, and what `repair` saves.

    python benchmarks/damage.py [--damages 200] [--seed 0]

Damages are those of `tests/project/safety/test_damage.py`: flipped bits, overwritten pages, pages swapped, cut
files.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from annotator.sample_data import photos

from annotator.errors import InputError
from annotator.model import load_model
from annotator.project import Project, Provenance
from annotator.project.safety.repairing import repair
from annotator.project.storage.sqlite import FILE
from annotator.vision.photos import read_photo

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "project" / "safety"))

from test_damage import DAMAGE, content, in_whole_pages, used  # noqa: E402


def made(folder: Path) -> None:
    """A project with what the model says of the sample photos, edited a little."""
    model, source = load_model(device="cpu"), Provenance(model="default", model_digest="d" * 64)
    with Project.create(folder, who="Ada") as project:
        for path in photos():
            for hand in project.add_proposals(project.add_photo(path), model.propose(read_photo(path)), source):
                for joint in range(3):
                    project.edit(hand, joint_states={joint: "occluded"})
                project.set_state(hand, "accepted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--damages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance, counts, shares, unsaved, times = random.Random(arguments.seed), Counter(), [], [], []
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        made(work / "healthy")
        truth = content(work / "healthy")
        with Project.open(work / "healthy") as project:
            expected = used(project)
        for number in range(arguments.damages):
            folder, kind = work / f"damaged{number}", DAMAGE[number % len(DAMAGE)]
            folder.mkdir()
            data = bytearray((work / "healthy" / FILE).read_bytes())
            kind(chance, data)
            (folder / FILE).write_bytes(data)
            safe = in_whole_pages(work / "healthy" / FILE, bytes(data))
            counts[_left(folder, expected, work / "snapshot.db")] += 1
            (work / "snapshot.db").unlink(missing_ok=True)
            began = time.perf_counter()
            try:
                repair(folder, work / "new")
                saved = content(work / "new")
            except InputError:
                saved = {}
            times.append(time.perf_counter() - began)
            if not safe <= set(saved) or any(saved[hand] != truth[hand] for hand in saved):
                unsaved.append(number)
            shares.append(len(saved) / len(truth))
            shutil.rmtree(work / "new", ignore_errors=True)
            shutil.rmtree(folder)
    print(json.dumps({
        "hands": len(truth), "bytes": len(data), "damages": arguments.damages, **counts,
        "less saved than is whole": unsaved, "saved, mean and least": [round(float(np.mean(shares)), 3), min(shares)],
        "seconds of a repair, median": round(float(np.median(times)), 2),
    }))  # fmt: skip


def _left(folder: Path, expected: list, snapshot: Path) -> str:
    """What became of an export and a snapshot."""
    try:
        with Project.open(folder) as project:
            if used(project) != expected:
                return "wrong data left"
            project.snapshot(snapshot)
        with Project.open(snapshot) as copy:
            return "harmless" if used(copy) == expected and copy.verify() == [] else "wrong data left"
    except InputError:
        return "noticed"


if __name__ == "__main__":
    main()
