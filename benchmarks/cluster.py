"""Proposing on a local Ray cluster beside one worker and the local engine: same results, throughput, memory, deaths.

    python benchmarks/cluster.py OUT [--photos 5000] [--parts speed export kill driver] [--seed 0]

The photos are the sample photos, each turned, scaled, shifted, lightened and compressed anew at random (all different).
`speed`: local, one Ray worker, two Ray workers, on the same photos; every hand of two workers is compared with the
local one. `export`: the local run's hands, accepted, as a data set by either engine. `kill`: a worker is killed when a
third is done. `driver`: the command is killed (SIGKILL) when a third is stored, then started again; what the second
start looks at again is counted from the first one's project.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from annotator.sample_data import photos
from PIL import Image, ImageEnhance
from tables import markdown

from annotator.project import Project


def augmented(folder: Path, count: int, seed: int) -> None:
    """`count` different photos in `folder`, made once."""
    if len(list(folder.glob("*.jpg"))) == count:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng, paths = np.random.default_rng(seed), photos()
    for number in range(count):
        with Image.open(paths[number % len(paths)]) as image:
            image = image.convert("RGB").rotate(rng.uniform(-30, 30), Image.Resampling.BICUBIC, fillcolor=(127,) * 3)
        size = [max(64, round(side * rng.uniform(0.9, 1.1))) for side in image.size]
        image = ImageEnhance.Brightness(image.resize(size)).enhance(rng.uniform(0.8, 1.2))
        image.save(folder / f"{number:06d}.jpg", quality=int(rng.integers(85, 96)))


def command(folder: Path, project: Path, workers: int, more: list[str]) -> list[str]:
    """more: options of `annotator propose`."""
    engine = ["--engine", "ray", "--workers", str(workers)] if workers else []
    given = ["propose", str(folder), "--project", str(project), "--json", *more]
    return [sys.executable, "-m", "annotator.cli", *given, *engine]


def run(folder: Path, project: Path, workers: int, more: list[str]) -> dict:
    """A fresh run as a process of its own: its own report, with the seconds from first to last stored photo and the
    memory of it and all its workers, MB, sampled each second."""
    shutil.rmtree(project, ignore_errors=True)
    process = subprocess.Popen(command(folder, project, workers, more), stdout=subprocess.PIPE, text=True)
    memory: list[float] = []

    def watch() -> None:
        while process.poll() is None:
            memory.append(resident(process.pid))
            time.sleep(1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, _ = process.communicate()
    watcher.join()
    told = json.loads(out.strip().splitlines()[-1])
    times = sorted(when for when, _ in stored(project))
    told["seconds"] = times[-1] - times[0]
    half = memory[len(memory) // 3 : -3] or memory
    return told | {"memory": half, "rate": (len(times) - 1) / max(told["seconds"], 1e-9)}


def resident(pid: int) -> float:
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for one in family:
        try:
            total += one.memory_info().rss / 1e6
        except psutil.NoSuchProcess:
            continue
    return total


def stored(project: Path) -> list[tuple[float, str]]:
    """(time, SHA-256) of every photo's look, straight from the database."""
    import sqlite3
    from datetime import datetime

    with sqlite3.connect(f"file:{project / 'project.db'}?mode=ro", uri=True) as database:
        rows = database.execute(
            "select at, sha256 from looked_at join photos on photos.id = looked_at.photo"
        ).fetchall()
    return [(datetime.fromisoformat(at).timestamp(), sha256) for at, sha256 in rows]


def hands(place: Path) -> dict[str, list]:
    with Project.open(place) as project:
        hashes = {photo.id: photo.sha256 for photo in project.photos()}
        found: dict[str, list] = {sha256: [] for sha256 in hashes.values()}
        for entry in project.hands():
            found[hashes[entry.photo_id]].append(project.mesh(entry.id))
    return {sha: sorted(meshes, key=lambda mesh: tuple(mesh.crop_center)) for sha, meshes in found.items()}


def compared(here: Path, there: Path) -> str:
    first, second = hands(here), hands(there)
    if {k: len(v) for k, v in first.items()} != {k: len(v) for k, v in second.items()}:
        return f"other hands on {sum(len(second.get(k, ())) != len(v) for k, v in first.items())} photos"
    apart = [np.abs(a.vertices - b.vertices).max() for k in first for a, b in zip(first[k], second[k], strict=True)]
    return f"{len(apart)} hands, {np.mean(np.array(apart) < 1e-4):.2%} within 1e-4 m, farthest {max(apart):.1e} m"


