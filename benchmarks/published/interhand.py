"""InterHand2.6M's own data set on an export of ours."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from annotator.formats import writer
from annotator.formats.interhand.reader import FROM_INTERHAND
from annotator.vision.camera import project
from published.stand_ins import forget, loaded


def check(code: Path, records: list, folder: Path) -> str:
    """InterHand2.6M's own `Dataset` on an export of ours: two cameras that see random hands, and the sample photos."""
    out = folder / "data" / "InterHand2.6M"
    hands = [*_seen_by_two(records, folder), *records]
    writer("interhand").write(hands, out)
    (folder / "main").mkdir()
    before = os.getcwd()
    forget("utils")
    sys.path.insert(0, str(code / "common"))
    try:
        with patch("matplotlib.use"):  # it asks for a window
            module: Any = loaded(code / "data" / "InterHand2.6M" / "dataset.py", "interhand_dataset")
        os.chdir(folder / "main")  # its paths begin with ../data
        module.cfg.trans_test, module.cfg.input_img_shape = "gt", (256, 256)
        with contextlib.redirect_stdout(io.StringIO()):
            found = module.Dataset(None, "train").datalist
    finally:
        os.chdir(before)
        sys.path.remove(str(code / "common"))
    seen: dict[str, list] = {}
    for one in found:
        seen.setdefault(Path(one["img_path"]).name, []).append(one)
    images = sorted(seen)
    order = {photo: images[k] for k, photo in enumerate(dict.fromkeys(record.photo for record in hands))}
    apart, pixels, compared = 0.0, 0.0, 0
    for record in hands:
        side = slice(0, 21) if record.side == "right" else slice(21, 42)
        of_side = [one for one in seen[order[record.photo]] if one["hand_type"] in (record.side, "interacting")]
        errors = []
        for one in of_side:
            joints = one["joint"]["cam_coord"][side][list(FROM_INTERHAND)]
            places = one["joint"]["img_coord"][side][list(FROM_INTERHAND)]
            errors.append((np.abs(joints - 1000 * record.joints).max(), np.abs(places - own_places(record)).max()))
        nearest = min(errors)
        apart, pixels, compared = max(apart, nearest[0]), max(pixels, nearest[1]), compared + 1
    frames = len({(one["capture"], one["frame"]) for one in found})
    return (
        f"{compared} hands, {len(found)} annotations of {frames} frames: joints in their cameras within {apart:.0e} mm "
        f"(its are float32), pixels within {pixels:.0e}"
    )


def own_places(record: Any) -> np.ndarray:
    """(21, 2) px: a record's joints through its camera."""
    return project(record.joints, record.K)


def _seen_by_two(records: list, folder: Path) -> list:
    """Four moments of hands of the records as two cameras with random poses see them."""
    random, found = np.random.default_rng(0), []
    for moment in range(4):
        hand = records[moment % len(records)]
        world = hand.joints - hand.joints.mean(0)
        for camera in ("a", "b"):
            turn = Rotation.from_rotvec(random.normal(0, 0.4, 3)).as_matrix()
            shift = np.array([0, 0, 0.7]) + random.normal(0, 0.03, 3)
            K = np.array([[800.0, 0, 300], [0, 805, 260], [0, 0, 1]])
            photo = folder / f"moment-{moment}-{camera}.png"
            Image.new("RGB", (640, 480)).save(photo)
            rig = {"rig": f"rig{moment}", "instant": f"m{moment}", "camera": camera, "R": turn.tolist(),
                   "t": shift.tolist()}  # fmt: skip
            found.append(dataclasses.replace(
                hand, id=f"{moment}{camera}", photo=photo, K=K, joints=world @ turn.T + shift, vertices=None,
                faces=None, parameters=None, provenance={"rig": rig},
            ))  # fmt: skip
    return found
