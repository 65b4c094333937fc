"""A project of 100,000 hands: how long it takes to open it, find the next hand and count, and what memory it needs.

    python benchmarks/large_project.py [--hands 100000] [--postgres | --url postgresql+psycopg://...] [--check]

Prints one JSON object. The hands are written through the store's own functions, many in a transaction.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from kill_store import SOURCE, databases, random_mesh

from annotator.project import Project
from annotator.project.entering import intake

AT_ONCE = 2000  # hands in a transaction, as a cluster's batches
PEOPLE = 200  # hands leased while the next one is asked for


def build(folder: Path, count: int, url: str | None) -> float:
    """Seconds that storing took, from what a cluster's workers hand over."""
    packed = [intake.prepare(random_mesh(k).replace(confidence=0.3 + k / 1000)).pack() for k in range(500)]
    start = time.perf_counter()
    with Project.create(folder, "before", database=url) as project:
        for first in range(0, count, AT_ONCE):
            project.add_looks(
                (
                    (
                        intake.Header(folder / f"photo-{number}.jpg", f"{number:064x}", 1080, 620, 1),
                        [intake.Prepared.unpack(packed[7 * k % 500]) for k in (number, number + 1)],
                    )
                    for number in range(first, min(first + AT_ONCE, count), 2)
                ),
                SOURCE,
            )
    return time.perf_counter() - start


def memory() -> float:
    """MB that this process has needed at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(folder: Path, check: bool) -> dict:
    def timed(work):
        start = time.perf_counter()
        work()
        return round(1000 * (time.perf_counter() - start), 2)

    project = []
    before = memory()
    result = {"open_ms": timed(lambda: project.append(Project.open(folder, "Ada")))}
    (opened,) = project
    result["status_ms"] = timed(opened.status)
    ids, times, computing = [], [], []
    for _ in range(PEOPLE):
        since = time.thread_time()
        times.append(timed(lambda: ids.append(opened.next_hand(skip=ids))))
        computing.append(round(1000 * (time.thread_time() - since), 2))
    result |= {"next_hand_ms_mean": round(sum(times) / PEOPLE, 2), "next_hand_ms_worst": max(times)}
    result["next_hand_ms_p95"] = sorted(times)[int(0.95 * PEOPLE)]
    result["next_hand_computing_ms_worst"] = max(computing)  # the rest is the disk, and whoever shares the machine
    other = Project.open(folder, "Bob")
    result["next_hand_of_another_ms"] = timed(other.next_hand)  # past all that Ada holds
    times = [timed(lambda hand=hand: opened.edit(hand, joint_states={3: "occluded"})) for hand in ids]
    result |= {"edit_ms_mean": round(sum(times) / PEOPLE, 2)}
    result["undo_ms"] = timed(opened.undo)
    result["page_of_1000_ms"] = timed(lambda: opened.hands(limit=1000))
    result["memory_mb"] = round(memory() - before, 1)
    if check:
        result["verify_s"] = round(timed(opened.verify) / 1000, 1)
        result["memory_after_verify_mb"] = round(memory() - before, 1)
    result["walk_through_all_ms"] = timed(lambda: sum(1 for _ in opened.each_hand()))
    result["memory_after_walk_mb"] = round(memory() - before, 1)
    result["list_all_ms"] = timed(opened.hands)
    result["memory_after_list_mb"] = round(memory() - before, 1)
    return result


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hands", type=int, default=100_000)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="an empty PostgreSQL database")
    where.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own")
    parser.add_argument("--check", action="store_true", help="also verify the whole journal")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.measure:
        print(json.dumps(measure(given.measure, given.check)))
        return 0
    with tempfile.TemporaryDirectory() as scratch, databases(given.url, given.postgres) as make_url:
        folder = Path(scratch) / "project"
        computing = time.process_time()
        seconds = build(folder, given.hands, make_url() if make_url else None)
        computing = time.process_time() - computing
        # in a process of its own: building has filled memory and caches
        command = [sys.executable, __file__, "--measure", folder, *(["--check"] if given.check else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        size = sum(path.stat().st_size for path in folder.glob("project.db*")) / 1e6
        result = {
            "hands": given.hands,
            "build_s": round(seconds, 1),
            "hands_a_second": round(given.hands / seconds),
            "writer_computing_ms_a_hand": round(1000 * computing / given.hands, 3),
            "file_mb": round(size, 1),
            **json.loads(done.stdout),
        }
        for name, more in (("status_command_s", ["--limit", "0"]), ("status_command_with_list_s", [])):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import sys; from annotator.cli import main; main(sys.argv[1:])",
                            "status", folder, "--json", *more], stdout=subprocess.DEVNULL, check=True)  # fmt: skip
            result[name] = round(time.perf_counter() - start, 2)
        print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