def speed(folder: Path, out: Path, more: list[str]) -> None:
    rows, rates = [], {}
    for name, workers in (("local", 0), ("Ray, 1 worker", 1), ("Ray, 2 workers", 2)):
        told = run(folder, out / f"project-{workers}", workers, more)
        rates[workers] = told["rate"]
        memory = told["memory"]
        rows.append(
            [name, told["photos"], told["hands"], f"{told['rate']:.2f}", f"{memory[0]:.0f} -> {memory[-1]:.0f} MB"]
        )
    print(
        markdown(
            ["engine", "photos", "hands", "photos a second (first to last stored)", "memory, from a third on"], rows
        )
    )
    print(f"\ntwo workers against one: {rates[2] / rates[1]:.2f} x; against local: {rates[2] / rates[0]:.2f} x")
    print(f"two workers' hands against local: {compared(out / 'project-0', out / 'project-2')}", flush=True)


def until(project: Path, count: int, process: subprocess.Popen) -> None:
    while process.poll() is None:
        if (project / "project.db").exists():
            try:
                if len(stored(project)) >= count:
                    return
            except Exception:  # noqa: BLE001  the tables are being made
                pass
        time.sleep(0.05)


def kill(folder: Path, out: Path, more: list[str], total: int) -> None:
    project = out / "project-kill"
    shutil.rmtree(project, ignore_errors=True)
    process = subprocess.Popen(command(folder, project, 2, more), stdout=subprocess.PIPE, text=True)
    until(project, total // 3, process)
    workers = [p for p in psutil.Process(process.pid).children(recursive=True) if "Proposer" in " ".join(p.cmdline())]
    workers[0].send_signal(signal.SIGKILL)
    told = json.loads(process.communicate()[0].strip().splitlines()[-1])
    hashes = [sha for _, sha in stored(project)]
    print(
        f"worker killed at a third: {told['photos']} photos, {len(hashes)} stored, {len(set(hashes))} different, of "
        f"{total}"
    )


def driver(folder: Path, out: Path, more: list[str], batch: int, total: int) -> None:
    project = out / "project-driver"
    shutil.rmtree(project, ignore_errors=True)
    process = subprocess.Popen(command(folder, project, 2, more), stdout=subprocess.PIPE, start_new_session=True)
    until(project, total // 3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = len(stored(project))
    done = subprocess.run(command(folder, project, 2, more), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    hashes = [sha for _, sha in stored(project)]
    print(
        f"driver killed: {before} were stored; second start looked at {told['photos']}, skipped {told['skipped']}; "
        f"{len(set(hashes))} different of {total}. Looked at twice at most what two actors had in hand: {2 * batch}"
    )


def exports(out: Path, kind: str) -> None:
    """All hands of the local run accepted, written by the local engine and by two workers: files and seconds."""
    place, trees = out / "project-0", {}
    with Project.open(place) as project:
        for entry in project.hands("proposed"):
            project.set_state(entry.id, "accepted")
    for name, engine in (("local", []), ("ray", ["--engine", "ray", "--workers", "2"])):
        to = out / f"export-{name}"
        shutil.rmtree(to, ignore_errors=True)
        start = time.monotonic()
        given = ["export", str(place), "--format", kind, "--out", str(to), *engine]
        subprocess.run([sys.executable, "-m", "annotator.cli", *given], check=True, capture_output=True)
        seconds = time.monotonic() - start
        files = sorted(path for path in to.rglob("*") if path.is_file())
        trees[name] = {str(path.relative_to(to)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        print(f"export as {kind}, {name}: {len(files)} files in {seconds:.0f} s", flush=True)
    differ = [
        name
        for name in trees["local"].keys() | trees["ray"].keys()
        if trees["local"].get(name) != trees["ray"].get(name)
    ]
    print(f"files that differ: {len(differ)} {differ[:3] or ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="+", default=["speed", "export", "kill", "driver"])
    parser.add_argument("--format", default="freihand")
    parser.add_argument("--quick", action="store_true", help="as of `annotator propose`")
    arguments = parser.parse_args()
    more = ["--batch", str(arguments.batch), *(["--quick"] if arguments.quick else [])]
    folder = arguments.out / f"photos-{arguments.photos}"
    augmented(folder, arguments.photos, arguments.seed)
    if "speed" in arguments.parts:
        speed(folder, arguments.out, more)
    if "export" in arguments.parts:
        exports(arguments.out, arguments.format)
    if "kill" in arguments.parts:
        kill(folder, arguments.out, more, arguments.photos)
    if "driver" in arguments.parts:
        driver(folder, arguments.out, more, arguments.batch, arguments.photos)


if __name__ == "__main__":
    main()
