"""What a hand costs, stage by stage, beside the whole and beside MediaPipe's own pipeline on the same photos.

    python benchmarks/scaling.py OUT [--photos 78] [--threads 1] [--rounds 3] [--mediapipe PYTHON]

Each stage runs alone on what the one before it gave; the whole is `propose_many` from files. `store` writes a project,
`export` its proposals as FreiHAND. PYTHON is an interpreter that has `mediapipe==0.10.21` (an environment of its own):
its `Hands` solution, static images, two hands, runs on the same photos in the same round. Numbers are CPU milliseconds
of the process, medians over rounds: they hold on a machine that others use too; `wall` is beside them.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import statistics
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import torch
from annotator.sample_data import photos
from tables import markdown

import annotator
from annotator.detection.localization import locate_many
from annotator.formats import writer
from annotator.formats.transfer.from_project import labelled_hands
from annotator.network.crop_camera import CropView, cameras
from annotator.network.hand_meshes import CachedFeatures, for_keeping, on_cpu
from annotator.network.parametric import Estimate
from annotator.project import Project, Provenance
from annotator.project.entering.intake import prepare, read_headers
from annotator.vision.camera import default_camera
from annotator.vision.crops import extract_all
from annotator.vision.photos import read_photo

WHOLE, QUICK = "whole: propose, from files", "whole: propose --quick, from files"
THEIRS = """
import sys, time
import numpy, mediapipe
from PIL import Image
paths = sys.argv[1:]
with mediapipe.solutions.hands.Hands(static_image_mode=True, max_num_hands=2, model_complexity=1) as hands:
    hands.process(numpy.asarray(Image.open(paths[0]).convert("RGB")))
    cpu, wall = time.process_time(), time.perf_counter()
    for path in paths:
        hands.process(numpy.asarray(Image.open(path).convert("RGB")))
    print(time.process_time() - cpu, time.perf_counter() - wall)
"""


class Clock:
    """CPU and wall seconds by name, a list over rounds."""

    def __init__(self):
        self.cpu, self.wall = defaultdict(list), defaultdict(list)

    def __call__(self, name: str, work):
        cpu, wall = time.process_time(), time.perf_counter()
        result = work()
        self.add(name, time.process_time() - cpu, time.perf_counter() - wall)
        return result

    def add(self, name: str, cpu: float, wall: float) -> None:
        self.cpu[name].append(cpu)
        self.wall[name].append(wall)


def stages(model, paths: list[Path], out: Path, clock: Clock, batch: int = 16) -> int:
    """One round; the number of hands."""
    pictures = clock("decode", lambda: [read_photo(path) for path in paths])
    parts = [pictures[at : at + batch] for at in range(0, len(pictures), batch)]
    finder = model.finder
    clock("detect (palms)", lambda: [finder.detector.detect_many(part) for part in parts])
    nothing = [None] * batch
    found = clock(
        "locate (palms and looks)",
        lambda: [
            locate_many(p, finder.landmark_network(), finder.detector, nothing[: len(p)], nothing[: len(p)])
            for p in parts
        ],
    )
    hands = [
        (photo, hand)
        for part, some in zip(parts, found, strict=True)
        for photo, own in zip(part, some, strict=True)
        for hand in own
    ]
    crops = clock("crop", lambda: [extract_all(photo, [hand.crop]) for photo, hand in hands])
    views = [CropView.of(hand.crop, default_camera(*photo.shape[:2], hand.crop.size / 1.6)) for photo, hand in hands]

    @torch.inference_mode()
    def network():
        answers = []
        for at in range(0, len(hands), batch):
            features = finder.features(torch.cat(crops[at : at + batch]))
            answers.append(
                (
                    for_keeping(features),
                    on_cpu(model.network.answer(features, *cameras(views[at : at + batch], model.device))),
                )
            )
        return answers

    answers = clock("network (GLFNet)", network)

    def meshes():
        made = []
        for at, (photo, hand) in enumerate(hands):
            features, answer = answers[at // batch]
            one = slice(at % batch, at % batch + 1)
            kept = CachedFeatures(
                features.select(one), Estimate(*(f[one] for f in answer.parametric)), views[at], hand.crop
            )
            K = default_camera(*photo.shape[:2], hand.crop.size / 1.6)
            made.append(model.hand_of(answer, at % batch, kept, K, hand.side, hand.presence, {}))
        return made

    clock("meshes (fit to the photo)", meshes)
    answered = clock(WHOLE, lambda: list(model.propose_many(map(read_photo, paths), batch=batch)))
    model.quick = True
    clock(QUICK, lambda: list(model.propose_many(map(read_photo, paths), batch=batch)))
    model.quick = False
    shutil.rmtree(out, ignore_errors=True)
    with Project.create(out / "project") as project:
        source = Provenance("benchmark", model.digest)

        def store():
            for at in range(0, len(paths), batch):
                some = slice(at, at + batch)
                headers = read_headers(paths[some], [photo.shape[:2] for photo in pictures[some]])
                project.add_looks(
                    [(h, [prepare(m) for m in own]) for h, own in zip(headers, answered[some], strict=True)], source
                )

        clock("store (project)", store)
        clock("export (freihand)", lambda: writer("freihand").write(labelled_hands(project, ["proposed"]), out / "set"))
    return len(hands)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=int, default=78)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mediapipe", default="")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, clock = annotator.load_model(device="cpu"), Clock()
    files = arguments.out / "photos"
    files.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, path in enumerate(itertools.islice(itertools.cycle(photos()), arguments.photos)):
        paths.append(files / f"{number}{path.suffix}")
        paths[-1].write_bytes(path.read_bytes() + b" " * (number // len(photos())))  # another content, the same picture
    list(model.propose_many(map(read_photo, paths[:4])))
    hands = 0
    for _ in range(arguments.rounds):
        hands = stages(model, paths, arguments.out / "work", clock)
        if arguments.mediapipe:
            said = subprocess.run(
                [arguments.mediapipe, "-c", THEIRS, *map(str, paths)], capture_output=True, text=True, check=True
            )
            clock.add("MediaPipe: Hands, from files", *map(float, said.stdout.split()))
    cpu = {name: 1000 * statistics.median(times) / len(paths) for name, times in clock.cpu.items()}
    rows = [
        [
            name,
            f"{value:.1f}",
            f"{1000 * min(clock.cpu[name]) / len(paths):.1f}",
            f"{1000 * statistics.median(clock.wall[name]) / len(paths):.1f}",
        ]
        for name, value in cpu.items()
    ]
    print(f"{len(paths)} photos, {hands} hands, {arguments.threads} threads, {arguments.rounds} rounds; ms a photo\n")
    print(markdown(["stage", "CPU, median", "least", "wall, median"], rows))
    ideal = sum(
        cpu[name]
        for name in ("decode", "locate (palms and looks)", "crop", "network (GLFNet)", "meshes (fit to the photo)")
    )
    print(f"\nend to end / sum of stages: {ideal / cpu[WHOLE]:.0%} of the ideal rate")
    if arguments.mediapipe:
        theirs = cpu["MediaPipe: Hands, from files"]
        print(f"end to end / MediaPipe: {cpu[WHOLE] / theirs:.1f} x its time, {cpu[QUICK] / theirs:.1f} x with --quick")


if __name__ == "__main__":
    main()
