"""A team's server and a project for an hour: errors, times and memory by quarter.

Good clients ask beside slow, broken, hostile and greedy ones and those who leave; four people write into one project.

    python benchmarks/soak.py [--seconds 3600] [--good 2] [--writers 4] [--postgres]

Before it begins, the good clients are alone for a tenth of the time: the quiet times. Prints two tables and one JSON
object; exit code 1 if a good client saw an error, the 99th percentile of its times is over three times the quiet one,
memory grew by more than 5 % from the second quarter to the last (judged from ten minutes on: before, caches still
fill), or the project lost an acknowledged step. --postgres: the project lies on a PostgreSQL server of its own, from
Debian's packages.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import kill_store
import numpy as np
import psutil
from soak_clients import OTHERS, Seen, Target, good, repeated
from tables import markdown

from annotator import sample_data
from annotator.errors import InputError
from annotator.project import Project
from annotator.serving.access import tokens

SETTLED = 600.0  # s from which on memory is judged
SLOWER, GROWTH = 3.0, 1.05  # times the quiet 99th percentile, and the second quarter's memory, at most


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--good", type=int, default=2)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--postgres", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, kill_store.databases(None, arguments.postgres) as make:
        found = soak(Path(folder), arguments.seconds, arguments.good, arguments.writers, make() if make else None)
    print(markdown(["quarter", "answers", "errors", "median", "99 %", "server's memory"], found.pop("rows")))
    print(markdown(["client", "how it ended"], found.pop("ends")))
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


def soak(folder: Path, seconds: float, clients: int, writers: int, database: str | None = None) -> dict:
    """rows: by quarter; ends: by kind of client; wrong: what was not as it should be; the numbers behind it."""
    file, project = folder / "tokens.json", folder / "project"
    given = {"good": tokens.add(file, "good"), "broken": tokens.add(file, "broken"),
             "greedy": tokens.add(file, "greedy", requests=60, seconds=6)}  # fmt: skip
    kill_store.make_project(project, database)
    command = [sys.executable, "-m", "annotator.cli", "serve", "--port", "0", "--device", "cpu",
               "--tokens", str(file), "--audit", str(folder / "audit.jsonl")]  # fmt: skip
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = server.stderr.readline()
        if "serving at" not in said:
            raise InputError(f"the server did not start: {said}{server.stderr.read()}")
        threading.Thread(target=server.stderr.read, daemon=True).start()
        target = Target(said.split()[-1], given, [path.read_bytes() for path in sample_data.photos()])
        quiet, _ = together(target, clients, seconds / 10, psutil.Process(server.pid))
        asked = threading.Event()
        steps: list[dict] = []
        hands = [threading.Thread(target=write, args=(project, k, asked, steps)) for k in range(writers)]
        for thread in hands:
            thread.start()
        busy, memory = together(target, clients, seconds, psutil.Process(server.pid), OTHERS)
        asked.set()
        for thread in hands:
            thread.join()
        lost = checked(project, steps)
    finally:
        server.terminate()
        try:
            stopped = server.wait(120)
        except subprocess.TimeoutExpired:
            server.kill()
            stopped = None
    found = judged(quiet, busy, memory, seconds) | {"steps": len(steps), "lost": lost, "stopped": stopped}
    found["wrong"] += [f"{lost} steps lost, or faults in the project"] if lost else []
    return found


def together(
    target: Target, clients: int, seconds: float, process: psutil.Process, others: tuple[Callable, ...] = ()
) -> tuple[Seen, list[tuple[float, int]]]:
    """(what they met, (since the beginning in seconds, server's bytes) about once a second)."""
    stop, seen, memory = threading.Event(), Seen(), []
    threads = [threading.Thread(target=good, args=(target, random.Random(k), stop, seen)) for k in range(clients)]
    threads += [
        threading.Thread(target=repeated, args=(kind, target, random.Random(100 + k), stop, seen))
        for k, kind in enumerate(others)
    ]
    for thread in threads:
        thread.start()
    while (now := time.monotonic() - seen.began) < seconds:
        memory.append((now, process.memory_info().rss))
        time.sleep(min(1.0, seconds / 40))
    stop.set()
    for thread in threads:
        thread.join()
    return seen, memory


def write(project: Path, number: int, stop: threading.Event, steps: list[dict]) -> None:
    """Somebody's corrections, decisions and undos in a project that others write into."""
    draw = random.Random(number)
    with Project.open(project, who=f"writer {number}") as opened:
        hands = [entry.id for entry in opened.hands()]
        for count in range(sys.maxsize):
            if stop.wait(draw.uniform(0.02, 0.2)):
                return
            hand, note = draw.choice(hands), {"token": f"{number}.{count}"}
            try:
                if draw.random() < 0.7:
                    spot = {draw.randrange(21): (draw.uniform(0, 600), draw.uniform(0, 600))}
                    mesh = kill_store.random_mesh(draw.randrange(3)).replace(corrections=spot)
                    opened.edit(hand, mesh, note=note)
                else:
                    opened.set_state(hand, draw.choice(("proposed", "accepted", "rejected")), note=note)
                    if all(event.note.get("token") != note["token"] for event in opened.history(hand)):
                        continue  # the hand was in that state: nothing to do is no step
            except InputError as error:
                if "version" not in str(error) and "strain" not in str(error):
                    raise
                continue
            steps.append({"hand": hand} | note)


def checked(project: Path, steps: list[dict]) -> int:
    """How many acknowledged steps the journal does not have, and how much else is wrong with the project."""
    with Project.open(project) as opened:
        known = {event.note.get("token") for one in opened.hands() for event in opened.history(one.id)}
        return sum(step["token"] not in known for step in steps) + len(opened.verify())


def judged(quiet: Seen, busy: Seen, memory: list[tuple[float, int]], seconds: float) -> dict:
    rows, levels = [], []
    for quarter in range(4):
        low, high = seconds * quarter / 4, seconds * (quarter + 1) / 4 if quarter < 3 else np.inf
        mine = [answer for answer in busy.answers if low <= answer[0] < high]
        times = [took for _, took, _ in mine] or [np.nan]
        level = np.mean([size for at, size in memory if low <= at < high] or [np.nan]) / 1e6
        levels.append(float(level))
        wrong = sum(status != "200" for *_, status in mine)
        rows.append([quarter + 1, len(mine), wrong, *(f"{np.percentile(times, q):.2f} s" for q in (50, 99)),
                     f"{level:.0f} MB"])  # fmt: skip
    errors = Counter(status for seen in (quiet, busy) for *_, status in seen.answers if status != "200")
    before, p99 = (float(np.percentile([took for _, took, _ in seen.answers], 99)) for seen in (quiet, busy))
    failed = sum(count for ends in busy.others.values() for end, count in ends.items() if end.startswith("500"))
    wrong = [f"good clients met {dict(errors)}"] if errors else []
    wrong += [f"{failed} answers of 500"] if failed else []
    wrong += [f"99 % of {p99:.2f} s, quiet {before:.2f} s"] if p99 > SLOWER * before else []
    grown = levels[3] / levels[1]
    wrong += [f"memory grew by {grown - 1:.1%}"] if seconds >= SETTLED and grown > GROWTH else []
    ends = [[kind, ", ".join(f"{end}: {count}" for end, count in sorted(met.items()))] for kind, met in
            sorted(busy.others.items())]  # fmt: skip
    return {"rows": rows, "ends": ends, "wrong": wrong, "answers": len(busy.answers), "errors": sum(errors.values()),
            "quiet_p99": round(before, 3), "p99": round(p99, 3), "growth": round(grown, 3)}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
