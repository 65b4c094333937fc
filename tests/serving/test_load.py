"""The server under load and under attack, over real sockets: nobody's requests cost the others their answers."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

httpx = pytest.importorskip("httpx", reason="needs the extra [serve]")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra [serve]")
pytest.importorskip("fastapi", reason="needs the extra [serve]")

from annotator.serving import wire  # noqa: E402
from annotator.serving.app import make_app  # noqa: E402
from annotator.serving.connections import configured  # noqa: E402
from annotator.serving.limits import Limits  # noqa: E402
from annotator.stopping import still_wanted  # noqa: E402
from annotator.vision.photos import read_photo  # noqa: E402

TOKEN = "a-token-of-the-tests"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
JPEG = AUTHORIZED | {"Content-Type": "image/jpeg"}
PATIENCE = 60.0  # a test's, on a machine that is busy


def until(condition, what: str):
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return value


@contextlib.contextmanager
def served(model, limits: Limits):
    running = uvicorn.Server(configured(make_app(model, TOKEN, limits), "127.0.0.1", 0, limits, log_level="critical"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    until(lambda: running.started, "the server starts")
    try:
        yield running, running.servers[0].sockets[0].getsockname()[1]
    finally:
        running.should_exit = True
        thread.join(20)


class Slow:
    """A model whose proposals come when `free` is set, or their work is not wanted any more."""

    def __init__(self, model):
        self._model, self.free, self.begun, self.ended = model, threading.Event(), 0, 0
        self.digest, self.hand, self.device = model.digest, model.hand, model.device

    def propose(self, *args, **more):
        return self._model.propose(*args, **more)

    def propose_many(self, photos, *hints, batch):
        self.begun += 1
        try:
            while not self.free.wait(0.01):
                still_wanted()
            yield from ([] for _ in photos)
        finally:
            self.ended += 1


# -- one request ------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def strict(model):
    with served(model, Limits(boxes=4, head=1.0, connections=24, connections_each=16)) as (running, port):
        yield running, port


@pytest.fixture
def client(strict):
    with httpx.Client(base_url=f"http://127.0.0.1:{strict[1]}", headers=AUTHORIZED, timeout=PATIENCE) as client:
        yield client


def test_more_boxes_than_are_taken(client, photo_file):
    for query in ({"boxes": [[1, 1, 90, 90]] * 5}, {"boxes": [[1, 1, 90, 90]], "sides": ["left"] * 9}):
        query = {name: json.dumps(value) for name, value in query.items()}
        answer = client.post("/propose", params=query, content=photo_file.read_bytes(), headers=JPEG)
        assert answer.status_code == 422 and "at most 4" in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        {"boxes": "[[-1e9,-1e9,1e9,1e9]]"},
        {"boxes": "[[0,0,1e300,1e300]]"},
        {"boxes": "[[NaN,0,9,9]]"},
        {"boxes": f"[[0,0,{10**400},9]]"},
        {"K": "[[1e300,0,0],[0,1e300,0],[0,0,1]]"},
        {"K": "[[900,0,1e12],[0,900,500],[0,0,1]]"},
        {"K": "[[Infinity,0,0],[0,900,500],[0,0,1]]"},
    ],
)
def test_numbers_that_do_not_fit_the_photo(client, photo_file, query):
    answer = client.post("/propose", params=query, content=photo_file.read_bytes(), headers=JPEG)
    assert answer.status_code == 422 and answer.json()["detail"]


def test_numbers_in_messages_with_hands(client, model, photo_file):
    (hand,) = model.propose(read_photo(photo_file))
    headers = AUTHORIZED | {"Content-Type": wire.TYPE}
    for corrections in ({"8": [1e9, 1e9]}, {"8": [1e300, 0]}, {"8": [float("nan"), 1]}, {"99": [1, 2]}):
        answer = client.post("/prompt", content=wire.pack([hand], {"corrections": corrections}), headers=headers)
        assert answer.status_code == 422, (corrections, answer.text)
    photo = photo_file.read_bytes()
    for change in ({"crop_size": 1e11}, {"crop_center": np.array([1e10, 0])}, {"camera": np.diag([1e9, 1e9, 1.0])},
                   {"camera": np.diag([1e-9, 1e-9, 1.0])}):  # fmt: skip
        packed = wire.pack([hand.replace(features=None, **change)], photo=photo)
        answer = client.post("/remember", content=packed, headers=headers)
        assert answer.status_code in (400, 422), (change, answer.text)
    assert client.get("/ready").status_code == 200


def test_an_image_bomb_is_refused_before_it_waits_for_the_model(client, strict, monkeypatch):
    service = strict[0].config.app.state.service
    monkeypatch.setattr(service, "_decoded", lambda content: pytest.fail("pixels were decoded"))
    with io.BytesIO() as file:
        Image.new("1", (9000, 5000)).save(file, "png")
        answer = client.post("/propose", content=file.getvalue(), headers=AUTHORIZED | {"Content-Type": "image/png"})
    assert answer.status_code == 413 and "9000 x 5000" in answer.json()["detail"]


def test_head_of_health(client):
    for path in ("/health", "/ready"):
        answer = client.head(path)
        assert answer.status_code == 200 and answer.content == b""
    told = client.get("/health").json()
    assert told["status"] == "ok" and told["ready"] and told["waiting"] == 0 and told["oldest"] == 0


# -- connections and heads ------------------------------------------------------------------------------------------
def spoken(port: int, *parts: bytes) -> bytes:
    """All that the server says to this, until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        for part in parts:
            connection.sendall(part)
        said = b""
        while part := connection.recv(65536):
            said += part
        return said


