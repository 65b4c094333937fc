"""Hostile photos, project databases, checkpoints, hand models, and MANO files; each kind knows the door it knocks at."""

from __future__ import annotations

import io
import json
import random
import sqlite3
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from hostile_bytes import mutated, mutated_text, npz_changed, npy_growing, pickle_bomb, picture_bomb
from kill_store import SOURCE, random_mesh

import annotator
from annotator import sample_data
from annotator.errors import InputError
from annotator.formats.from_project import labelled_hands
from annotator.formats.mano_file import import_mano
from annotator.hand.model import load_hand
from annotator.network.checkpoint import load_checkpoint
from annotator.project import Project

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "formats"))
import mano_like


def put(path: Path, data: bytes) -> Path:
    """The file with this content and nothing of an earlier one of the name beside it."""
    path.parent.mkdir(exist_ok=True, parents=True)
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()
    path.write_bytes(data)
    return path


class Doors:
    """Makes hostile files; a method a kind: draw -> what to do in a process of its own."""

    def __init__(self, scratch: Path, mark: Path):
        self.scratch, self.mark = scratch, mark
        self.photos = [path.read_bytes() for path in sample_data.photos()[:4]]
        self.photos += [self._as(kind) for kind in ("PNG", "TIFF", "GIF", "BMP", "WEBP")]
        with Project.create(scratch / "good") as project:
            photo = project.add_photo(sample_data.photos()[0])
            for hand in project.add_proposals(photo, [random_mesh(k) for k in range(2)], SOURCE):
                project.edit(hand, joint_states={3: "occluded"})
                project.set_state(hand, "accepted")
            self.records = list(labelled_hands(project))
            self.database = project.snapshot().read_bytes()
        load_hand().save(scratch / "hand.npz")
        self.hand = (scratch / "hand.npz").read_bytes()
        self.mano = mano_like.write(scratch / "MANO_RIGHT.pkl", mano_like.arrays()).read_bytes()
        weights = Path(annotator.__file__).parent / "network" / "weights"
        self.checkpoint = max(weights.glob("*.safetensors"), key=lambda path: path.stat().st_size).read_bytes()

    @property
    def all(self) -> dict[str, Callable]:
        return {"photo": self.photo, "project": self.project, "hand model": self.hand_model,
                "hand import": self.hand_import, "checkpoint": self.checkpoint_file}  # fmt: skip

    def _as(self, kind: str) -> bytes:
        from PIL import Image

        out = io.BytesIO()
        Image.open(io.BytesIO(self.photos[0])).resize((64, 48)).save(out, kind)
        return out.getvalue()

    def photo(self, draw: random.Random):
        data = draw.choice((*self.photos, pickle_bomb(self.mark, draw), picture_bomb()))
        data = data if draw.random() < 0.1 else mutated(data, draw)
        path = put(self.scratch / "case" / ("photo" + draw.choice((".jpg", ".png", ".tif"))), data)

        def use():
            annotator.read_photo(path)
            with Project.create(self.scratch / f"case/project-{draw.random()}") as project:
                project.add_photo(path, copy=True)

        return use

    def project(self, draw: random.Random):
        path = put(self.scratch / "case" / "project.db", self.database)
        settings = self.scratch / "case" / "project.toml"
        settings.unlink(missing_ok=True)
        kind = draw.random()
        if kind < 0.45:
            path.write_bytes(mutated(self.database, draw))
        elif kind < 0.9:
            self._rewrite(path, draw)
        else:
            settings.write_text(draw.choice(('database = "sqlite:////etc/passwd"', "database = 5", "database = [[[" * 900,
                                             'database = "postgresql://nobody@127.0.0.1:1/x"', "\0", "")))  # fmt: skip
        return lambda: use_project(path.parent)

    def _rewrite(self, path: Path, draw: random.Random) -> None:
        """Well-formed SQLite with foreign values in it."""
        values = (None, -1, 2**63 - 1, "x", b"\xff\xfe", "/dev/zero", "../../../etc/passwd", 1e300, pickle_bomb(self.mark, draw),
                  "9" * 5000, b"\0" * 2200, "{", "[[[", "[" * 5000, zlib.compress(bytes(1 << 22)))  # fmt: skip
        with sqlite3.connect(path) as database:
            database.execute("pragma ignore_check_constraints = on")
            for (trigger,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                database.execute(f"drop trigger {trigger}")
            for _ in range(draw.randrange(1, 4)):
                table = draw.choice(("meta", "photos", "sources", "hands", "records", "events"))
                column = draw.choice([row[1] for row in database.execute(f"pragma table_info({table})")])
                try:
                    database.execute(f'update {table} set "{column}" = ?', (draw.choice(values),))
                except sqlite3.Error:
                    pass  # the constraint holds
            if draw.random() < 0.3:
                database.execute("create trigger t after insert on events begin select randomblob(1000000000); end")
        database.close()

    def hand_model(self, draw: random.Random):
        kind = draw.randrange(5)
        if kind == 0:
            data = mutated(self.hand, draw)
        elif kind == 1:
            data = draw.choice((pickle_bomb(self.mark, draw), mutated(pickle_bomb(self.mark, draw), draw), npy_growing()))
        else:
            data = npz_changed(self.hand, draw, pickle_bomb(self.mark, draw))
        path = put(self.scratch / "case" / "hand.npz", data)
        return lambda: load_hand(path).joints(load_hand(path).vertices(random_mesh(0).parameters))

    def hand_import(self, draw: random.Random):
        kind = draw.randrange(4)
        if kind == 0:
            values = mano_like.arrays()
            name = draw.choice(sorted(values))
            wrong = (values[name][:3], values[name] * float("nan"), values[name] + 1e30, values[name][..., None], {}, "x", None)
            with_wrong = values | {name: draw.choice(wrong)}
            try:
                data = mano_like.write(self.scratch / "wrong.pkl", with_wrong).read_bytes()
            except (ValueError, TypeError, KeyError):  # no such file can be made
                data = b""
        else:
            data = pickle_bomb(self.mark, draw) if kind == 1 else mutated(self.mano, draw)
        path = put(self.scratch / "case" / "MANO_RIGHT.pkl", data)

        def use():
            import os

            os.environ["XDG_DATA_HOME"] = str(self.scratch / "home")
            import_mano(path)
            load_hand("mano")

        return use

    def checkpoint_file(self, draw: random.Random):
        kind, data = draw.randrange(5), self.checkpoint
        length = struct.unpack("<Q", data[:8])[0]
        head = data[8 : 8 + length].decode()
        if kind == 0:
            data = pickle_bomb(self.mark, draw)
        elif kind == 1:
            data = data[:8] + mutated(data[8:6000], draw) + data[6000:]
        elif kind == 2:
            data = mutated(data, draw)
        elif kind == 3:
            head = mutated_text(head, draw).encode()
            data = struct.pack("<Q", len(head)) + head + data[8 + length :]
        else:  # the container is sound, what it says of the network is not
            content = json.loads(head)
            name = draw.choice(("config", "card", "hand_digest"))
            content["__metadata__"][name] = mutated_text(content["__metadata__"][name], draw)
            head = json.dumps(content).encode()
            data = struct.pack("<Q", len(head)) + head + data[8 + length :]
        path = put(self.scratch / "case" / "checkpoint.safetensors", data)
        return lambda: load_checkpoint(path)


def use_project(folder: Path) -> None:
    """Every question and a change, each of which may be refused."""
    with Project.open(folder) as project:
        hands = []
        for ask in (
            project.status, lambda: hands.extend(project.hands()), project.photos, lambda: project.verify(photos=True),
            project.next_hand, project.snapshot, project.undo, project.redo, project.to_review, project.skills,
            project.gold_hands, lambda: list(labelled_hands(project)),
        ):  # fmt: skip
            try:
                ask()
            except InputError:
                pass
        for hand in hands[:2]:
            for ask in (project.hand, project.mesh, project.history, project.origin, project.lease,
                        lambda one: project.set_state(one, "rejected"), project.undo, project.redo):  # fmt: skip
                try:
                    ask(hand.id)
                except InputError:
                    pass
