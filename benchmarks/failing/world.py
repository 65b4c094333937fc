"""What `faults.py` tries: a small project with all that commands read, and every command that writes."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "formats"))  # mano_like


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
        import mano_like
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
        mano_like.write(self.template / "MANO_RIGHT.pkl", mano_like.arrays())
        # as an earlier program left it
        old = self.template / "old"
        old.mkdir()
        with sqlite3.connect(old / "project.db") as database:
            script = ROOT / "tests" / "project" / "data" / "version-1.sql"
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
            "flag": Tried(lambda c: ["flag", c.folder, first], self._state(first, "flagged")),
            "delete": Tried(lambda c: ["delete", c.folder, second], self._state(second, "rejected"), again=False),
            "confirm": Tried(lambda c: ["confirm", c.folder, last], lambda c: []),
            "report": Tried(lambda c: ["report", c.folder, "--out", c.place / "page.html"], self._page, again=False),
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
            "hand-import": Tried(lambda c: ["hand", "import", c.place / "MANO_RIGHT.pkl"], self._imported),
            "migrate": Tried(lambda c: ["status", c.place / "old"], lambda c: self._verified(c.place / "old", 2)),
        }
        for name in ("freihand", "coco-wholebody", "hamer-tar", "parquet", "ho3d", "hamer-npz"):
            found[f"export-{name}"] = Tried(self._export(name), self._exported(name))
        found["export-over"] = Tried(self._export("freihand", "sets/freihand"), lambda c: self._set(
            c.place / "sets" / "freihand", "freihand"))  # fmt: skip
        for name in ("freihand", "coco-wholebody", "hamer-tar"):
            found[f"import-{name}"] = Tried(self._import(name), self._made(3))
        if self.make_url is not None:
            local = (
                "propose-new",
                "repair",
                "migrate",
                "hand-import",
                "import-freihand",
                "import-coco-wholebody",
                "import-hamer-tar",
            )
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

    @staticmethod
    def _page(case: Case) -> list[str]:
        page = case.place / "page.html"
        return [] if page.is_file() and "</html>" in page.read_text(encoding="utf-8") else ["the page is not whole"]

    @staticmethod
    def _imported(case: Case) -> list[str]:
        from annotator.hand.model import load_hand

        (kept,) = case.place.rglob("home/**/mano.npz")
        return [] if load_hand(kept).name == "mano" else [f"{kept.name} is another model"]

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
