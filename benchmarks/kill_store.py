"""Kills a process that edits, imports, exports and saves copies, at random moments, and looks at what is left.

    python benchmarks/kill_store.py [--kills 200] [--exports 12] [--seed 0] [--postgres | --url postgresql+psycopg://...]

(--postgres: on a PostgreSQL server of its own, from Debian's packages. `kill_commands.py` kills the commands `import`
and `export` themselves.)

After each SIGKILL the project is opened again: every acknowledged step must be there, the journal must replay
to the stored state, and the export folder must be whole or absent. Prints one JSON object; exit code 1 if
anything was lost. The worker is forked from a process that has imported everything, so that a kill costs
milliseconds instead of the seconds of a new Python.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from annotator import sample_data
from annotator.errors import InputError
from annotator.formats import reader, writer
from annotator.formats.transfer.from_project import labelled_hands
from annotator.hand.model import OFFSET_LEVEL, load_hand
from annotator.project import HAND_STATES, JOINT_STATES, Project, Provenance
from annotator.project.records.meshes import mesh_of
from annotator.project.records.record import HandRecord
from annotator.vision.camera import default_camera
from annotator.vision.photos import read_photo

SOURCE = Provenance("benchmark", "b" * 64)
LONGEST = 0.25  # s between the start of a worker's work and its end
EXPORTS = 12  # ... or as long as so many exports take
FRESH = 25  # kills until the next project begins: checking a long journal takes longer than the work


def random_mesh(seed: int, side: str = "right"):
    """A HandMesh of random, possible parameters about 80 cm away."""
    draw, model = np.random.default_rng(seed), load_hand()
    levels = len(model.levels[OFFSET_LEVEL].indices)
    record = HandRecord(
        side=side, K=default_camera(1080, 620), crop=np.array([310.0, 540.0, 300.0, 0.1]),
        pose=draw.normal(0, 0.2, (16, 3)), shape=draw.normal(0, 0.5, 10), translation=np.array([0.0, 0.0, 0.8]),
        offsets=draw.normal(0, 0.0005, (model.offset_count, 3)), keypoint_sigma=draw.uniform(1, 5, 21),
        vertex_sigma=np.full(levels, 0.004), confidence=float(draw.uniform(0.3, 1)), corrections={},
        joint_states=("proposed",) * 21, state="proposed",
    )  # fmt: skip
    return mesh_of(HandRecord.decode(record.encode()), model)


def make_project(folder: Path, url: str | None) -> None:
    with Project.create(folder, who="before", **({"database": url} if url else {})) as project:
        photos = project.add_photos(sample_data.photos()[:2])
        for k, photo in enumerate(photos):
            project.add_proposals(photo, [random_mesh(k), random_mesh(k + 10, "left")], SOURCE)


@contextmanager
def databases(url: str | None, own: bool) -> Iterator[Callable[[], str] | None]:
    """make() -> the URL of an empty database or schema, or None for SQLite.

    url: `{}` in it becomes a number. own: schemas of a server that is started here and goes with the block, as in
    tests.
    """
    numbers = itertools.count()
    if not own:
        yield (lambda: url.format(next(numbers))) if url else None
        return
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "project"))
    import postgres

    with postgres.server(durable=True) as server:
        yield lambda: postgres.new_schema(server, f"project_{next(numbers)}")


def work(folder: Path, seed: int, say) -> None:
    """Random steps until killed; `say(dict)` after each that the project has acknowledged."""
    draw, meshes = random.Random(seed), [random_mesh(k) for k in range(3)]
    with Project.open(folder, who=f"worker {seed}") as project:
        hands = [entry.id for entry in project.hands()]
        say({"did": "open"})
        for token in itertools.count():
            hand = draw.choice(hands)
            step = draw.choices(("edit", "mark", "state", "undo", "redo", "import", "export", "snapshot"),
                                (8, 4, 4, 2, 2, 1, 1, 1))[0]  # fmt: skip
            note = {"token": f"{seed}.{token}"}
            try:
                if step == "edit":
                    spot = {draw.randrange(21): (draw.uniform(0, 600), draw.uniform(0, 600))}
                    done = project.edit(hand, draw.choice(meshes).replace(corrections=spot), note=note)
                elif step == "mark":
                    states = {draw.randrange(21): draw.choice(JOINT_STATES)}
                    done = project.edit(hand, joint_states=states, note=note)
                elif step == "state":
                    done = project.set_state(hand, draw.choice(HAND_STATES), note=note)
                elif step in ("undo", "redo"):
                    getattr(project, step)(hand)
                    done = project.hand(hand).version
                elif step == "import":
                    photo = project.add_photo(draw.choice(sample_data.photos()[:6]))
                    say({"did": step, "hands": project.add_proposals(photo, [meshes[0], meshes[1]], SOURCE)})
                    continue
                elif step == "export":
                    say({"did": "export begins"})
                    records = itertools.islice(labelled_hands(project, HAND_STATES, strained=True), 3)
                    writer("freihand").write(records, folder.parent / "export", overwrite=True)
                    say({"did": step})
                    continue
                else:
                    say({"did": "snapshot begins"})
                    say({"did": step, "file": str(project.snapshot())})
                    continue
            except InputError as error:
                if "nothing to" not in str(error):
                    raise
                continue
            say({"did": step, "hand": hand, "version": done, **note})


def run_and_kill(folder: Path, seed: int, wait: float) -> list[dict]:
    """Fork a worker, let it work for `wait` seconds, kill it; what it said was done."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            work(folder, seed, lambda said: os.write(writing, (json.dumps(said) + "\n").encode()))
        except BaseException as error:
            os.write(writing, (json.dumps({"did": "failed", "error": repr(error)}) + "\n").encode())
        os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        first = pipe.readline()  # it has opened the project
        time.sleep(wait)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = [first, *pipe.readlines()]
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def missing(folder: Path, said: list[dict]) -> list[str]:
    """What the project, opened again, lacks of what was said to be done; [] if nothing."""
    lost = [one["error"] for one in said if one["did"] == "failed"]
    with Project.open(folder) as project:
        lost += project.verify()
        there = {entry.id: entry for entry in project.hands()}
        history: dict[str, list] = {}
        latest: dict[str, int] = {}
        for one in said:
            if "hand" in one:
                events = history.setdefault(one["hand"], project.history(one["hand"]))
                before, version = latest.get(one["hand"], 0), one["version"]
                latest[one["hand"]] = version
                if len(events) < version:
                    lost.append(f"{one['hand']} has {len(events)} events, {version} were acknowledged")
                elif one["did"] not in ("undo", "redo") and version > before > 0:
                    # (a step that changes nothing is no event: the version stays)
                    if events[version - 1].note.get("token") != one["token"]:
                        lost.append(f"{one['hand']}: event {version} is not {one['token']}")
            lost += [f"hand {hand} is gone" for hand in one.get("hands", ()) if hand not in there]
        for hand in history:
            project.mesh(hand)
    for one in said:
        if one["did"] == "snapshot":
            lost += whole_snapshot(Path(one["file"]))
    return lost + whole_export(folder.parent / "export")


