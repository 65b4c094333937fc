"""Photos a second of `propose`, beside MediaPipe's landmark network alone (forward pass), same threads, same run.

    python benchmarks/throughput.py [--photos 100] [--threads 2] [--rounds 3]

The two are timed in turn, round by round, so that a machine whose speed drifts does not favour one of them.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time

import torch
from annotator.sample_data import photos

import annotator
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.vision.photos import read_photo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, landmarks = annotator.load_model(), load_mediapipe_hand().eval()
    paths = list(itertools.islice(itertools.cycle(photos()), arguments.photos))
    crops = torch.rand(arguments.batch, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    ours, theirs, network, hands = [], [], [], 0
    for _ in range(arguments.rounds):
        start = time.perf_counter()
        hands = sum(len(found) for found in model.propose_many(map(read_photo, paths), batch=arguments.batch))
        ours.append(arguments.photos / (time.perf_counter() - start))
        with torch.inference_mode():
            start = time.perf_counter()
            for _ in range(-(-arguments.photos // arguments.batch)):
                landmarks(crops)
            theirs.append(arguments.photos / (time.perf_counter() - start))
            start = time.perf_counter()
            for _ in range(-(-arguments.photos // arguments.batch)):
                focal = torch.full((arguments.batch,), 700.0)
                projection = torch.tensor([[700.0, 0, 111.5], [0, 700, 111.5], [0, 0, 1]]).repeat(arguments.batch, 1, 1)
                model.network(crops, projection, focal)
            network.append(arguments.photos / (time.perf_counter() - start))
    print(f"{arguments.photos} photos, {hands} hands, {arguments.threads} threads, batch {arguments.batch}")
    print("| what | per second (median) | min | max |\n| --- | --- | --- | --- |")
    for name, values in (
        ("propose: read, detect, locate, GLFNet, meshes (photos)", ours),
        ("MediaPipe's landmark network alone (crops)", theirs),
        ("GLFNet, whole network (crops)", network),
    ):
        print(f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} | {max(values):.1f} |")
    print(
        "whole network / landmark network: "
        f"{statistics.median(t / n for t, n in zip(theirs, network, strict=True)):.2f} x the time"
    )


if __name__ == "__main__":
    main()
