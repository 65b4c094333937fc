"""Every command that writes, as `faults.py` tries it on a case of `world.World`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from failing.world import Case, World

LEARNING = (
    "annotator.learning.recipe",
    "annotator.rounds.round",
    "annotator.cli.learning.round",
    "torch._dynamo",  # what torch imports with its first optimizer: seconds in every fork
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
)


@dataclass(frozen=True)
class Tried:
    """arguments: of the command in this case; whole: what is wrong where it said that it is done, one line each;
    again: whether it can be started a second time; hands: that it may add; project: the one it writes into, below the
    case's place; imports: modules that are imported in its stead before it is forked, since it starts threads."""

    arguments: Callable[[Case], list]
    whole: Callable[[Case], list[str]]
    again: bool = True
    hands: int = 0
    project: str = "project"
    imports: tuple[str, ...] = ()


class Commands:
    """The commands, and what is wrong with the work of one that says that it is done."""

    def __init__(self, world: World):
        self.world = world

    def tried(self) -> dict[str, Tried]:
        """name -> command."""
        first, second, _, last = self.world.hands
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
            "add": Tried(self._add, self._counted(5), again=False, hands=1),
            "flip": Tried(lambda c: ["flip", c.folder, first, "--side", "left"], self._flipped(first), again=False),
            "nearer": Tried(lambda c: ["correct", c.folder, first, "8", "--nearer", "10"], lambda c: [], again=False),
            "subject": Tried(lambda c: ["subject", c.folder, "Bo", "--photos", self.world.photos], self._subject),
            "rig": Tried(self._rig, self._instant, project="rig/project"),
            "token": Tried(
                lambda c: ["token", "add", "Bo", "--tokens", c.place / "tokens.toml"], lambda c: [], again=False
            ),
            "train": Tried(self._train, self._trained, imports=LEARNING),
            "round": Tried(self._round, self._judged, project="learning/project", imports=LEARNING),
        }
        for name in ("freihand", "coco-wholebody", "hamer-tar", "parquet", "ho3d", "hamer-npz"):
            found[f"export-{name}"] = Tried(self._export(name), self._exported(name))
        found["export-over"] = Tried(self._export("freihand", "sets/freihand"), lambda c: self._set(
            c.place / "sets" / "freihand", "freihand"))  # fmt: skip
        for name in ("freihand", "coco-wholebody", "hamer-tar"):
            found[f"import-{name}"] = Tried(self._import(name), self._made(3))
        if self.world.make_url is not None:
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

    def _add(self, case: Case) -> list:
        return ["add", case.folder, next(self.world.photos.iterdir()), "--box", "60", "60", "260", "260"]

    @staticmethod
    def _rig(case: Case) -> list:
        place = case.place / "rig"
        pattern = ["--photos", place, "--pattern", "{instant}-{camera}.jpg"]
        return ["rig", place / "project", place / "cameras.json", *pattern]

    def _train(self, case: Case) -> list:
        recipe = case.place / "learning" / "recipe.toml"
        return ["train", "--data", f"freihand:{self.world.labelled}", "--config", recipe, "--out", case.place / "run"]

    def _round(self, case: Case) -> list:
        few = ["--steps", "2", "--replayed", "8", "--least-gold", "1", "--replay", self.world.rendered]
        return ["round", case.place / "learning" / "project", "--model", self.world.small, *few]

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

    def _flipped(self, hand: str) -> Callable[[Case], list[str]]:
        return lambda c: self._asked(c, lambda p: p.hand(hand).side, "left")

    def _subject(self, case: Case) -> list[str]:
        return self._asked(case, lambda p: [one.name for one in p.subjects.all()], ["Bo"])

    @staticmethod
    def _instant(case: Case) -> list[str]:
        from annotator.project import Project

        with Project.open(case.place / "rig" / "project") as project:
            found = [len(one.photos) for one in project.instants()]
        return [] if found == [2] else [f"instants of {found} photos instead of one of 2"]

    @staticmethod
    def _trained(case: Case) -> list[str]:
        from annotator.network.checkpoint import load_checkpoint

        load_checkpoint(case.place / "run" / "checkpoint.safetensors")  # an InputError says what is wrong
        return []

    def _judged(self, case: Case) -> list[str]:
        rounds = case.place / "learning" / "project" / "rounds"
        report = json.loads((rounds / "001" / "report.json").read_text(encoding="utf-8"))
        return [] if "promoted" in report else ["its report does not say how it ended"]

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
