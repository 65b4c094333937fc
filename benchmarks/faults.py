"""Fails the n-th write, sync, read, rename, opening, removal or connection of every command that writes.

    python benchmarks/faults.py [--most 0] [--only accept,export-parquet] [--kinds write,sync] [--postgres]

--most: so many n of each command and kind, evenly spread (0: all). --postgres: projects on a PostgreSQL server of its
own, whose connections fail; without it they are SQLite files.

The failing calls are those of the C library (`failing.c`, preloaded; a C compiler makes it), so that Python, SQLite and
all other libraries meet what a full or broken disk does. Each n is tried twice: that call alone fails, and
it fails with all after it. Afterwards `Project.verify` must find nothing wrong, no hand may be lost, and what was
acknowledged (exit code 0) must be there; a command that fails must end with exit code 2 and one line that says why,
and, started again on the sound disk, must do its work. Commands run in forks of a process that has imported everything.
The network's answers are made once. Prints one JSON object; exit code 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# name -> (bits, as failing.c has them; what the system says)
KINDS = {
    "write": (1, errno.ENOSPC),
    "sync": (2, errno.EIO),
    "read": (4, errno.EIO),
    "rename": (8, errno.EACCES),
    "open": (16, errno.EMFILE),
    "remove": (32, errno.EACCES),
    "connection": (64, errno.ECONNRESET),
}
LONGEST = 60  # s that a command may take
PRELOADED = "HAND_MESH_FAILING_CALLS"


def preload() -> None:
    """Start this program again with the failing calls before the C library. SystemExit: they cannot be made here."""
    if os.environ.get(PRELOADED):
        return
    made = Path(tempfile.mkdtemp(prefix="failing-")) / "failing.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        raise SystemExit("failing calls need Linux and a C compiler")
    options = ("-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-o", made, HERE / "failing.c", "-ldl")
    subprocess.run([compiler, *options], check=True)
    told = os.environ | {"LD_PRELOAD": str(made), PRELOADED: str(made)}
    os.execve(sys.executable, [sys.executable, *sys.argv], told)


@dataclass
class Case:
    """One command on one copy of the project: what fails is below `place`, the project is `folder`."""

    place: Path

    @property
    def folder(self) -> Path:
        return self.place / "project"


@dataclass(frozen=True)
class Tried:
    """arguments: of the command in this case; whole: what is wrong where it said that it is done, one line each;
    again: whether it can be started a second time; hands: that it may add."""

    arguments: Callable[[Case], list]
    whole: Callable[[Case], list[str]]
    again: bool = True
    hands: int = 0


class World:
    """Templates that cases are copied from, and the commands that are tried."""

    def __init__(self, scratch: Path, make_url: Callable[[], str] | None):
        from kill_store import SOURCE, random_mesh

        from annotator import sample_data
        from annotator.formats import writer
        from annotator.formats.transfer.from_project import labelled_hands
        from annotator.project import Project

        self.scratch, self.make_url, self.template = scratch, make_url, scratch / "template"
        photos = self.template / "photos"
        photos.mkdir(parents=True)
        small = sorted(sample_data.photos(), key=lambda path: path.stat().st_size)
        kept = [Path(shutil.copy(path, photos / path.name)) for path in small[:2]]
        (self.template / "new").mkdir()
        self.new = shutil.copy(small[2], self.template / "new" / small[2].name)
        meshes = [random_mesh(number) for number in range(4)]
        with Project.create(self.template / "project", who="Ada") as project:
            self.hands = []
            for path, pair in zip(kept, (meshes[:2], meshes[2:]), strict=True):
                self.hands += project.add_proposals(project.add_photo(path), pair, SOURCE)
            for hand in self.hands[1:]:
                project.set_state(hand, "accepted")
            project.set_state(self.hands[3], "rejected")
            project.undo(self.hands[3])
            project.edit(self.hands[0], meshes[0].replace(corrections={8: (30.0, 40.0)}))
            self.sets = scratch / "sets"
            for name in ("freihand", "coco-wholebody", "hamer-tar"):
                writer(name).write(labelled_hands(project), self.sets / name)
        # as an earlier program left it
        old = self.template / "old"
        old.mkdir()
        with sqlite3.connect(old / "project.db") as database:
            script = HERE.parent / "tests" / "project" / "data" / "version-1.sql"
            database.executescript(script.read_text(encoding="utf-8"))
        database.close()

    def case(self) -> Case:
        """A fresh copy of everything."""
        from annotator.project import Project

        place = self.scratch / "case"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.template, place)
        shutil.copytree(self.sets, place / "sets")
        case = Case(place)
        if self.make_url is not None:
            self._on_server(case, Project)
        return case

    def _on_server(self, case: Case, project) -> None:
        """The case's project moved to a schema of the server: copied table by table."""
        from sqlalchemy import insert, select

        from annotator.project.storage import schema
        from annotator.project.storage.postgresql import create_postgresql
        from annotator.project.storage.sqlite import open_sqlite

        url = self.make_url()
        there, here = create_postgresql(url, {}), open_sqlite(case.folder / "project.db")
        with here.reading() as source, there.writing() as target:
            target.execute(schema.meta.delete())
            for table in schema.metadata.sorted_tables:
                rows = [dict(row) for row in source.execute(select(table)).mappings()]
                if rows:
                    target.execute(insert(table), rows)
        there.close()
        here.close()
        (case.folder / "project.db").unlink()
        (case.folder / "project.toml").write_text(f"database = {json.dumps(url)}\n")

    def tried(self) -> dict[str, Tried]:
        """name -> command."""
        first, second, _, last = self.hands
        found = {
            "accept": Tried(lambda c: ["accept", c.folder, first, last, "--force"], self._state(first, "accepted")),
            "reject": Tried(lambda c: ["reject", c.folder, first], self._state(first, "rejected")),
            "undo": Tried(lambda c: ["undo", c.folder, second], self._state(second, "proposed"), again=False),
            "redo": Tried(lambda c: ["redo", c.folder, last], self._state(last, "rejected"), again=False),
            "correct": Tried(lambda c: ["correct", c.folder, first, "8", "100", "120"], self._corrected(first)),
            "mark": Tried(lambda c: ["correct", c.folder, first, "3", "--state", "occluded"], self._marked(first)),
            "next": Tried(lambda c: ["next", c.folder], lambda c: []),
            "review": Tried(lambda c: ["review", c.folder, second, "--agree", "--who", "Bo"], lambda c: []),
            "gold": Tried(lambda c: ["gold", c.folder, second], self._gold(second), again=False),
            "propose": Tried(lambda c: ["propose", c.place / "new", "--project", c.folder], self._counted(5), hands=1),
            "propose-new": Tried(lambda c: ["propose", c.place / "new", "--project", c.place / "made"], self._made(1)),
            "photos": Tried(lambda c: ["photos", c.folder, "--copy"], self._copied),
            "snapshot": Tried(
                lambda c: ["snapshot", c.folder, "--out", c.place / "copy.db"], self._snapshot, again=False
            ),
            "repair": Tried(lambda c: ["repair", c.folder, "--out", c.place / "made"], self._made(4), again=False),
            "migrate": Tried(lambda c: ["status", c.place / "old"], lambda c: self._verified(c.place / "old", 2)),
        }
        for name in ("freihand", "coco-wholebody", "hamer-tar", "parquet", "ho3d", "hamer-npz"):
            found[f"export-{name}"] = Tried(self._export(name), self._exported(name))
        found["export-over"] = Tried(self._export("freihand", "sets/freihand"), lambda c: self._set(
            c.place / "sets" / "freihand", "freihand"))  # fmt: skip
        for name in ("freihand", "coco-wholebody", "hamer-tar"):
            found[f"import-{name}"] = Tried(self._import(name), self._made(3))
        if self.make_url is not None:
            local = ("propose-new", "repair", "migrate", "import-freihand", "import-coco-wholebody", "import-hamer-tar")
            found = {name: one for name, one in found.items() if name not in local}
        return found

    @staticmethod
    def _export(name: str, out: str = "set") -> Callable[[Case], list]:
        return lambda c: ["export", c.folder, "--out", c.place / out, "--format", name, "--overwrite", "--strained"]

    @staticmethod
    def _import(name: str) -> Callable[[Case], list]:
        return lambda c: ["import", c.place / "sets" / name, "--project", c.place / "made", "--format", name]

    # what is wrong with a command's work, where it says that it is done
    def _state(self, hand: str, state: str) -> Callable[[Case], list[str]]:
        return lambda c: self._asked(c, lambda p: p.hand(hand).state, state)

    def _corrected(self, hand: str) -> Callable[[Case], list[str]]:
        return lambda c: self._asked(c, lambda p: p.hand(hand).corrections.get(8), (100.0, 120.0))

    def _marked(self, hand: str) -> Callable[[Case], list[str]]:
        return lambda c: self._asked(c, lambda p: p.hand(hand).joint_states[3], "occluded")

    def _gold(self, hand: str) -> Callable[[Case], list[str]]:
        return lambda c: self._asked(c, lambda p: [one.id for one in p.gold_hands()], [hand])

    def _counted(self, count: int) -> Callable[[Case], list[str]]:
        return lambda c: self._asked(c, lambda p: p.count_hands(), count)

    @staticmethod
    def _asked(case: Case, question, expected) -> list[str]:
        from annotator.project import Project

        with Project.open(case.folder) as project:
            found = question(project)
        return [] if found == expected else [f"{found!r} instead of {expected!r}"]

    @staticmethod
    def _verified(folder: Path, hands: int) -> list[str]:
        from annotator.project import Project

        with Project.open(folder) as project:
            wrong, count = project.verify(), project.count_hands()
        return wrong if count == hands else [*wrong, f"{count} hands instead of {hands}"]

    def _made(self, hands: int) -> Callable[[Case], list[str]]:
        return lambda c: self._verified(c.place / "made", hands)

    def _copied(self, case: Case) -> list[str]:
        from annotator.project import Project

        with Project.open(case.folder) as project:
            away = [p.path for p in project.photos() if case.folder not in Path(p.path).parents]
            return project.verify(photos=True) + [f"{path} was not copied" for path in away]

    def _snapshot(self, case: Case) -> list[str]:
        return self._verified(case.place / "copy.db", 4)

    def _exported(self, name: str) -> Callable[[Case], list[str]]:
        return lambda c: self._set(c.place / "set", name)

    @staticmethod
    def _set(out: Path, name: str) -> list[str]:
        from annotator.formats import reader
        from annotator.formats.table import readers
        from annotator.vision.photos import read_photo

        if name not in readers():
            return [] if any(out.iterdir()) else [f"{out.name} is empty"]
        count = 0
        for record in reader(name).read(out):
            read_photo(record.photo)
            count += 1
        return [] if count == 3 else [f"{out.name} has {count} hands"]


