"""Kills `annotator import` and `annotator export` at random moments, looks at what is left, and starts them again.

    python benchmarks/kill_commands.py [--kills 200] [--seed 0] [--postgres | --url postgresql+psycopg://...]

After each SIGKILL an export's folder must be absent or whole (every hand reads back), a project that was being imported
into must be absent or verify, with photos. The same command is then started again and must end well: as many hands as
without the kill, none twice, nothing left over beside the export. Prints one JSON object; exit code 1 if anything was
wrong. Commands run in forks of a process that has imported everything, so that the kill meets the work and not the
imports.
"""

from __future__ import annotations

import argparse
import contextlib
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
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

from kill_store import SOURCE, databases, random_mesh

from annotator import sample_data
from annotator.cli import main as command
from annotator.errors import InputError
from annotator.formats import reader, writer
from annotator.formats.transfer.from_project import labelled_hands
from annotator.project import Project
from annotator.vision.photos import read_photo

FORMATS = ("freihand", "hamer-tar", "ho3d", "coco-wholebody", "parquet", "hamer-npz")
PHOTOS, HANDS = 4, 3  # of the project that leaves, hands a photo


def make_project(folder: Path, url: str | None) -> None:
    with Project.create(folder, who="before", database=url) as project:
        for number, path in enumerate(sample_data.photos()[:PHOTOS]):
            meshes = [random_mesh(HANDS * number + k) for k in range(HANDS)]
            for hand in project.add_proposals(project.add_photo(path), meshes, SOURCE):
                project.set_state(hand, "accepted")


def imported(arguments: list) -> None:
    """Do the command here once: forks have then imported what it imports."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        command([str(one) for one in arguments])


def start(arguments: list) -> int:
    """The command in a fork; its process."""
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
            code = 1
            with contextlib.suppress(BaseException):
                code = command([str(one) for one in arguments])
        os._exit(code)
    return child


def ended(child: int) -> tuple[int, float]:
    """(exit status, seconds of computing that it took)."""
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def killed(arguments: list, after: float) -> bool:
    """Start it, kill it once it has computed for so many seconds (a busy machine then hits the work as often as a free
    one); whether it was still at work."""
    child = start(arguments)
    clock, since = Path(f"/proc/{child}/schedstat"), time.perf_counter()
    while True:
        try:
            used = int(clock.read_text().split()[0]) / 1e9
        except OSError:  # no Linux
            used = time.perf_counter() - since
        state = Path(f"/proc/{child}/stat")
        if used >= after or state.exists() and ") Z " in state.read_text():
            break
        time.sleep(0.0003)
    os.kill(child, signal.SIGKILL)
    return ended(child)[0] == -signal.SIGKILL


def wrong_export(out: Path, name: str, may_be_absent: bool) -> list[str]:
    if not out.exists():
        return [] if may_be_absent else [f"{name}: no export"]
    try:
        records = 0
        for record in reader(name).read(out):
            read_photo(record.photo)
            records += 1
    except InputError as error:
        return [f"{name}: the export is not whole: {error}"]
    return [] if records == PHOTOS * HANDS else [f"{name}: the export has {records} hands"]


def wrong_project(folder: Path, name: str, may_lack: bool) -> list[str]:
    if not (folder / "project.db").is_file() and not (folder / "project.toml").is_file():
        return [] if may_lack else [f"{name}: no project"]
    try:
        with Project.open(folder) as project:
            wrong, count = project.verify(photos=True), project.count_hands()
    except InputError as error:
        # killed before the project was made: `import` begins anew
        return [] if may_lack and "is not a project database" in str(error) else [f"{name}: {error}"]
    if count > PHOTOS * HANDS or not may_lack and count != PHOTOS * HANDS:
        wrong.append(f"{name}: {count} hands were imported")
    return wrong


def one(scratch: Path, kill: int, draw: random.Random, took: dict, urls) -> tuple[str, bool, list[str]]:
    """(what was killed, whether it was at work, what was wrong)."""
    name, verb = FORMATS[kill // 2 % len(FORMATS)], ("export", "import")[kill % 2]
    place = scratch / f"{kill}"
    if verb == "export":
        again = draw.random() < 0.5 and kill > len(FORMATS)  # over an earlier one
        target = scratch / f"earlier-{name}" if again else place / "set"
        arguments = ["export", scratch / "project", "--out", target, "--format", name, "--overwrite"]
        wrong_now = lambda may: wrong_export(target, name, may)  # noqa: E731
    else:
        target = place / "project"
        if urls is not None:  # the folder exists and names its database; its tables may not be there
            target.mkdir(parents=True)
            (target / "project.toml").write_text(f"database = {json.dumps(next(urls))}\n")
        arguments = ["import", scratch / "sets" / name, "--project", target, "--format", name, "--who", "killed"]
        wrong_now = lambda may: wrong_project(target, name, may)  # noqa: E731
    at_work = killed(arguments, draw.uniform(0, 0.8 * took[verb, name]))
    wrong = wrong_now(True)
    code, _ = ended(start(arguments))
    wrong += [f"{verb} of {name}, started again, ended with {code}"] if code else []
    wrong += wrong_now(False)
    left = [path.name for path in target.parent.glob(f".{target.name}.*")]
    wrong += [f"{name}: left over: {left}"] if left else []
    shutil.rmtree(place, ignore_errors=True)
    return verb, at_work, wrong


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="a PostgreSQL database; `{}` in it becomes a project's number")
    where.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own")
    given = parser.parse_args(arguments)
    draw, wrong, hit, took = random.Random(given.seed), [], Counter(), {}
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, databases(given.url, given.postgres) as make_url:
        scratch = Path(name)
        urls = (make_url() for _ in itertools.count()) if make_url else None
        make_project(scratch / "project", next(urls) if urls else None)
        with Project.open(scratch / "project") as project:
            for each in FORMATS:
                writer(each).write(labelled_hands(project), scratch / "sets" / each)
        for each in FORMATS[: (given.kills + 1) // 2]:  # those that there are kills for
            for verb, place in (("export", scratch / "timed"), ("import", scratch / "timed-project")):
                more = ["export", scratch / "project", "--out", place] if verb == "export" else [
                    "import", scratch / "sets" / each, "--project", place]  # fmt: skip
                imported([*more, "--format", each])
                shutil.rmtree(place, ignore_errors=True)
                code, took[verb, each] = ended(start([*more, "--format", each]))  # undisturbed
                if code:
                    raise SystemExit(f"{verb} of {each} fails without a kill")
                shutil.rmtree(place, ignore_errors=True)
        for kill in range(given.kills):
            verb, at_work, found = one(scratch, kill, draw, took, urls)
            hit[f"{verb} {'at work' if at_work else 'had ended'}"] += 1
            wrong += found
    result = {"kills": given.kills, "seed": given.seed, "hit": dict(hit), "wrong": wrong,
              "seconds": round(time.perf_counter() - begin, 1)}  # fmt: skip
    print(json.dumps(result))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
