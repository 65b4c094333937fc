"""The parsers that `fuzz.py` tries: what each is given, and the door it comes in by."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import sqlite3
import sys
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "formats"))

import mano_like
import numpy as np
from hostile.damage import Bomb
from hostile.sets import PICTURES, Sets, read
from hostile_files import use_project
from kill_store import SOURCE, random_mesh
from PIL import Image

import annotator
from annotator import sample_data
from annotator.files.serialization.safe_pickle import load_file
from annotator.formats import READERS
from annotator.formats.mano.mano_file import import_mano
from annotator.formats.transfer.from_project import labelled_hands
from annotator.hand.model import load_hand
from annotator.learning.recipe import Recipe
from annotator.network.checkpoint import load_checkpoint
from annotator.project import Project
from annotator.proposers import build_proposer
from fuzzing import makers
from fuzzing.doors import PACKAGE, asked, exif, largest, message, predictions, repaired, toml, use_video
from fuzzing.pictures import zeros_packed

REQUESTS = 12  # of one server's life
LAYOUTS = sorted(READERS)


class Parsers:
    """For each parser a method draw -> what to do in the forked process. Files lie deep in `scratch`, whose upper
    folders must stay empty."""

    def __init__(self, scratch: Path):
        self.top, self.scratch = scratch, scratch / "a" / "b"
        self.scratch.mkdir(parents=True)
        self.mark = scratch / "CODE-RAN"
        self.bomb = pickle.dumps(Bomb(self.mark))
        self.photo_file = min(sample_data.photos(), key=lambda path: path.stat().st_size)

    # what is mutated, made when a parser first asks for it
    @cached_property
    def jpegs(self) -> list[bytes]:
        plain = [self.photo_file.read_bytes(), self._as("JPEG", progressive=True)]
        return [*plain, self._as("JPEG", quality=30, exif=exif()), self._as("JPEG", "L"), self._as("JPEG", "CMYK")]

    @cached_property
    def pngs(self) -> list[bytes]:
        return [self._as("PNG", mode) for mode in ("RGB", "P", "LA", "I;16", "1")]

    @cached_property
    def tiffs(self) -> list[bytes]:
        made = [self._as("TIFF", compression=kind) for kind in (None, "tiff_lzw", "jpeg", "packbits", "tiff_deflate")]
        return [*made, self._as("TIFF", save_all=True, append_images=[Image.new("RGB", (64, 48))] * 3)]

    @cached_property
    def videos(self) -> list[bytes]:
        from small_videos import pictures, video

        made = (video(self.top / "clip.mp4", pictures(8)), video(self.top / "still.mp4", pictures(3), b_frames=0))
        return [path.read_bytes() for path in made]

    @cached_property
    def good(self) -> Path:
        with Project.create(self.top / "good", who="before") as project:
            photo = project.add_photo(self.photo_file)
            for number in range(2):
                project.set_state(project.add_proposal(photo, random_mesh(number), SOURCE), "accepted")
        return self.top / "good"

    @cached_property
    def database(self) -> bytes:
        return (self.good / "project.db").read_bytes()

    @cached_property
    def sets(self) -> Sets:
        with Project.open(self.good) as project:
            return Sets(self.top, self.bomb, list(labelled_hands(project)))

    @cached_property
    def hand(self) -> bytes:
        return largest("hand/data", "npz")

    @cached_property
    def checkpoint(self) -> bytes:
        return largest("network/weights", "safetensors")

    @cached_property
    def mano(self) -> bytes:
        return mano_like.write(self.top / "MANO.pkl", mano_like.arrays()).read_bytes()

    @cached_property
    def recipe(self) -> str:
        return (PACKAGE / "learning" / "configs" / "default.toml").read_text()

    @cached_property
    def model(self):
        from annotator.model import load_model

        return load_model(device="cpu")

    @cached_property
    def message(self) -> bytes:
        from annotator.serving import wire

        hands = self.model.propose(np.zeros((64, 64, 3), np.uint8), boxes=[(8, 8, 56, 56)], sides=["right"])
        return wire.pack(hands, {"corrections": {"8": [30.0, 31.0]}}, photo=self.pngs[0])

    def _as(self, kind: str, mode: str = "RGB", **more) -> bytes:
        with io.BytesIO() as out, Image.open(self.photo_file) as image:
            small = image.resize((64, 48))
            small = Image.new("I;16", (64, 48)) if mode == "I;16" else small.convert(mode)
            small.save(out, kind, **more)
            return out.getvalue()

    def _write(self, name: str, data: bytes) -> Path:
        path = self.scratch / "case" / name
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        return path

    def _photo(self, name: str, data: bytes) -> Callable[[], object]:
        path = self._write(name, data)

        def use():
            annotator.read_photo(path)
            with Project.create(path.parent / "project") as project:
                project.add_photo(path, copy=True)

        return use

    def jpeg(self, draw):
        return self._photo("photo.jpg", makers.jpeg(draw.choice(self.jpegs), draw))

    def png(self, draw):
        return self._photo("photo.png", makers.png(draw.choice(self.pngs), draw))

    def tiff(self, draw):
        path = self._write("photo.tif", makers.tiff(draw.choice(self.tiffs), draw))
        return lambda: use_video(path) if draw.random() < 0.5 else annotator.read_photo(path)

    def mp4(self, draw):
        path = self._write("clip.mp4", makers.mp4(draw.choice(self.videos), draw))
        return lambda: use_video(path)

    def _set(self, name: str, suffixes: tuple[str, ...], draw):
        """A set of this layout with one of its files hostile."""
        folder = self.scratch / "case"
        shutil.rmtree(folder, ignore_errors=True)
        kinds = [self.sets.scratch / f"{whose}-{name}" for whose in ("set", "others")]
        shutil.copytree(draw.choice([place for place in kinds if place.is_dir()]), folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        files = [
            path for path in files if path.suffix in suffixes or not suffixes and path.suffix not in PICTURES
        ] or files
        path = draw.choice(files)
        path.write_bytes(makers.inside_of(path.name, path.read_bytes(), self.bomb, draw))
        return lambda: read(name, folder, draw.random() < 0.3)

    def json(self, draw):
        if draw.random() < 0.2:
            path = self._write("predictions.json", makers.as_json(makers.changed(predictions(), draw)))
            return lambda: self._proposed(path)
        name = draw.choice(("freihand", "coco-wholebody", "coco", "interhand", "hint"))
        return self._set(name, (".json",), draw)

    def layouts(self, draw):
        """Any layout that is read, any of its files."""
        return self._set(draw.choice(LAYOUTS), (), draw)

    def yaml(self, draw):
        return self._set("dexycb", (".yml",), draw)

    def csv(self, draw):
        return self._set("csv", (".csv",), draw)

    def tar(self, draw):
        return self._set("hamer-tar", (".tar",), draw)

    def npz(self, draw):
        kind = draw.randrange(4)
        if kind == 0:
            path = self._write("hand.npz", makers.npz(self.hand, self.bomb, draw))
            return lambda: load_hand(path).joints(load_hand(path).vertices(random_mesh(0).parameters))
        if kind == 1:
            with io.BytesIO() as file:
                rows = predictions()["hands"]
                np.savez(file, **{name: np.array([row[name] for row in rows]) for name in rows[0]})
                path = self._write("predictions.npz", makers.npz(file.getvalue(), self.bomb, draw))
            return lambda: self._proposed(path)
        return self._set(draw.choice(("hamer-npz", "dexycb")), (".npz",), draw)

    def _proposed(self, path: Path) -> None:
        photo = np.zeros((480, 640, 3), np.uint8)
        build_proposer(f"files:{path}").propose(photo, path=Path("one.jpg"))

    def pickles(self, draw):
        if draw.random() < 0.4:
            return self._set("ho3d", (".pkl",), draw)
        tree = mano_like.arrays() | {"J": [1, 2.5, "x"], "s": np.array(["a", "b"])}
        data = makers.pickles(tree, self.bomb, draw) if draw.random() < 0.5 else makers.orders(self.mano, draw)
        path = self._write("MANO_RIGHT.pkl", data)

        def use():
            os.environ["XDG_DATA_HOME"] = str(path.parent / "home")
            load_file(path)
            import_mano(path)

        return use

    def safetensors(self, draw):
        path = self._write("checkpoint.safetensors", makers.safetensors(self.checkpoint, draw))
        return lambda: load_checkpoint(path)

    def settings(self, draw):
        import tomllib

        text = self.recipe
        kind = draw.randrange(3)
        if kind == 0:
            tree = makers.changed(tomllib.loads(text), draw)
            text = toml(tree)
        elif kind == 1:
            text = makers.mutated(text.encode(), draw).decode("latin-1")
        else:
            lines = text.split("\n")
            at = draw.randrange(len(lines))
            lines[at] = draw.choice(
                (
                    "a = " + "[" * 3000,
                    "x = 9" + "9" * 5000,
                    '"" = 1',
                    "[data]",
                    "[[data]]",
                    "data = 1",
                    "[network]\nencoder = []",
                )
            )
            text = "\n".join(lines)
        path = self._write("recipe.toml", text.encode("utf-8" if draw.random() < 0.9 else "utf-16", "replace"))
        return lambda: Recipe.read(path)

    def sqlite(self, draw):
        path = self._write("project/project.db", self.database)
        with sqlite3.connect(path) as database:
            database.execute("pragma ignore_check_constraints = on")
            for (trigger,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                database.execute(f"drop trigger {trigger}")
            for _ in range(draw.choice((1, 1, 2, 4))):
                self._rewrite(database, draw)
        database.close()
        if draw.random() < 0.3:
            return lambda: repaired(path.parent)
        return lambda: use_project(path.parent)

    def _rewrite(self, database: sqlite3.Connection, draw) -> None:
        tables = ("meta", "photos", "sources", "hands", "records", "events", "pictures", "leases", "gold", "looked_at")
        table = draw.choice(tables)
        columns = [row[1] for row in database.execute(f"pragma table_info({table})")]
        rows = database.execute(f"select rowid from {table}").fetchall() if columns else []
        if not rows:
            return
        column, (row,) = draw.choice(columns), draw.choice(rows)
        (old,) = database.execute(f'select "{column}" from {table} where rowid = ?', (row,)).fetchone()
        new: object = draw.choice(
            (None, -1, 0, 2**63 - 1, 1e300, "", "x" * 100_000, b"", b"\0" * 3000, "{}", "[]", "0")
        )
        if isinstance(old, bytes) and draw.random() < 0.7:
            try:  # what is packed in it, packed again
                new = zlib.compress(makers.mutated(zlib.decompress(old), draw))
            except zlib.error:
                new = draw.choice((makers.mutated(old, draw), old[:1] + zeros_packed(1 << 26), zeros_packed(1 << 28)))
        elif isinstance(old, str) and draw.random() < 0.7:
            try:
                new = json.dumps(makers.changed(json.loads(old), draw))
            except ValueError:
                new = old + draw.choice(("\0", "x", "/../../ESCAPED", " ", "é"))
        elif isinstance(old, int) and draw.random() < 0.5:
            new = old + draw.choice((1, -1, 2**31, 10**6))
        try:
            database.execute(f'update {table} set "{column}" = ? where rowid = ?', (new, row))
        except (sqlite3.Error, UnicodeEncodeError, OverflowError):
            pass  # the constraint holds

    def http(self, draw):
        requests = [self._request(draw) for _ in range(REQUESTS)]
        from fastapi.testclient import TestClient  # here, or every fork would import it anew

        from annotator.serving.app import make_app

        model = self.model
        return lambda: asked(TestClient(make_app(model, "")), requests)

    def _request(self, draw) -> tuple[str, dict, bytes, str]:
        """(path, query, body, content type)."""
        path = draw.choice(("/propose", "/propose", "/prompt", "/remember"))
        if path != "/propose":
            return path, {}, message(self.message, self.bomb, draw), "application/x-npz"
        query = {"boxes": [[8, 8, 56, 56]], "sides": ["right"], "K": [[100, 0, 32], [0, 100, 24], [0, 0, 1]]}
        query = makers.changed(query, draw)
        query = {k: json.dumps(v)[:3000] for k, v in query.items()} if isinstance(query, dict) else {"boxes": "["}
        make, of = draw.choice(
            ((makers.png, self.pngs), (makers.jpeg, self.jpegs[2:]), (lambda data, _: data, self.pngs))
        )
        return (
            path,
            query,
            make(draw.choice(of), draw),
            draw.choice(("image/png", "image/png", "image/jpeg", "text/html")),
        )


NAMES = (
    "jpeg",
    "png",
    "tiff",
    "mp4",
    "json",
    "yaml",
    "csv",
    "npz",
    "tar",
    "layouts",
    "safetensors",
    "pickles",
    "settings",
    "sqlite",
    "http",
)
