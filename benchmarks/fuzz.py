"""Fuzzing behind the containers: files whose lengths and check sums are right and whose inside is hostile.

    python benchmarks/fuzz.py [--seconds 600] [--only png,json] [--seed 0] [--count 0]

--seconds: for each parser; --count: so many files of each instead. One file again: --only PARSER --again NUMBER.

Parsers: JPEG, PNG, TIFF, MP4, JSON (five layouts and predictions), YAML, CSV, npz (hand models, data sets, predictions,
messages of the server), tar, safetensors, pickles, SQLite, settings (TOML), HTTP requests. Files are made by
`fuzzing.makers` from sound ones, each from a seed of its own, so every one can be made again. Each is read in a forked
process with limits (`hostile.guarded`): it must be read or refused with an InputError, under 5 s of computing and 1 GB
of memory, run nothing, and leave nothing outside of its folder. Prints one JSON object; exit code 1 if a file did harm.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "formats"))

from fuzzing.parsers import NAMES, REQUESTS, Parsers
from hostile.guarded import run

SLOWEST, MOST = 5.0, 1 << 30  # s of computing, bytes


def outside(scratch: Path) -> list[Path]:
    """Files that no file may leave; they are removed."""
    found = [path for path in (*scratch.glob("*ESCAPED*"), *scratch.glob("a/*ESCAPED*"), *scratch.glob("a/b/*ESCAPED*"),
                               *Path("/tmp").glob("ESCAPED*"))]  # fmt: skip
    for path in found:
        path.unlink(missing_ok=True)
    return found


def fuzz(parsers: Parsers, name: str, given: argparse.Namespace, scratch: Path) -> dict:
    """One parser's files, until its time is over."""
    outcomes, harm, slowest, most, number = Counter(), [], (0.0, -1), (0, -1), 0
    end = time.monotonic() + given.seconds
    while number < given.count if given.count else time.monotonic() < end:
        at = given.again if given.again >= 0 else number
        number += 1
        try:
            use = getattr(parsers, name)(random.Random(f"{name} {given.seed} {at}"))
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, struct.error):
            outcomes["not made"] += 1  # what was put in is more than even the writer takes
            continue
        outcome = run(use)
        slowest, most = max(slowest, (round(outcome.seconds, 2), at)), max(most, (outcome.grown >> 20, at))
        wrong = [] if outcome.said in ("read", "refused") else [outcome.said]
        if outcome.seconds > (SLOWEST if name != "http" else REQUESTS * SLOWEST):
            wrong.append(f"took {outcome.seconds:.1f} s")
        if outcome.grown > MOST:
            wrong.append(f"took {outcome.grown >> 20} MB")
        if parsers.mark.exists():
            wrong.append("a command was run")
            parsers.mark.unlink()
        wrong += [f"left {path}" for path in outside(scratch)]
        outcomes[outcome.said if outcome.said in ("read", "refused") else "HARM"] += 1
        harm += [f"{name} {at}: {line}" for line in wrong]
        if given.again >= 0:
            break
    return {"files": number, **outcomes, "slowest": slowest, "most_MB": most, "harm": harm}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(NAMES))
    parser.add_argument("--again", type=int, default=-1)
    given = parser.parse_args(arguments)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        parsers = Parsers(scratch)
        gc.freeze()  # what is here is not searched in every fork
        for name in given.only.split(","):
            results[name] = fuzz(parsers, name, given, scratch)
            print(name, json.dumps(results[name]), file=sys.stderr, flush=True)
    print(json.dumps({"seed": given.seed, "parsers": results}))
    return 1 if any(result["harm"] for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
