"""HInt's own script beside our reader, on files in its layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
from PIL import Image

from annotator.formats import reader
from annotator.formats.conventions.names import order_of
from published.stand_ins import forget, imported

HANDS, WIDTH, HEIGHT = 8, 640, 480


def check(code: Path, folder: Path) -> str:
    """What `draw_hand.py` draws, its pictures stood in for, against our reader: places, what is hidden, boxes; and the
    side that `prep_ego4d.py` takes from a file's name."""
    place = folder / "hint"
    _write(place, np.random.default_rng(0))
    for name in ("utils", "fast_visualizer"):  # common names, of other checkouts too
        forget(name)
    script: Any = imported(code / "visualize_HInt", "draw_hand")
    visualizer = script.FastVisualizer.draw_pose_new.__globals__
    forget("utils")  # a common name
    meta = script.get_dataset_meta()
    assert list(order_of([meta["keypoint_id2name"][k] for k in range(21)])) == list(range(21))
    hands = list(reader("hint").read(place))
    worst = 0.0
    for record in hands:
        pictures = script.cv2 = visualizer["cv2"] = MagicMock()
        pictures.imread = lambda path: np.asarray(Image.open(path))
        said = json.loads(record.photo.with_suffix(".json").read_text())
        _, box = script.draw_hand_skeleton_new(str(record.photo), said)
        fills = [call.args for call in pictures.circle.call_args_list if call.args[-1] == -1]
        assert [args[1] for args in fills] == [(int(x), int(y)) for x, y in record.keypoints]
        assert [tuple(args[3]) == (255, 255, 255) for args in fills] == record.visible.tolist()
        worst = max(worst, float(np.abs(np.array(said[0]["keypoints"]) - record.keypoints).max()))
        assert np.array_equal(box, record.box)
        hand_side = record.photo.stem.split("_")[-1]  # as `prep_ego4d.py` takes names apart
        assert record.side[0] == hand_side and record.provenance["side_known"], record.photo
    assert len(hands) == HANDS
    return (
        f"{len(hands)} hands of random places: keypoints within {worst:.0e} px (it draws whole ones), hidden ones and "
        f"boxes the same, sides by the names of {len(hands)} files"
    )


def _write(place: Path, random: np.random.Generator) -> None:
    """Files named as its Ego4D ones are: clip, action, frame, moment and hand."""
    place.mkdir()
    for number in range(HANDS):
        photo = place / f"clip-{number}_action_{number}_pre_45_{'lr'[number % 2]}.jpg"
        Image.new("RGB", (WIDTH, HEIGHT)).save(photo)
        points = random.uniform(10, HEIGHT - 10, (21, 2))
        box = np.concatenate([points.min(0) - 5, points.max(0) + 5])
        hand = {"keypoints": points.tolist(), "bbox": [box.tolist()],
                "occlusion": random.integers(0, 2, 21).tolist()}  # fmt: skip
        photo.with_suffix(".json").write_text(json.dumps([hand]))
