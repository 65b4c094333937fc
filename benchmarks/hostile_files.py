"""Mutated and malicious files through every public door: each must be read or refused with an InputError, in time.

    python benchmarks/hostile_files.py [--count 2000] [--seed 0] [--only DOOR ...] [--table]

Doors: photos, project databases, hand models, the import of MANO files, checkpoints, and every reader of data sets.
Each case runs in a forked process with limits (10 s of computing, 60 s of waiting, 6 GB), so that a crash or an endless
loop is seen and counted. Among the files are pickles in disguise that would leave a mark if anything ran them. Prints one
JSON object (--table: a Markdown table); exit code 1 if a file did harm.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

from hostile_doors import Doors
from hostile_sets import Sets

from annotator.errors import InputError

COMPUTING, WAITING = 10, 60  # s that a file may take: on a busy machine only the first is the file's own
MEMORY = 6 << 30  # bytes a reader may ask for
GOOD = ("read", "refused")
ESCAPED = Path(tempfile.gettempdir()) / "ESCAPED"


def run(action) -> tuple[str, float]:
    """("read", "refused", or what went wrong; seconds of computing)."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        used = int(sum(os.times()[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (used + COMPUTING, used + COMPUTING + 1))
        try:
            action()
            said = "read"
        except InputError as error:
            said = "refused" if str(error).strip() else "an empty message"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"[:300]
        os.write(writing, said.encode(errors="replace")[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], WAITING)
        said = pipe.read().decode(errors="replace") if ready else f"no answer in {WAITING} s"
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    if not said and status & 127 == signal.SIGXCPU:
        said = f"no answer in {COMPUTING} s of computing"
    return said or f"crashed: signal {status & 127}", used.ru_utime + used.ru_stime


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", help="doors")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args(arguments)
    outcomes, harm, slowest, start = Counter(), [], {}, time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        scratch, mark = Path(name), Path(name) / "CODE-RAN"
        kinds = Doors(scratch, mark)
        doors = kinds.all | Sets(scratch, mark, kinds.records).all
        names = given.only or list(doors)
        for number in range(given.count):
            door = names[number % len(names)]
            draw = random.Random(f"{given.seed} {door} {number // len(names)}")
            shutil.rmtree(scratch / "case", ignore_errors=True)
            said, seconds = run(doors[door](draw))
            slowest[door] = max(slowest.get(door, 0.0), round(seconds, 2))
            outcomes[door, said if said in GOOD else "harm"] += 1
            if said not in GOOD:
                harm.append(f"{door} {number // len(names)}: {said}")
            if mark.exists() or ESCAPED.exists():
                harm.append(f"{door} {number // len(names)}: " + ("a pickle was run" if mark.exists() else "a file was written outside"))
                mark.unlink(missing_ok=True)
    rows = {door: {said: outcomes[door, said] for said in (*GOOD, "harm")} | {"slowest_s": slowest[door]} for door in slowest}
    result = {"files": given.count, "seed": given.seed, "doors": rows, "harm": harm,
              "slowest_s": max(slowest.values()), "seconds": round(time.perf_counter() - start, 1)}  # fmt: skip
    print(table(result) if given.table else json.dumps(result))
    return 1 if harm else 0


def table(result: dict) -> str:
    lines = ["| door | read | refused | harm | slowest, s of computing |", "|---|---|---|---|---|"]
    for door, row in result["doors"].items():
        lines.append(f"| {door} | {row['read']} | {row['refused']} | {row['harm']} | {row['slowest_s']} |")
    return "\n".join([*lines, "", f"{result['files']} files, seed {result['seed']}", *result["harm"]])


if __name__ == "__main__":
    sys.exit(main())
