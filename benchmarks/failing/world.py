"""What `faults.py` tries its commands on: a small project, data sets, a rig and what a round or a training needs."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "formats")]  # small_rigs, small_training, mano_like

TRAINING = """
[phases.tune]
steps = 2
batch = 4
"""


@dataclass
class Case:
    """One command on one copy of the project: what fails is below `place`, the project is `folder`."""

    place: Path

    @property
    def folder(self) -> Path:
        return self.place / "project"


class World:
    """Templates that cases are copied from. hands: the ids in the project."""

    def __init__(self, scratch: Path, make_url: Callable[[], str] | None):
        import mano_like
        from kill_store import SOURCE, random_mesh

        from annotator import sample_data
        from annotator.formats import writer
        from annotator.formats.transfer.from_project import labelled_hands
        from annotator.project import Project

        self.scratch, self.make_url, self.template = scratch, make_url, scratch / "template"
        self.photos = photos = self.template / "photos"
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
        self._add_rig(small)

    def _add_rig(self, photos: list[Path]) -> None:
        """Two cameras, and a project with a photo of each; what stands in their photos does not matter here."""
        from small_rigs import rig_of

        from annotator.project import Project
        from annotator.vision.photos import read_photo
        from annotator.vision.rigs import Rig

        place = self.template / "rig"
        place.mkdir()
        known = {}
        for (name, camera), photo in zip(rig_of(2).cameras.items(), photos, strict=False):
            height, width = read_photo(photo).shape[:2]
            known[name] = replace(camera, width=width, height=height)
            shutil.copy(photo, place / f"one-{name}.jpg")
        Rig(known).write(place / "cameras.json")
        Project.create(place / "project", who="Ada").close()

    def add_learning(self) -> None:
        """A project of which a round can learn, rendered photos to show again, and a recipe of two steps: for the
        commands that learn alone, since it takes longer than all the rest."""
        from kill_store import SOURCE, random_mesh
        from small_training import NETWORK, made_up_set

        from annotator.network.checkpoint import save_checkpoint
        from annotator.network.glfnet import GLFNet, GLFNetConfig
        from annotator.project import Project

        place, self.rendered = self.template / "learning", self.scratch / "rendered"
        place.mkdir()
        small = tomllib.loads(NETWORK.split("[[data]]", maxsplit=1)[0])["network"]
        self.small = self.scratch / "small.safetensors"  # a round of it writes the same files in less time
        save_checkpoint(self.small, GLFNet(GLFNetConfig(**small)))
        with Project.create(place / "project", who="Ada") as project:
            meshes = [random_mesh(number) for number in range(2)]
            for path in sorted(self.photos.iterdir(), key=lambda path: path.stat().st_size):
                for hand in project.add_proposals(project.add_photo(path), meshes, SOURCE):
                    mesh = project.mesh(hand)
                    moved = {joint: tuple(mesh.keypoints[joint] + 6.0) for joint in (4, 8, 12, 16)}
                    project.edit(hand, mesh.replace(corrections=moved))
                    project.set_state(hand, "accepted")
        # in a process of its own: what draws must not be forked
        renders = [sys.executable, "-m", "annotator.synthetic.generate", self.rendered]
        sound = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        subprocess.run([*renders, "--count", "12", "--seed", "32"], check=True, capture_output=True, env=sound)
        self.labelled = made_up_set(self.scratch, 6)
        recipe = "data = []\n" + NETWORK.split("[[data]]", maxsplit=1)[0] + TRAINING
        (place / "recipe.toml").write_text(recipe, encoding="utf-8")

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