def whole_export(out: Path) -> list[str]:
    if not out.exists():
        return []
    try:
        records = list(reader("freihand").read(out))
        for record in records:
            read_photo(record.photo)
        return [] if records else [f"{out} is empty"]
    except InputError as error:
        return [f"export is not whole: {error}"]


def whole_snapshot(file: Path) -> list[str]:
    with Project.open(file) as copy:
        return copy.verify()


def longest_wait(project: Project, out: Path, exports: int) -> float:
    """Seconds after which a worker is killed at the latest: enough for so many exports on a busy machine, too."""
    for _ in range(2):  # the first brings all that is imported
        begun = time.perf_counter()
        records = itertools.islice(labelled_hands(project, HAND_STATES, strained=True), 3)
        writer("freihand").write(records, out, overwrite=True)
        took = time.perf_counter() - begun
    return max(LONGEST, exports * took)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--exports", type=int, default=EXPORTS, help="a worker is killed within the time of so many")
    parser.add_argument("--seed", type=int, default=0)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a PostgreSQL database; `{}` in it becomes the project's number")
    where.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own")
    given = parser.parse_args(arguments)
    draw, lost, done, inside, longest = random.Random(given.seed), [], Counter(), Counter(), LONGEST
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch, databases(given.url, given.postgres) as make_url:
        for kill in range(given.kills):
            folder = Path(scratch) / f"{kill // FRESH}" / "project"
            if kill % FRESH == 0:
                shutil.rmtree(Path(scratch) / f"{kill // FRESH - 1}", ignore_errors=True)
                make_project(folder, make_url() if make_url else None)
                if kill == 0:  # torch and the readers are imported before the first fork
                    with Project.open(folder) as project:
                        longest = longest_wait(project, folder.parent / "warm", given.exports)
            said = run_and_kill(folder, given.seed + kill, draw.uniform(0, longest))
            done.update(one["did"] for one in said)
            last = said[-1]["did"] if said else "nothing"
            inside[last.removesuffix(" begins") if last.endswith(" begins") else "between or in an edit"] += 1
            lost += missing(folder, said)
    result = {"kills": given.kills, "acknowledged": dict(done), "killed_inside": dict(inside),
              "lost": lost, "seconds": round(time.perf_counter() - start, 1)}  # fmt: skip
    print(json.dumps(result))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
