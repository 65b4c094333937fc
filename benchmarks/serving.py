"""A model's server under load: 64 clients at once for a minute; errors, answers a second, times, memory.

    python benchmarks/serving.py [--clients 64] [--seconds 60]

The server is a process of its own (`annotator serve`); every client proposes on sample photos, one request after the
other. Memory is the server's resident set, looked at once a second; the first quarter of the time counts as warming up.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time

import httpx
import numpy as np
import psutil
from annotator.sample_data import photos
from tables import markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "annotator.cli", "serve", "--port", "0"]
    environment = os.environ | {"ANNOTATOR_TOKEN": "benchmark"}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        url = server.stderr.readline().split()[-1]
        report(url, psutil.Process(server.pid), arguments)
    finally:
        server.terminate()
        server.wait(20)


def report(url: str, process: psutil.Process, arguments) -> None:
    images = [path.read_bytes() for path in photos()]
    statuses: list[str] = []
    times: list[float] = []
    memory: list[int] = []
    end = time.monotonic() + arguments.seconds

    def work(number: int) -> None:
        headers = {"Authorization": "Bearer benchmark", "Content-Type": "image/jpeg"}
        with httpx.Client(base_url=url, headers=headers, timeout=300) as client:
            while time.monotonic() < end:
                began = time.perf_counter()
                try:
                    statuses.append(str(client.post("/propose", content=images[number % len(images)]).status_code))
                except httpx.HTTPError as error:
                    statuses.append(type(error).__name__)
                times.append(time.perf_counter() - began)
                number += arguments.clients

    threads = [threading.Thread(target=work, args=(number,)) for number in range(arguments.clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        memory.append(process.memory_info().rss)
        time.sleep(1)
    seconds = time.monotonic() - began
    settled = np.array(memory[len(memory) // 4 :]) / 1e6
    wrong = [status for status in statuses if status != "200"]
    rows = [
        ["clients, seconds", f"{arguments.clients}, {seconds:.0f}"],
        ["answers, errors", f"{len(statuses)}, {len(wrong)} {sorted(set(wrong)) or ''}"],
        ["answers a second", f"{len(statuses) / seconds:.1f}"],
        [
            "time of an answer: median, 95 %, longest",
            ", ".join(f"{np.percentile(times, q):.1f} s" for q in (50, 95, 100)),
        ],
        [
            "server's memory: first after warming up, last, most",
            f"{settled[0]:.0f}, {settled[-1]:.0f}, {max(settled):.0f} MB",
        ],
    ]
    print(markdown(["what", "value"], rows))


if __name__ == "__main__":
    main()
