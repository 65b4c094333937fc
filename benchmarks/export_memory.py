"""Peak memory and rate of exports, at two sizes: `python -m benchmarks.export_memory [--format F] [--counts 1000
100000]`.

Each run is a process of its own, whose peak resident memory the system tells. Records are synthetic hands in one small
photo each, so that the labels, not the pixels, are what grows. Prints a Markdown table, with a plain copy of the photos
beside.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FORMATS = ("coco-wholebody", "hamer-npz", "hamer-tar", "parquet", "ho3d", "freihand", "gltf", "obj", "ply")
DISTINCT = 200  # photos on disk; links with other names make as many as there are records


def records(folder: Path, count: int) -> Iterator:
    """`count` hands, each in a photo of its own."""
    import numpy as np

    from annotator.formats import LabelledHand
    from annotator.formats.core.base import box_of, joint_weights, visibility
    from annotator.hand import HandParameters, load_hand
    from annotator.vision.camera import default_camera, project

    model, random, K = load_hand(), np.random.default_rng(0), default_camera(160, 160)
    poses = []
    for n in range(DISTINCT):  # made before, so that the writer is what takes the time
        side = ("right", "left")[n % 2]
        offsets = np.zeros((model.offset_count, 3))
        parameters = HandParameters(random.normal(0, 0.2, (16, 3)), random.normal(0, 0.5, 10), (0, 0, 0.5), offsets)
        poses.append((side, parameters, model.vertices(parameters, side)))
    for n in range(count):
        photo = folder / f"{n:07d}.jpg"
        if not photo.exists():
            photo.hardlink_to(folder / f"photo{n % DISTINCT}.jpg")
        side, parameters, vertices = poses[n % DISTINCT]
        joints = model.joints(vertices)
        states = ("corrected",) * 3 + ("proposed",) * 18
        yield LabelledHand(
            id=f"hand-{n}", photo=photo, side=side, box=box_of(project(vertices, K)), K=K, keypoints=project(joints, K),
            visible=visibility(states), states=states, weights=joint_weights(states, 0.8), joints=joints,
            vertices=vertices, faces=model.faces_of(side), parameters=parameters, keypoint_sigma=random.random(21),
            hand_model=model.digest, state="accepted", provenance={"confidence": 0.8},
        )  # fmt: skip


def export(name: str, count: int) -> tuple[float, float, float]:
    """(peak MB, records a second, photos copied a second) of this process."""
    import numpy as np
    from PIL import Image

    from annotator.formats import writer

    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        for n in range(DISTINCT):
            pixels = np.random.default_rng(n).integers(0, 255, (160, 160, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"photo{n}.jpg")
        start = time.perf_counter()
        writer(name).write(records(place, count), place / "set")
        seconds = time.perf_counter() - start
        (place / "copies").mkdir()
        start = time.perf_counter()
        for n in range(count):
            shutil.copyfile(place / f"{n:07d}.jpg", place / "copies" / f"{n}.jpg")
        copying = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return peak, count / seconds, count / copying


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", action="append", choices=FORMATS)
    parser.add_argument("--counts", type=int, nargs=2, default=(1000, 100_000))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(*export(options.one[0], int(options.one[1])))
        return
    print("| format | hands | peak MB | hands a second | plain copies a second |\n| --- | --- | --- | --- | --- |")
    for name in options.format or FORMATS:
        for count in options.counts:
            command = [sys.executable, "-m", "benchmarks.export_memory", "--one", name, str(count)]
            found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            print(f"| {name} | {count} | " + " | ".join(f"{float(value):.0f}" for value in found) + " |", flush=True)


if __name__ == "__main__":
    main()
