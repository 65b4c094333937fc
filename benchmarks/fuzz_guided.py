"""Fuzzing guided by coverage: the readers of labels, calibrations and settings, whose code is Python.

    pip install atheris
    python benchmarks/fuzz_guided.py [--seconds 600] [--only coco,pickle] [--corpus DIR]

`fuzz.py` changes what is inside sound containers at random. Here libFuzzer (through atheris, Google, Apache-2.0) sees
which branches of the readers an input reaches, and goes on from those that reach new ones: cookies, keys and nestings
that chance alone does not find. --corpus: inputs that reached something are kept there and begun with the next time.

Each door has a process of its own; an input may be read or refused with an InputError, within 5 s and 1 GB. Prints one
JSON object; exit code 1 if an input did harm, which is kept in the corpus as crash-*, timeout-* or oom-*.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path[1:1] = [str(Path(__file__).resolve().parents[1] / "tests" / part) for part in (".", "formats")]

SLOWEST, MOST = 5, 1024  # s, MB
LONG = 1 << 14  # bytes; what changes a form needs a hundred times as many
# format -> the end of the name of the file in it that is fuzzed
LABELS = {
    "coco": ".json", "coco-wholebody": ".json", "csv": ".csv", "cvat": ".xml", "cvat-video": ".xml",
    "deeplabcut": ".csv", "dexycb": ".yml", "freihand": ".json", "hanco": ".json", "hint": ".json", "ho3d": ".pkl",
    "interhand": ".json", "label-studio": ".json", "yolo-pose": ".txt",
}  # fmt: skip
OTHERS = {"calibration": "cameras.json", "recipe": "recipe.toml", "pickle": "MANO.pkl", "predictions": "hands.json"}
READ = ("annotator.formats", "annotator.files", "annotator.vision.rigs", "annotator.learning.recipe",
        "annotator.proposers")  # fmt: skip


def prepared(name: str, scratch: Path) -> tuple[Path, Callable[[], object]]:
    """(the file that is fuzzed, sound; what reads it)."""
    from fuzzing.parsers import Parsers
    from hostile.sets import read

    parsers = Parsers(scratch)
    if name in LABELS:
        found = [parsers.sets.scratch / f"{whose}-{name}" for whose in ("set", "others")]
        folder = next(place for place in found if place.is_dir())
        files = sorted(folder.rglob(f"*{LABELS[name]}"), key=lambda path: path.stat().st_size)
        return files[-1], lambda: read(name, folder, False)
    path = scratch / OTHERS[name]
    if name == "recipe":
        from annotator.learning.recipe import Recipe

        path.write_text(parsers.recipe, encoding="utf-8")
        return path, lambda: Recipe.read(path)
    if name == "pickle":
        from annotator.files.serialization.safe_pickle import load_file

        path.write_bytes(parsers.mano)
        return path, lambda: load_file(path)
    if name == "predictions":
        from fuzzing.doors import predictions

        from annotator.proposers import build_proposer

        path.write_text(json.dumps(predictions()), encoding="utf-8")
        photo = np.zeros((240, 320, 3), np.uint8)
        return path, lambda: build_proposer(f"files:{path}").propose(photo, path=Path("one.jpg"))
    from small_rigs import rig_of

    from annotator.vision.rigs import Rig

    rig_of(2).write(path)
    return path, lambda: Rig.read(path)


def guided(name: str, corpus: Path, seconds: int) -> None:
    """Fuzz one door in this process, which libFuzzer ends."""
    import atheris

    with atheris.instrument_imports(include=list(READ)):
        from annotator.formats import READERS, reader

        for one in READERS:
            reader(one)
        for room in READ:
            package = importlib.import_module(room)
            for module in pkgutil.iter_modules(getattr(package, "__path__", [])):
                importlib.import_module(f"{room}.{module.name}")
    from fuzzing import makers, trees
    from hostile.damage import mutated

    def tree(data: bytes, draw: random.Random) -> bytes:
        return trees.as_json(trees.changed(json.loads(data), draw))

    known = {".json": tree, ".yml": trees.yaml, ".csv": trees.csv, ".xml": makers.xml, ".pkl": trees.orders}

    from annotator.errors import InputError

    scratch = Path(tempfile.mkdtemp(prefix="fuzz-"))
    path, use = prepared(name, scratch)
    use()  # the sound one has to be read, or nothing is fuzzed
    (corpus / "sound").write_bytes(path.read_bytes()[: 1 << 16])

    def one(data: bytes) -> None:
        path.write_bytes(data)
        try:
            use()
        except InputError:
            pass

    def changed(data: bytes, most: int, seed: int) -> bytes:
        """As libFuzzer changes bytes, or what the text says."""
        draw = random.Random(seed)
        if draw.random() < 0.3 or len(data) > LONG:
            return atheris.Mutate(data, most)
        try:
            made = known.get(path.suffix, mutated)(data, draw)
        except Exception:  # it has changed too much already for what knows its form
            made = mutated(data, draw)
        return made if 0 < len(made) <= most else atheris.Mutate(data, most)

    options = [f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MOST + 1024}", "-max_len=65536"]
    atheris.Setup(
        [sys.argv[0], str(corpus), f"-artifact_prefix={corpus}/", "-print_final_stats=1", *options],
        one,
        custom_mutator=changed,
    )
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=600, help="for each door")
    parser.add_argument("--only", default=",".join([*LABELS, *OTHERS]))
    parser.add_argument("--corpus", type=Path, default=None)
    parser.add_argument("--door", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.door:
        guided(given.door, given.corpus, given.seconds)
    kept = given.corpus or Path(tempfile.mkdtemp(prefix="corpus-"))
    found, harm = {}, []
    for name in given.only.split(","):
        corpus = kept / name
        corpus.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, __file__, "--door", name, "--corpus", corpus, "--seconds", str(given.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        numbers = {
            word: int(match[1])
            for word, sign in (("inputs", "number_of_executed_units"), ("most_mb", "peak_rss_mb"))
            if (match := re.search(rf"stat::{sign}:\s+(\d+)", done.stderr))
        }
        reached = re.findall(r"cov: (\d+)", done.stderr) or ["0"]
        found[name] = numbers | {"branches": int(reached[-1]), "kept": sum(1 for _ in corpus.iterdir())}
        if done.returncode or not numbers:
            why = [line for line in done.stderr.splitlines() if re.match(r"\s*(\w+Error|SUMMARY|==)", line)]
            harm.append(f"{name} (exit code {done.returncode}): {' | '.join(why[-4:]) or done.stderr[-300:]}")
        print(name, json.dumps(found[name]), file=sys.stderr, flush=True)
    print(json.dumps({"seconds": given.seconds, "corpus": str(kept), "doors": found, "harm": harm}))
    return 1 if harm else 0


if __name__ == "__main__":
    sys.exit(main())
