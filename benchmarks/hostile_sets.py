"""Hostile data sets for every reader there is: our own exports and other people's layouts, one file of each changed."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path

from hostile_bytes import (
    mutated,
    mutated_text,
    npy_growing,
    npz_changed,
    pickle_bomb,
    picture_bomb,
    tar_bomb,
    tar_changed,
    yaml_words,
)

import annotator
from annotator.errors import InputError
from annotator.formats import READERS, WRITERS, reader, writer
from annotator.formats.details import skipping, whole
from annotator.formats.to_project import import_records
from annotator.project import Project

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "formats"))
from test_broken_everywhere import OTHERS

# files that our own writers put beside the layout; without them a set is read as other people's
OURS = ("details.json", "faces.json", "annotator.json")
TABLE = ("nan", "inf", "-1", "9" * 5000, "", "../../../../etc/passwd", "/etc/passwd", '"', "\0", "1e999", "x")
PICTURES = (".jpg", ".jpeg", ".png")


class Sets:
    """One sound data set for every reader, and for formats with our own files beside also one without them."""

    def __init__(self, scratch: Path, mark: Path, records: list):
        self.scratch, self.mark = scratch, mark
        for name in READERS:
            folder = scratch / "sets" / name
            if name in WRITERS:
                writer(name).write(records, folder)
            else:
                folder.mkdir(parents=True)
                OTHERS[name](folder, ["", "", ""])

    @property
    def all(self) -> dict[str, Callable]:
        return {name: partial(self.case, name) for name in READERS}

    def case(self, name: str, draw: random.Random):
        folder = self.scratch / "case" / "set"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.scratch / "sets" / name, folder)
        if draw.random() < 0.4:
            for own in OURS:
                (folder / own).unlink(missing_ok=True)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        labels = [path for path in files if path.suffix not in PICTURES] or files
        for _ in range(draw.choice((1, 1, 2))):
            self._change(draw.choice(labels if draw.random() < 0.8 else files), draw)
        return partial(read, name, folder, self.scratch / "case", draw.random() < 0.5)

    def _change(self, path: Path, draw: random.Random) -> None:
        kind, data = path.suffix.lower(), path.read_bytes()
        bomb = pickle_bomb(self.mark, draw)
        if draw.random() < 0.08:
            path.write_bytes(bomb)
        elif draw.random() < 0.08:
            path.unlink()
            if draw.random() < 0.5:
                os.mkfifo(path)  # would be waited for without end
            else:
                path.symlink_to(draw.choice(("/etc/passwd", "/dev/zero", self.scratch / "good" / "project.db", path)))
        elif kind in PICTURES:
            path.write_bytes(picture_bomb() if draw.random() < 0.3 else mutated(data, draw))
        elif kind == ".npz":
            path.write_bytes(npy_growing() if draw.random() < 0.1 else npz_changed(data, draw, bomb))
        elif kind == ".tar":
            path.write_bytes(tar_bomb() if draw.random() < 0.1 else tar_changed(data, draw, bomb))
        elif kind in (".json", ".gltf") and draw.random() < 0.8:
            path.write_text(mutated_text(data.decode(errors="replace"), draw))
        elif kind in (".yml", ".yaml"):
            path.write_text(mutated_text(data.decode(errors="replace"), draw, yaml_words(self.mark), "\n,]}"))
        elif kind in (".csv", ".txt", ".obj"):
            path.write_text(mutated_text(data.decode(errors="replace"), draw, TABLE, " ,\n"))
        else:
            path.write_bytes(mutated(data, draw))


def read(name: str, folder: Path, around: Path, skip: bool) -> None:
    """Read the set as `annotator import` does, its photos and meshes too. PermissionError if anything leads out."""
    module, kept = reader(name), Path(tempfile.mkdtemp(dir=around)) / "kept"
    options = {"photos": kept} if "photos" in signature(module.read).parameters else {}
    allowed = (folder.resolve(), kept.resolve())

    def checked(records):
        for record in records:
            if not any(place in record.photo.resolve().parents for place in allowed):
                raise PermissionError(f"{record.photo} leads out of the data set")
            annotator.read_photo(record.photo)
            yield record

    def no_network():
        raise InputError("only hands with a mesh of their own are taken")

    with Project.create(kept.parent / "project") as project:
        if skip:
            with skipping():
                import_records(project, checked(whole(module.read(folder, **options))), name, no_network)
        else:
            import_records(project, checked(whole(module.read(folder, **options))), name, no_network)
    outside = [path for path in kept.parent.rglob("*") if "passwd" in path.name or "ESCAPED" in path.name.split("-")[0]]
    if outside:
        raise PermissionError(f"{outside[0]} was written")
