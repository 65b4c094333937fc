"""Mutated and malicious files through every reader: each must be read or refused with an InputError, in time.

    python benchmarks/hostile_files.py [--count 1900] [--seed 0]

Kinds: photos, project databases, checkpoints (safetensors), hand models (npz), MANO files (`hand import`), and data
sets of every layout that is read. Each case runs in a forked process with limits (10 s of computing, 60 s of waiting, 6
GB), so that a crash or an endless loop is seen and counted, on a busy machine, too. Among the files are pickles in
disguise that would leave a mark if anything ran them. Prints one JSON object; exit code 1 if a file did harm.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import pickle
import random
import sqlite3
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "formats"))  # mano_like

import mano_like
from hostile.damage import Bomb, archive, mutated, mutated_text, picture_bomb
from hostile.guarded import run
from hostile.sets import NAMES, Sets
from kill_store import SOURCE, random_mesh

import annotator
from annotator import sample_data
from annotator.errors import InputError
from annotator.formats.mano.mano_file import import_mano
from annotator.formats.transfer.from_project import labelled_hands
from annotator.hand.model import load_hand
from annotator.network.checkpoint import load_checkpoint
from annotator.project import Project


class Kinds:
    """Makes one hostile file of a kind, and knows its door."""

    def __init__(self, scratch: Path):
        self.scratch, self.mark = scratch, scratch / "CODE-RAN"
        self.bomb = pickle.dumps(Bomb(self.mark))
        self.photos = [path.read_bytes() for path in sample_data.photos()[:4]]
        self.photos += [self._as(kind) for kind in ("PNG", "TIFF", "GIF", "BMP", "WEBP")]
        with Project.create(scratch / "good") as project:
            photo = project.add_photo(sample_data.photos()[0])
            for hand in project.add_proposals(photo, [random_mesh(k) for k in range(2)], SOURCE):
                project.edit(hand, joint_states={3: "occluded"})
                project.set_state(hand, "accepted")
            self.sets = Sets(scratch, self.bomb, list(labelled_hands(project)))
            self.database = project.snapshot().read_bytes()
        self.mano_file = mano_like.write(scratch / "MANO.pkl", mano_like.arrays()).read_bytes()
        load_hand().save(scratch / "hand.npz")
        self.hand = (scratch / "hand.npz").read_bytes()
        weights = Path(annotator.__file__).parent / "network" / "weights"
        self.checkpoint = max(weights.glob("*.safetensors"), key=lambda path: path.stat().st_size).read_bytes()

    def _as(self, kind: str) -> bytes:
        from PIL import Image

        out = io.BytesIO()
        Image.open(io.BytesIO(self.photos[0])).resize((64, 48)).save(out, kind)
        return out.getvalue()

    # one method a kind: draw -> what to do in the forked process
    def photo(self, draw):
        data = draw.choice((*self.photos, self.bomb, picture_bomb()))
        path = self._write("photo" + draw.choice((".jpg", ".png", ".tif")), mutated(data, draw))
        return lambda: annotator.read_photo(path)

    def project(self, draw):
        folder = self.scratch / "case"
        path = self._write("case/project.db", self.database)
        if draw.random() < 0.5:
            path.write_bytes(mutated(self.database, draw))
        else:
            self._rewrite(path, draw)
        (folder / "project.toml").unlink(missing_ok=True)
        if draw.random() < 0.1:
            (folder / "project.toml").write_text(draw.choice((
                'database = "sqlite:////etc/passwd"', "database = 5", "database = " + "[" * 5000, "\0", "",
                'database = "postgresql://nobody@127.0.0.1:1/x"')))  # fmt: skip
        return lambda: use_project(folder)

    def _rewrite(self, path: Path, draw) -> None:
        """Well-formed SQLite with foreign values in it."""
        values = (
            None,
            -1,
            2**63 - 1,
            "x",
            b"\xff\xfe",
            "/dev/zero",
            "../../../etc/passwd",
            1e300,
            self.bomb,
            "9" * 5000,
            b"\0" * 2200,
            "{",
            "[[[",
            zlib.compress(bytes(1 << 22)),
        )
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

    def hand_model(self, draw):
        data = self.hand
        kind = draw.randrange(4)
        if kind == 0:
            data = mutated(data, draw)
        elif kind == 1:
            data = draw.choice((self.bomb, mutated(self.bomb, draw)))
        else:
            data = archive(self.hand, self.bomb, draw)
        path = self._write("hand.npz", data)
        return lambda: load_hand(path).joints(load_hand(path).vertices(random_mesh(0).parameters))

    def mano(self, draw):
        kind = draw.randrange(3)
        data = self.bomb if kind == 0 else mutated(self.mano_file if kind == 1 else self.bomb, draw)
        path = self._write("MANO_RIGHT.pkl", data)

        def use():
            os.environ["XDG_DATA_HOME"] = str(self.scratch / "home")
            import_mano(path)

        return use

    def checkpoint_file(self, draw):
        kind, data = draw.randrange(5), self.checkpoint
        length = struct.unpack("<Q", data[:8])[0]
        if kind == 0:
            data = self.bomb
        elif kind == 1:
            data = data[:8] + mutated(data[8:6000], draw) + data[6000:]
        elif kind == 2:
            data = mutated(data, draw)
        else:
            head = data[8 : 8 + length].decode()
            if kind == 3:
                head = mutated_text(head, draw)
            else:  # the container is sound, what it says of the network is not
                content = json.loads(head)
                name = draw.choice(("config", "card", "hand_digest"))
                content["__metadata__"][name] = mutated_text(content["__metadata__"][name], draw)
                head = json.dumps(content)
            head = head.encode()
            data = struct.pack("<Q", len(head)) + head + data[8 + length :]
        path = self._write("checkpoint.safetensors", data)
        return lambda: load_checkpoint(path)

    def _write(self, name: str, data: bytes) -> Path:
        path = self.scratch / name
        path.parent.mkdir(exist_ok=True)
        for left in path.parent.glob(f"{path.name}*"):
            left.unlink()
        path.write_bytes(data)
        return path


def use_project(folder: Path) -> None:
    """Every question and a change, each of which may be refused."""
    with Project.open(folder) as project:
        hands = []
        for ask in (
            project.status,
            lambda: hands.extend(project.hands()),
            project.photos,
            lambda: project.verify(photos=True),
            project.next_hand,
            project.snapshot,
            project.undo,
            project.redo,
            project.gold_hands,
            project.to_review,
            project.skills,
            lambda: list(labelled_hands(project)),
        ):
            try:
                ask()
            except InputError:
                pass
        for hand in hands[:2]:
            for ask in (project.hand, project.mesh, project.history, project.origin, project.lease,
                        lambda one: project.set_state(one, "rejected")):  # fmt: skip
                try:
                    ask(hand.id)
                except InputError:
                    pass


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=1900)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    outcomes, harm, slowest, start = Counter(), [], (0.0, ""), time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        kinds = Kinds(Path(scratch))
        doors = (kinds.photo, kinds.project, kinds.hand_model, kinds.checkpoint_file, kinds.mano,
                 *(kinds.sets.door(name) for name in NAMES))  # fmt: skip
        gc.freeze()  # what is here is not searched in every fork
        for number in range(given.count):
            door = doors[number % len(doors)]
            action = door(random.Random(given.seed * 1_000_003 + number))
            outcome = run(action)
            said = outcome.said
            slowest = max(slowest, (round(outcome.seconds, 2), f"{door.__name__} {number}"))
            outcomes[f"{door.__name__}: {said if said in ('read', 'refused') else 'HARM'}"] += 1
            if said not in ("read", "refused"):
                harm.append(f"{door.__name__} {number}: {said}")
            if kinds.mark.exists():
                harm.append(f"{door.__name__} {number}: a command was run")
                kinds.mark.unlink()
    result = {"files": given.count, "seed": given.seed, "outcomes": dict(sorted(outcomes.items())), "harm": harm,
              "slowest": slowest, "seconds": round(time.perf_counter() - start, 1)}  # fmt: skip
    print(json.dumps(result))
    return 1 if harm else 0


if __name__ == "__main__":
    sys.exit(main())