@dataclass
class Ended:
    """code: of the command, negative for a signal; said: its stderr; seen: calls of the kind."""

    code: int
    said: str
    seen: int


def run(arguments: list, kind: str, number: int, ever: bool, under: Path) -> Ended:
    """The command in a fork where a call fails; number 0: none does."""
    calls = ctypes.CDLL(os.environ[PRELOADED])
    calls.calls_seen.restype = ctypes.c_long
    said, told = os.memfd_create("said"), os.memfd_create("told")
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.alarm(LONGEST)
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), 1)
            os.dup2(said, 2)
            from annotator.cli import main as command

            bits, error = KINDS[kind]
            calls.fail_call(bits, ctypes.c_long(number), error, int(ever), os.fsencode(under))
            try:
                code = command([str(one) for one in arguments])
            except BaseException:
                import traceback

                traceback.print_exc()
            seen = calls.calls_seen()
            calls.fail_call(0, ctypes.c_long(0), 0, 0, b"")
            sys.stderr.flush()
            os.write(told, str(seen).encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    text, seen = (os.pread(file, 1 << 20, 0).decode(errors="replace") for file in (said, told))
    os.close(said)
    os.close(told)
    return Ended(os.waitstatus_to_exitcode(status), text, int(seen or 0))


def unclear(ended: Ended) -> list[str]:
    """What is wrong with how a command ended."""
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


def numbers(seen: int, most: int) -> Iterator[int]:
    """The calls that fail, one at a time: all, or `most` of them evenly spread."""
    if not most or seen <= most:
        return iter(range(1, seen + 1))
    return iter(sorted({1 + round(k * (seen - 1) / max(1, most - 1)) for k in range(most)}))


def warmed(world: World) -> None:
    """Import what the commands import, and let the network answer once."""
    import annotator.model

    loaded = annotator.model.load_model()
    propose, answers = loaded.propose_many, {}

    def remembered(photos, batch=16):
        for photo in photos:
            key = hash(photo.tobytes())
            if key not in answers:
                answers[key] = next(iter(propose([photo], batch=batch)))[:1]
            yield answers[key]

    loaded.propose_many = remembered
    annotator.model.load_model = lambda *_args, **_named: loaded
    from annotator.vision.photos import read_photo

    list(remembered([read_photo(world.new)]))


def sweep(given: argparse.Namespace, make_url: Callable[[], str] | None, scratch: Path) -> dict:
    from annotator.cli import main as command

    world = World(scratch, make_url)
    kinds = ("connection",) if make_url else [kind for kind in KINDS if kind != "connection"]
    if given.kinds:
        kinds = given.kinds.split(",")
    tried = world.tried()
    tried = {name: tried[name] for name in (given.only.split(",") if given.only else tried)}
    if any(name.startswith(("propose", "correct", "import")) for name in tried):
        warmed(world)
    wrong, failures, ends = [], Counter(), Counter()
    for name, one in tried.items():
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            command([str(word) for word in one.arguments(world.case())])  # imports what it imports
        for kind in kinds:
            case = world.case()
            sound = run(one.arguments(case), kind, 0, False, case.place)
            found = one.whole(case) if sound.code == 0 else [sound.said[-600:]]
            if found:
                wrong += [f"{name} fails on a sound disk: {line}" for line in found]
                continue
            for number, ever in itertools.product(numbers(sound.seen, given.most), (False, True)):
                case = world.case()
                ended = run(one.arguments(case), kind, number, ever, case.place)
                failures[kind] += 1
                ends["said so" if ended.code == 2 else "went on" if ended.code == 0 else "broke"] += 1
                which = f"{name}: {kind} {number} of {sound.seen}{' and all after' if ever else ''}: "
                lines = [which + line for line in look(world, case, one, ended)]
                wrong += lines
                if given.talk:
                    for line in lines:
                        print(line, file=sys.stderr, flush=True)
    return {"commands": len(tried), "failures": dict(failures), "ended": dict(ends), "wrong": wrong}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--most", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--talk", action="store_true", help="say at once on stderr what was wrong")
    given = parser.parse_args(arguments)
    preload()
    from kill_store import databases

    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, databases(None, given.postgres) as make_url:
        result = sweep(given, make_url, Path(name).resolve())
    print(json.dumps(result | {"seconds": round(time.perf_counter() - begin, 1)}))
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
