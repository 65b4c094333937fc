"""From outside a cluster, as Ray's client (`ray://HOST:PORT`): the same commands do the same."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from small_training import NETWORK, made_up_set

from annotator.cli import main
from annotator.cluster.engine import JOINS, Engine
from annotator.errors import InputError
from annotator.project import Project

pytest.importorskip("ray", reason="needs the extra [cluster]: pip install 'hand-mesh-annotator[cluster]'")


# s: on a busy machine a client joins, and its workers import, for minutes; a hang is what takes far longer
LONGEST = 1200


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A cluster in processes of its own: its address for clients, what they need in their environment, its process."""
    said = tmp_path_factory.mktemp("head") / "said.txt"
    quiet = os.environ | {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    quiet["RAY_CLIENT_SERVER_CHECK_CHANNEL_TIMEOUT_S"] = "60"  # a client's server is a process that imports all of Ray
    quiet["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # with it the head now and then loses such a server as it starts
    quiet.pop("RAY_ADDRESS", None)
    port, clients = free_port(), free_port()
    # a folder of its own, of a short name (for sockets): others on this machine would take it for theirs
    own = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    given = [
        "start",
        "--head",
        "--block",
        "--num-cpus",
        "3",
        "--include-dashboard",
        "false",
        "--port",
        str(port),
        "--temp-dir",
        own,
    ]
    with said.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "ray.scripts.scripts", *given, "--ray-client-server-port", str(clients)],
            env=quiet, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while True:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", clients)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > until:
                pytest.skip(f"no Ray head starts on this machine: {said.read_text()[-300:]}")
            time.sleep(0.5)
        yield f"ray://127.0.0.1:{clients}", quiet, process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(own, ignore_errors=True)


def run(head, *given) -> dict:
    """A command in a process of its own: this one may have joined another cluster."""
    address, quiet, _ = head
    command = [sys.executable, "-m", "annotator.cli", *map(str, given), "--engine", address, "--json"]
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


CLIENT = """
import contextlib, io, json, sys
from annotator.cli import main
from annotator.cluster.engine import parse_engine

with parse_engine(sys.argv[1]).connected():
    for line in sys.stdin:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = main(json.loads(line))
        print(json.dumps([code, said.getvalue()]), flush=True)
"""


@pytest.fixture(scope="module")
def run_joined(head, tmp_path_factory):
    """run_joined(*words): a command, in one process that joins once for all of them: each time a server is started for
    the client, and workers that import everything anew."""
    address, quiet, serving = head
    said_wrong = tmp_path_factory.mktemp("client") / "stderr.txt"
    with said_wrong.open("w+") as errors:
        client = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", CLIENT, address], env=quiet, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip

        def call(*given) -> dict:
            client.stdin.write(json.dumps([*map(str, given), "--engine", address, "--json"]) + "\n")
            client.stdin.flush()
            until = time.monotonic() + LONGEST
            while not select.select([client.stdout], [], [], 1.0)[0]:
                if serving.poll() is not None or time.monotonic() > until:
                    client.send_signal(signal.SIGABRT)  # faulthandler says where it waits
                    client.wait()
            code, said = json.loads(client.stdout.readline() or "[-1, null]")  # nothing is read where the client ended
            assert code == 0, said_wrong.read_text()[-2000:]
            return json.loads(said.strip().splitlines()[-1])

        try:
            yield call
        finally:
            client.kill()
            client.communicate()


def test_propose_rank_and_export(head, run_joined, tmp_path, sample_photos):
    photos, here, there = tmp_path / "photos", tmp_path / "here", tmp_path / "there"
    photos.mkdir()
    for path in [path for path in sample_photos if path.stat().st_size < 20_000][:6]:
        shutil.copy(path, photos)
    assert main(["propose", str(photos), "--project", str(here)]) == 0
    proposing = ["propose", photos, "--project", there, "--batch", 2, "--workers"]
    assert run_joined(*proposing, 2)["photos"] == 6
    assert run_joined(*proposing, 1)["skipped"] == 6
    meshes = []
    for place in (here, there):
        with Project.open(place) as project:
            hands = [project.mesh(entry.id) for entry in project.hands()]
            meshes.append(sorted(hands, key=lambda hand: tuple(hand.crop_center)))
    assert len(meshes[0]) == len(meshes[1]) >= 6
    for a, b in zip(*meshes, strict=True):
        assert a.side == b.side and np.abs(a.vertices - b.vertices).max() < 1e-4
    assert len(run_joined("rank", there, "--workers", 1)["hands"]) > 0
    with Project.open(there) as project:
        ids = [entry.id for entry in project.hands()]
    assert main(["accept", str(there), *ids]) == 0
    run(head, "export", there, "--format", "freihand", "--out", tmp_path / "ray")
    assert main(["export", str(there), "--format", "freihand", "--out", str(tmp_path / "local")]) == 0
    names = sorted(p.relative_to(tmp_path / "local") for p in (tmp_path / "local").rglob("*") if p.is_file())
    assert len(names) > 6
    for name in names:
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "local" / name).read_bytes()


def test_train(run_joined, tmp_path):
    recipe = (
        NETWORK
        + "\n[phases.tune]\nsteps = 2\nbatch = 8\nparts = 2\nwarmup = 1\nencoder_rate = 1e-4\nseed = 3\nlog_every = 1\n"
    )
    (tmp_path / "recipe.toml").write_text(recipe)
    data = made_up_set(tmp_path, 4)
    given = ["train", "--data", f"freihand:{data}", "--config", tmp_path / "recipe.toml", "--out", tmp_path / "out"]
    assert run_joined(*given, "--workers", 2)["checkpoint"].endswith("checkpoint.safetensors")
    assert (tmp_path / "out" / "tune" / "log.csv").read_text().count("\n") >= 3


class BusyHead:
    """Ray, joined to a head that cannot start a server for its client the first few times."""

    def __init__(self, refusals: int):
        self.refusals, self.asked, self.left = refusals, 0, 0

    def init(self, address, **settings):
        self.asked += 1
        if self.asked <= self.refusals:
            raise ConnectionAbortedError("Initialization failure from server: Starting Ray client server failed.")

    def is_initialized(self):
        return False

    def shutdown(self):
        self.left += 1


def test_a_busy_head_is_asked_again(monkeypatch):
    busy = BusyHead(2)
    monkeypatch.setattr("annotator.cluster.engine.needed", lambda name: busy)
    with Engine("ray://127.0.0.1:1").connected() as ray:
        assert ray is busy and busy.asked == 3
    never = BusyHead(99)
    monkeypatch.setattr("annotator.cluster.engine.needed", lambda name: never)
    with pytest.raises(InputError, match="no Ray cluster answers.*Starting Ray client server failed"):
        with Engine("ray://127.0.0.1:1").connected():
            pass
    assert never.asked == JOINS
