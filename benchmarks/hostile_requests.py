"""The dearest requests that a client with a token can make, one after the other: time, and the server's memory.

    python benchmarks/hostile_requests.py

The server is a process of its own (`annotator serve`) with its default limits.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time

import httpx
import numpy as np
import psutil
from annotator.sample_data import photos
from PIL import Image
from tables import markdown


def encoded(pixels: np.ndarray, kind: str = "jpeg", **more) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, kind, **more)
        return file.getvalue()


def boxes(count: int, width: int, height: int) -> dict:
    """Boxes anywhere in a photo: where no hand is, a box costs most."""
    random = np.random.default_rng(0)
    corner = random.uniform(0, (0.6 * width, 0.6 * height), (count, 2))
    far = corner + random.uniform(0.1, 0.4, (count, 1)) * min(width, height)
    return {"boxes": json.dumps(np.concatenate([corner, far], 1).round(1).tolist())}


def requests() -> dict[str, tuple[dict, bytes]]:
    """name -> (query, body)."""
    photo = next(path for path in photos() if path.name == "signing-0153.jpg").read_bytes()
    with Image.open(io.BytesIO(photo)) as image:
        hands = np.asarray(image.convert("RGB"))
    many = np.tile(hands, (5, 11, 1))[:5400, :7400]
    alpha = np.dstack([many, np.full(many.shape[:2], 128, np.uint8)])
    random = np.random.default_rng(0).integers(0, 256, (5400, 7400), dtype=np.uint8)
    return {
        "32 boxes": (boxes(32, 620, 1080), photo),
        "33 boxes": (boxes(33, 620, 1080), photo),
        "1,000 boxes": (boxes(1000, 620, 1080), photo),
        "box of 1e9 px": ({"boxes": "[[-1e9,-1e9,1e9,1e9]]"}, photo),
        "40 megapixels with 55 hands": ({}, encoded(many, quality=60)),
        "40 megapixels of noise": ({}, encoded(random, quality=10)),
        "40 megapixels, alpha": ({}, encoded(alpha, "webp", quality=10)),
        "40 megapixels, 32 boxes": (boxes(32, 7400, 5400), encoded(many, quality=60)),
        "177 megapixels in 22 kB": ({}, encoded(np.zeros((13_300, 13_300), bool), "png")),
        "one photo": ({}, photo),
    }


def main() -> None:
    command = [sys.executable, "-m", "annotator.cli", "serve", "--port", "0"]
    environment = os.environ | {"ANNOTATOR_TOKEN": "benchmark"}
    made = requests()
    rows = []
    for name, (query, body) in made.items():
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        try:
            url, process = server.stderr.readline().split()[-1], psutil.Process(server.pid)
            rows.append([name, *measured(url, process, query, body)])
        finally:
            server.terminate()
            server.wait(20)
    print(markdown(["request", "status", "seconds", "of computing", "memory before, MB", "most, MB"], rows))


def measured(url: str, process: psutil.Process, query: dict, body: bytes) -> list[str]:
    headers = {"Authorization": "Bearer benchmark", "Content-Type": "application/octet-stream"}
    before, most, done = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began, computing = time.perf_counter(), sum(process.cpu_times()[:2])
    answer = httpx.post(f"{url}/propose", params=query, content=body, headers=headers, timeout=200)
    seconds = time.perf_counter() - began
    computing = sum(process.cpu_times()[:2]) - computing
    done.set()
    watcher.join()
    return [
        str(answer.status_code), f"{seconds:.1f}", f"{computing:.1f}", f"{before / 1e6:.0f}", f"{most[0] / 1e6:.0f}"
    ]  # fmt: skip


if __name__ == "__main__":
    main()
