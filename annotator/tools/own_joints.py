"""Where MediaPipe means its joints, measured; and tables of its labels read as our joints.

python -m annotator.tools.own_joints measure DATA/calibration                    (the offsets, mm)
python -m annotator.tools.own_joints read DATA/raw/digits DATA/own/digits --contacts 3
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
from rich.progress import track

from annotator.hand.definitions import MEDIAPIPE
from annotator.hand.mesh import HandMesh
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.real_sets.contacts import with_contacts
from annotator.learning.real_sets.own_joints import measured_offsets, read_as_ours
from annotator.model import load_model
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.synthetic.shards import SyntheticShards
from annotator.vision.crops import box_round


def proposals(photos: KeypointPhotos, model) -> list[HandMesh]:
    """The model's answers for a table's hands, each in its box, on its side, by its camera where that is known."""
    found = []
    for at in track(range(len(photos)), "proposals"):
        points, K = photos.table.keypoints[at], photos.table.K[at]
        known = K if np.isfinite(K).all() else None
        found.append(model.propose(photos.photo(at), [box_round(points)], [str(photos.table.side[at])], known)[0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    measure = kinds.add_parser("measure", help="offsets of MediaPipe's joints on rendered hands")
    measure.add_argument("shards", type=Path)
    measure.add_argument("--count", type=int)
    read = kinds.add_parser("read", help="a keypoint table with labels as our joints")
    read.add_argument("source", type=Path)
    read.add_argument("out", type=Path)
    read.add_argument("--contacts", type=float, help="the digits' set: tips of 6 to 9 that touch do, with this weight")
    options = parser.parse_args()
    if options.kind == "measure":
        offsets = measured_offsets(SyntheticShards(options.shards), load_mediapipe_hand().eval(), options.count)
        for row in np.round(1000 * offsets, 1).tolist():
            print(tuple(row))
        return
    photos = KeypointPhotos(options.source, held=None, jitter=False)
    options.out.mkdir(parents=True, exist_ok=True)
    table = read_as_ours(photos.table, proposals(photos, load_model()), MEDIAPIPE)
    (with_contacts(table, options.contacts) if options.contacts else table).save(options.out)
    for name in dict.fromkeys(str(name) for name in photos.table.photo):
        shutil.copyfile(options.source / name, options.out / name)


if __name__ == "__main__":
    main()
