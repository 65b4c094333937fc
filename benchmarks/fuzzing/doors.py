"""How hostile files are used once they are made: the doors of the program, and what of ours they need beside."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "formats"))

import numpy as np
from PIL import Image

import annotator
from annotator.project import Project
from fuzzing import makers

PACKAGE = Path(annotator.__file__).parent


def exif() -> bytes:
    exif = Image.Exif()
    exif[274], exif[271] = 6, "camera"
    return exif.tobytes()


def largest(folder: str, suffix: str) -> bytes:
    """A packaged file's content."""
    return max((PACKAGE / folder).glob(f"*.{suffix}"), key=lambda path: path.stat().st_size).read_bytes()


def use_video(path: Path) -> None:
    from annotator.vision.video.opening import is_video, open_video

    if not is_video(path):
        annotator.read_photo(path)
        return
    video = open_video(path)
    for number in list(video.numbers if hasattr(video, "numbers") else range(min(3, len(video.seconds))))[:3]:
        annotator.read_photo(Path(f"{path}#frame={number}"))


def predictions() -> dict:
    hand = {"photo": "one.jpg", "side": "right", "pose": [0.1] * 48, "shape": [0.1] * 10, "wrist": [0.0, 0.0, 0.8],
            "box": [100.0, 100.0, 300.0, 300.0], "confidence": 0.5}  # fmt: skip
    return {"hand_model": "free", "hands": [hand, dict(hand, side="left")]}


def toml(tree) -> str:
    """Enough of TOML for a recipe."""
    if not isinstance(tree, dict):
        return "data = " + json.dumps(tree)
    lines, tables = [], []
    for key, given in tree.items():
        name = json.dumps(str(key))
        if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
            tables += [
                f"[[{name}]]\n" + "\n".join(f"{json.dumps(str(k))} = {value(v)}" for k, v in one.items())
                for one in given
            ]
        elif isinstance(given, dict):
            tables.append(f"[{name}]\n" + "\n".join(f"{json.dumps(str(k))} = {value(v)}" for k, v in given.items()))
        else:
            lines.append(f"{name} = {value(given)}")
    return "\n".join(lines + tables)


def value(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(value(one) for one in value) + "]"
    if isinstance(value, float):
        return repr(value).replace("e-0", "e-")
    return '""' if value is None else json.dumps(value)


def repaired(folder: Path) -> None:
    from annotator.project.safety.repairing import repair

    repair(folder, folder.parent / "saved")
    with Project.open(folder.parent / "saved") as project:
        wrong = project.verify()
    if wrong:
        raise AssertionError(f"a repaired project is damaged: {wrong[0]}")


def message(data: bytes, bomb: bytes, draw) -> bytes:
    """A message of the server's, with hostile arrays or a hostile head."""
    if draw.random() < 0.5:
        return makers.npz(data, bomb, draw)
    arrays = dict(np.load(io.BytesIO(data)))
    head = makers.changed(json.loads(arrays["head"].tobytes()), draw)
    arrays["head"] = np.frombuffer(makers.as_json(head), np.uint8)
    with io.BytesIO() as file:
        np.savez(file, **arrays)
        return file.getvalue()


def asked(server, asked: list) -> None:
    """server: a `TestClient`. Every request gets an answer that says what is wrong with it, and the next one, too."""
    with server as client:
        for path, query, body, kind in asked:
            answer = client.post(path, params=query, content=body, headers={"Content-Type": kind})
            if answer.status_code >= 500:
                raise AssertionError(f"{path} {query} answers {answer.status_code}: {answer.text[:200]}")
        if client.get("/health").status_code != 200:
            raise AssertionError("the server is not well afterwards")
