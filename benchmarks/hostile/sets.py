"""Data sets of every layout that is read, with one of their files mutated or replaced: the doors `import` and `train`
use."""

from __future__ import annotations

import io
import itertools
import os
import random
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

import annotator
from annotator.errors import InputError
from annotator.formats import READERS, WRITERS, reader, writer
from annotator.formats.core.details import skipping, whole
from hostile.damage import archive, mutated, mutated_text, picture_bomb, yaml_words

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "formats"))

from small_sets import OTHERS

PICTURES = {".jpg", ".jpeg", ".png"}
ELSEWHERE = ("/etc/passwd", "/dev/zero", "../../../good/project.db")
UNPACKED = tempfile.gettempdir()  # where readers of archives put pictures
FEW = 20  # records of a mutated set that are looked at: a number that grew must not keep us here


class Sets:
    """One small sound set of each layout in `scratch`, and mutated copies of them."""

    def __init__(self, scratch: Path, bomb: bytes, records: list):
        self.scratch, self.bomb, self.mark = scratch, bomb, scratch / "CODE-RAN"
        for name in WRITERS:
            writer(name).write(records, scratch / f"set-{name}")
        for name, make in OTHERS.items():
            place = scratch / f"others-{name}"  # some layouts are written here, too, and look otherwise then
            place.mkdir()
            make(place, ["", "", ""])

    def door(self, name: str):
        """A function draw -> what to do in the forked process, for the reader of this name."""

        def make(draw: random.Random):
            folder = self.scratch / "case-set"
            shutil.rmtree(folder, ignore_errors=True)
            kinds = [self.scratch / f"{whose}-{name}" for whose in ("set", "others")]
            shutil.copytree(draw.choice([place for place in kinds if place.is_dir()]), folder)
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            labels = [path for path in files if path.suffix.lower() not in PICTURES] or files
            self._spoil(draw.choice(labels if draw.random() < 0.85 else files), draw)
            pictures = [path for path in files if path.suffix.lower() in PICTURES]
            if pictures and draw.random() < 0.15:
                picture = draw.choice(pictures)
                picture.unlink()
                picture.symlink_to(draw.choice(ELSEWHERE))
            elif draw.random() < 0.08:
                path = draw.choice(files)
                path.unlink(missing_ok=True)
                if draw.random() < 0.5:
                    os.mkfifo(path)  # would be waited for without end
                else:
                    path.symlink_to(draw.choice(ELSEWHERE))
            return lambda: read(name, folder, draw.random() < 0.5)

        make.__name__ = f"set_{name}"
        return make

    def _spoil(self, path: Path, draw: random.Random) -> None:
        data = path.read_bytes()
        kind = draw.randrange(10)
        if path.suffix in PICTURES and kind < 4:
            path.write_bytes(picture_bomb())
        elif path.suffix == ".yml" and kind < 6:
            path.write_text(mutated_text(data.decode(), draw, yaml_words(self.mark), "\n,]}"))
        elif kind == 0:
            path.write_bytes(self.bomb)
        elif kind <= 3 or path.suffix in PICTURES or path.suffix in (".pkl", ".parquet", ".glb"):
            path.write_bytes(mutated(data, draw))
        elif path.suffix == ".npz":
            path.write_bytes(archive(data, self.bomb, draw))
        elif path.suffix == ".tar":
            path.write_bytes(self._shard(data, draw))
        else:
            path.write_text(mutated_text(data.decode("utf-8", "replace"), draw), encoding="utf-8")

    def _shard(self, data: bytes, draw: random.Random) -> bytes:
        """A tar whose members are mutated, are pickles that run something, have names that lead out, or are links."""
        out = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w") as new:
            for member in old.getmembers():
                content = old.extractfile(member).read() if member.isfile() else b""
                if draw.random() < 0.4:
                    content = draw.choice((mutated(content, draw), self.bomb, b""))
                    member.name = draw.choice((member.name, member.name, "../../" + member.name, "/tmp/" + member.name))
                    if draw.random() < 0.1:
                        member.type, member.linkname = tarfile.SYMTYPE, draw.choice(ELSEWHERE)
                member.size = len(content)
                new.addfile(member, io.BytesIO(content))
        return out.getvalue()


def read(name: str, folder: Path, skip: bool) -> None:
    """Read the set, whole or with broken records left out; photos must lie in it, or be refused."""
    if not skip:
        look(reader(name).read(folder), folder)
        return
    with skipping():
        look(whole(reader(name).read(folder)), folder)


def look(records: Iterable, folder: Path) -> None:
    for record in itertools.islice(records, FEW):
        photo = Path(record.photo)
        if folder.resolve() not in photo.resolve().parents and not str(photo).startswith(UNPACKED):
            raise PermissionError(f"{photo} leads out of the data set")
        try:
            annotator.read_photo(photo)
        except InputError:
            pass


NAMES = sorted(READERS)