@pytest.mark.parametrize("length", [20_000, 300_000])
def test_a_url_that_is_too_long(strict, length):
    said = spoken(strict[1], b"GET /propose?boxes=" + b"1" * length + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 414 ") and b'{"detail"' in said


def test_a_line_that_never_ends_and_headers_that_are_too_long(strict):
    assert spoken(strict[1], b"G" * 300_000).startswith(b"HTTP/1.1 414 ")
    headers = b"".join(b"X-%d: %s\r\n" % (k, b"y" * 1000) for k in range(200))
    assert spoken(strict[1], b"GET /health HTTP/1.1\r\n" + headers + b"\r\n").startswith(b"HTTP/1.1 431 ")


def dripped(port: int) -> bool:
    """Whether a head that comes drop by drop is cut off."""
    end = time.monotonic() + PATIENCE
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as dripping:
        with contextlib.suppress(OSError):
            while time.monotonic() < end:
                dripping.sendall(b"G")
                time.sleep(0.1)
    return time.monotonic() < end


def test_a_head_that_does_not_come_in_time(strict):
    """None of it, a part of it, or drop by drop; also behind a request that was answered. All at one time: each takes
    as long as a head may."""
    port, whole = strict[1], b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with ThreadPoolExecutor(4) as at_once:
        cut_off = at_once.submit(dripped, port)
        none = at_once.submit(spoken, port)
        part = at_once.submit(spoken, port, b"GET /health HTT")
        behind = at_once.submit(spoken, port, whole, b"GET /health HTTP/1.1\r\nX:").result()
    assert none.result().startswith(b"HTTP/1.1 408 ")
    assert part.result().startswith(b"HTTP/1.1 408 ")
    assert behind.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in behind
    assert cut_off.result()


def test_the_rest_of_a_body_is_not_waited_for(strict):
    """A request that is refused by its head: its body may come for a moment, not for ever."""
    head = b"POST /propose HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    assert spoken(strict[1], head, b"x").startswith(b"HTTP/1.1 401 ")


def test_many_connections_that_say_nothing(strict):
    """They are closed in time, and while they are open others are told so instead of waiting."""
    port = strict[1]
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE)) for _ in range(16)]
        said = spoken(port, b"")
        assert said.startswith(b"HTTP/1.1 503 ") and b"too many connections" in said
        assert all(b"408" in connection.recv(4096) for connection in silent)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
        until(lambda: client.get("/health").status_code == 200, "the server is there again")
    until(lambda: strict[0].config.http_protocol_class.open.total() <= 1, "no connection is counted for ever")


# -- clients that leave ------------------------------------------------------------------------------------------
def test_work_of_a_client_who_left_is_given_up(model, photo_file):
    slow = Slow(model)
    with served(slow, Limits(patience=PATIENCE, work=PATIENCE)) as (running, port):
        service, body = running.config.app.state.service, photo_file.read_bytes()
        head = "POST /propose HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
        head += f"Authorization: Bearer {TOKEN}\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as leaving:
            leaving.sendall(head.encode() + body)
            until(lambda: slow.begun == 1, "the work begins")
        until(lambda: slow.ended == 1, "the work ends without its client")
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as leaving:  # and with one who waits behind it
            leaving.sendall(head.encode() + body)
            until(lambda: slow.begun == 2, "the work begins")
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as waiting:
                waiting.sendall(head.encode() + body)
                until(lambda: service.proposing.waiting == 1, "another waits")
        until(lambda: slow.ended == 2 and service.proposing.waiting == 0, "nothing is left to do")
        assert slow.begun == 2
        slow.free.set()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            assert client.post("/propose", content=body, headers=JPEG).status_code == 200
            metrics = client.get("/metrics", headers=AUTHORIZED).text
        assert "annotator_abandoned 3.0" in metrics


def test_health_tells_ready_from_alive(model, photo_file):
    slow = Slow(model)
    with served(slow, Limits(patience=4.0, work=PATIENCE)) as (_, port):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            statuses = []

            def ask():
                answer = httpx.post(
                    f"http://127.0.0.1:{port}/propose", content=photo_file.read_bytes(), headers=JPEG, timeout=PATIENCE
                )
                statuses.append((answer.status_code, answer.headers.get("retry-after")))

            threads = [threading.Thread(target=ask) for _ in range(2)]
            threads[0].start()
            until(lambda: slow.begun == 1, "the work begins")
            threads[1].start()
            told = until(
                lambda: (told := client.get("/health").json())["oldest"] > 2 and told, "the queue is seen to grow old"
            )
            assert told["status"] == "busy" and not told["ready"] and told["waiting"] == 1 and told["working"] > 2
            for thread in threads:
                thread.join()
            assert statuses == [(503, "1")] * 2  # neither waits without end
            slow.free.set()
            until(lambda: client.get("/ready").status_code == 200, "it is ready again")


def test_bodies_have_a_room_in_common(model):
    with served(model, Limits(held=100_000, patience=PATIENCE)) as (running, port):
        bodies = running.config.app.state.bodies
        head = "POST /propose HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\n"
        head += f"Authorization: Bearer {TOKEN}\r\nContent-Length: 90000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as half:
            half.sendall(head.encode() + bytes(70_000))
            until(lambda: bodies.held == 70_000, "the first body comes")
            answer = httpx.post(
                f"http://127.0.0.1:{port}/propose", content=bytes(50_000), headers=JPEG, timeout=PATIENCE
            )
            assert answer.status_code == 503
        until(lambda: bodies.held == 0, "the room is free again")
