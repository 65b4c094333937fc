"""Fails the n-th write, sync, read, rename, opening, removal or connection of every command that writes.

    python benchmarks/faults.py [--most 0] [--first 1] [--only accept,export-parquet] [--kinds write,sync] [--postgres]

--kinds killed: the process is killed at its n-th call of any kind instead.
--first: the first n that is tried: goes on with a run that was ended.
--most: so many n of each command and kind, evenly spread (0: all). --postgres: projects on a PostgreSQL server of its
own, whose connections fail; without it they are SQLite files.

The failing calls are those of the C library (`failing/calls.c`, preloaded; a C compiler makes it), so that Python,
SQLite and all other libraries meet what a full or broken disk does. Each n is tried twice: that call alone fails, and
it fails with all after it. Afterwards `Project.verify` must find nothing wrong, no hand may be lost, and what was
acknowledged (exit code 0) must be there; a command that fails must end with exit code 2 and one line that says why,
and, started again on the sound disk, must do its work. Commands run in forks of a process that has imported everything.
The network's answers are made once. Prints one JSON object; exit code 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))

from failing.calls import KINDS, PRELOADED, Ended, preload, run
from failing.commands import Commands, Tried
from failing.world import Case, World

from annotator.hand.joints import SIDES, opposite
from annotator.hand.mesh import HandMesh


def unclear(ended: Ended) -> list[str]:
    """What is wrong with how a command ended."""
    if ended.code == -signal.SIGKILL and not ended.seen:
        return []
    errors = [line for line in ended.said.splitlines() if line.startswith("annotator: error: ")]
    if "Traceback" in ended.said or ended.code not in (0, 2):
        return [f"ended with {ended.code}: {' | '.join(ended.said.splitlines()[-4:])[-600:]}"]
    if ended.code == 2 and len(errors) != 1:
        return [f"{len(errors)} lines of error: {ended.said[-300:]!r}"]
    if "Exception ignored" in ended.said:
        return [f"an exception that nobody caught: {ended.said[-600:]}"]
    if ended.code == 2 and (
        len(errors[0]) > 500 or "Errno" in errors[0] or "sqlalche" in errors[0] or "/" not in errors[0]
    ):
        return [f"not clear: {errors[0]}"]
    return []


def look(world: World, case: Case, tried: Tried, ended: Ended) -> list[str]:
    """What is wrong after a command that met a failure."""
    from annotator.errors import InputError

    wrong = unclear(ended)
    try:
        with_all = set(world.hands)
        from annotator.project import Project

        if tried.project != "project":
            with Project.open(case.place / tried.project) as project:
                wrong += project.verify()
        with Project.open(case.folder) as project:
            wrong += project.verify()
            there = {hand.id for hand in project.hands()}
        if not with_all <= there or len(there - with_all) > tried.hands:
            wrong.append(f"hands are {sorted(there)}")
        # what could not be read was named, and left out: that is no loss
        named = any(f"annotator: {word}: " in ended.said for word in ("skipped", "left out"))
        if ended.code == 0 and not named:
            wrong += [f"acknowledged, but {line}" for line in tried.whole(case)]
        elif tried.again:
            later = run(tried.arguments(case), "write", 0, False, case.place)
            wrong += [f"again: {line}" for line in unclear(later)]
            wrong += [f"again: ended with {later.code}: {later.said[-300:]}"] if later.code else []
            wrong += [f"again: {line}" for line in tried.whole(case)] if not later.code else []
            left = [path.name for path in case.place.glob(".*")]
            wrong += [f"left over: {left}"] if left else []
    except InputError as error:
        wrong.append(f"not readable: {error}")
    return wrong


def numbers(seen: int, most: int, first: int = 1) -> Iterator[int]:
    """The calls that fail, one at a time: all, or `most` of them evenly spread; of these, those from the first on."""
    every: Iterable[int] = range(1, seen + 1)
    if most and seen > most:
        every = sorted({1 + round(k * (seen - 1) / max(1, most - 1)) for k in range(most)})
    return (number for number in every if number >= first)


def warmed(world: World) -> None:
    """Import what the commands import, and let the network answer once: in a fork, since its threads would be missing
    in the forks that come."""
    import annotator.model

    load = annotator.model.load_model
    with multiprocessing.get_context("fork").Pool(1) as pool:
        answers = dict(zip(SIDES, pool.map(partial(_answer, world.new), SIDES), strict=True))
    loaded = load()
    loaded.propose = lambda *_args, sides=None, **_named: [answers[sides[0] if sides else SIDES[0]]]
    loaded.other_side = lambda _photo, hand, *_rest: answers[opposite(hand.side)]
    loaded.propose_many = lambda photos, **_named: ([answers[SIDES[0]]] for _ in photos)
    annotator.model.load_model = lambda path=None, *args, **named: load(path, *args, **named) if path else loaded


def _answer(photo: Path, side: str) -> HandMesh:
    from annotator.model import load_model
    from annotator.vision.photos import read_photo

    picture = read_photo(photo)
    height, width = picture.shape[:2]
    return load_model().propose(picture, boxes=[(0, 0, width, height)], sides=[side])[0]


def small_rounds() -> None:
    """Rounds that a fork ends in seconds: so few rendered photos say nothing of what was forgotten, which is not asked
    here, and no graph is compiled, which takes longer than these networks take as they are."""
    import annotator.detection.hand_detector
    import annotator.rounds

    annotator.detection.hand_detector.exported_encoder = lambda encoder, _bfloat16=False: encoder
    small = {"old": 4, "batch": 4, "looks": 1, "pictures": 1}
    annotator.rounds.RoundSettings = partial(annotator.rounds.RoundSettings, **small)


def sweep(given: argparse.Namespace, make_url: Callable[[], str] | None, scratch: Path) -> dict:
    from annotator.cli import main as command

    world = World(scratch, make_url)
    kinds = ("connection",) if make_url else [kind for kind in KINDS if kind not in ("connection", "killed")]
    if given.kinds:
        kinds = given.kinds.split(",")
    tried = Commands(world).tried()
    tried = {name: tried[name] for name in (given.only.split(",") if given.only else tried)}
    if any(one.imports for one in tried.values()):
        world.add_learning()
    if any(name.startswith(("propose", "correct", "nearer", "import", "add", "flip")) for name in tried):
        warmed(world)
    small_rounds()
    wrong, failures, ends, end = [], Counter(), Counter(), time.monotonic() + given.seconds

    def said() -> dict:
        return {"commands": len(tried), "failures": dict(failures), "ended": dict(ends), "wrong": wrong}

    for name, one in tried.items():
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            case = world.case()
            os.environ["XDG_DATA_HOME"] = str(case.place / "home")
            if one.imports:
                for module in one.imports:
                    importlib.import_module(module)
            else:
                command([str(word) for word in one.arguments(case)])  # imports what it imports
        for kind in kinds:
            case = world.case()
            sound = run(one.arguments(case), kind, 0, False, case.place)
            found = one.whole(case) if sound.code == 0 else [sound.said[-600:]]
            if found:
                wrong += [f"{name} fails on a sound disk: {line}" for line in found]
                continue
            # nothing comes after a kill; a connection that was reset stays so
            times = {"killed": (False,), "connection": (True,)}.get(kind, (False, True))
            for number, ever in itertools.product(numbers(sound.seen, given.most, given.first), times):
                if given.seconds and time.monotonic() > end:
                    return {"stopped_at": f"{name}, {kind} {number}", **said()}
                case = world.case()
                ended = run(one.arguments(case), kind, number, ever, case.place)
                failures[kind] += 1
                ends[{0: "went on", 2: "said so", -signal.SIGKILL: "was killed"}.get(ended.code, "broke")] += 1
                which = f"{name}: {kind} {number} of {sound.seen}{' and all after' if ever else ''}: "
                lines = [which + line for line in look(world, case, one, ended)]
                wrong += lines
                if given.talk:
                    for line in lines:
                        print(line, file=sys.stderr, flush=True)
    return said()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long (0: when all is done)")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--talk", action="store_true", help="say at once on stderr what was wrong")
    given = parser.parse_args(arguments)
    preload()
    from kill_store import databases

    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, databases(None, given.postgres) as make_url:
        result = sweep(given, make_url, Path(name).resolve())
    shutil.rmtree(Path(os.environ[PRELOADED]).parent, ignore_errors=True)
    print(json.dumps(result | {"seconds": round(time.perf_counter() - begin, 1)}))
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
