"""HanCo's own script beside our reader: where it draws keypoints, and what it makes of MANO's parameters."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from annotator.formats import reader
from published.stand_ins import loaded

SEQUENCES, FRAMES, CAMERAS = (3, 11), 2, 8


def check(code: Path, folder: Path) -> str:
    """`show_dataset.py` and `pred_to_mano` on a set of random hands and cameras in its layout, against ours."""
    place = folder / "hanco"
    written = _write(place, np.random.default_rng(0))
    script: Any = loaded(code / "show_dataset.py", "hanco_show_dataset")
    mano: Any = loaded(code / "utils" / "mano_utils.py", "hanco_mano_utils")
    drawn: list[np.ndarray] = []
    script.draw_hand = lambda _image, places, **_how: drawn.append(places)
    script.cv2 = script.plt = MagicMock()  # nothing is looked at
    worst, hands = 0.0, list(reader("hanco").read(place))
    for record in hands:
        sequence, camera = int(record.provenance["sequence"]), int(record.provenance["camera"].removeprefix("cam"))
        frame = record.provenance["frame"]
        with contextlib.redirect_stdout(io.StringIO()):
            script.example_show_keypoints(SimpleNamespace(hanco_path=str(place)), sequence, frame, camera)
        worst = max(worst, float(np.abs(drawn.pop() - record.keypoints).max()))
        row = np.array(json.loads((place / f"shape/{sequence:04d}/cam{camera}/{frame:08d}.json").read_text()))
        pose, shape, _ = mano.pred_to_mano(row[None], record.K[None], fw=np)
        assert record.mano is not None and record.mano.form == "from mean"  # its layer: flat_hand_mean=False
        assert np.array_equal(record.mano.pose, pose[0]) and np.array_equal(record.mano.shape, shape[0])
    assert len(hands) == written, (len(hands), written)
    return f"{len(hands)} hands of random joints and cameras: keypoints within {worst:.0e} px, pose and shape the same"


def _write(place: Path, random: np.random.Generator) -> int:
    """Sequences of a hand that eight cameras look at; how many hands that are in the photos."""
    count = max(SEQUENCES) + 1
    for sequence in SEQUENCES:
        for frame in range(FRAMES):
            turns = Rotation.random(CAMERAS, random_state=int(random.integers(1 << 30))).as_matrix()
            middle = random.normal(0, 0.3, 3)
            M, K = np.tile(np.eye(4), (CAMERAS, 1, 1)), np.tile(np.eye(3), (CAMERAS, 1, 1))
            M[:, :3, :3], M[:, :3, 3] = turns, (0, 0, 0.6) - turns @ middle
            K[:, 0, 0], K[:, 1, 1], K[:, :2, 2] = 250, 255, random.normal(112, 4, (CAMERAS, 2))
            name = f"{sequence:04d}/{frame:08d}.json"
            _put(place / "calib" / name, {"K": K.tolist(), "M": M.tolist()})
            _put(place / "xyz" / name, (random.normal(0, 0.05, (21, 3)) + middle).tolist())
            for camera in range(CAMERAS):
                photo = place / "rgb" / f"{sequence:04d}" / f"cam{camera}" / f"{frame:08d}.jpg"
                photo.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (224, 224)).save(photo)
                _put(place / "shape" / f"{sequence:04d}" / f"cam{camera}" / f"{frame:08d}.json",
                     random.normal(0, 0.3, 61).tolist())  # fmt: skip
    of_all = {"is_valid": True, "has_fit": True, "is_train": True, "subject_id": 2, "object_id": None}
    _put(place / "meta.json", {field: [[value] * FRAMES] * count for field, value in of_all.items()})
    return len(SEQUENCES) * FRAMES * CAMERAS


def _put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
