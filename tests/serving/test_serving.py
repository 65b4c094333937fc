"""The model's server as its clients meet it, over real sockets: the same answers, and the right status for what is
wrong."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

httpx = pytest.importorskip("httpx", reason="needs the extra [serve]")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra [serve]")
pytest.importorskip("fastapi", reason="needs the extra [serve]")

from annotator.cli import main  # noqa: E402
from annotator.errors import InputError  # noqa: E402
from annotator.serving import RemoteModel, wire  # noqa: E402
from annotator.serving.app import make_app  # noqa: E402
from annotator.serving.connections import configured  # noqa: E402
from annotator.serving.limits import Limits  # noqa: E402
from annotator.vision.photos import read_photo  # noqa: E402

TOKEN = "a-token-of-the-tests"
LARGEST = 2_000_000


@pytest.fixture(scope="module")
def server(model):
    limits = Limits(body=LARGEST, pixels=2_000_000, waiting=8, seconds=2.0)
    running = uvicorn.Server(configured(make_app(model, TOKEN, limits), "127.0.0.1", 0, limits, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def remote(server):
    return RemoteModel(server, TOKEN)


def test_a_remote_model_answers_and_corrects_like_the_model_itself(model, remote, photo_file):
    photo = read_photo(photo_file)
    (here,), (there,) = model.propose(photo), remote.propose(photo)
    assert there.side == here.side and remote.digest == model.digest
    assert np.abs(there.vertices - here.vertices).max() < 1e-4
    assert np.abs(there.keypoint_sigma - here.keypoint_sigma).max() < 1e-3
    place = tuple(here.keypoints[8] + (12.0, -9.0))
    moved, also = model.refine(here, {"index_tip": place}), remote.refine(there, {"index_tip": place})
    assert np.abs(moved.vertices - also.vertices).max() < 1e-4
    before = np.abs(here.keypoints[8] - place).max()
    assert also.corrections[8] == place and np.abs(also.keypoints[8] - place).max() < before
    kept = remote.remember(photo, here.replace(features=None))
    assert np.abs(remote.refine(kept, {"index_tip": place}).vertices - moved.vertices).max() < 1e-3


def test_the_window_remembers_hands_of_a_remote_model_too(model, remote, photo_file):
    from napari_hand_mesh.jobs.tasks import remembered

    photo = read_photo(photo_file)
    (hand,) = model.propose(photo)
    (here, doubt), (there, none) = (remembered(one, photo, hand.replace(features=None)) for one in (model, remote))
    assert here.features is not None and there.features is not None
    assert doubt.shape == (21,) and none is None


def test_boxes_sides_and_cameras_travel(model, remote, photo_file):
    photo = read_photo(photo_file)
    (found,) = model.propose(photo)
    box = (*found.keypoints.min(0) - 10, *found.keypoints.max(0) + 10)
    K = np.array([[900.0, 0, 300], [0, 900.0, 500], [0, 0, 1]])
    (here,), (there,) = (m.propose(photo, [box], [found.side], K) for m in (model, remote))
    assert np.abs(here.vertices - there.vertices).max() < 1e-4 and np.array_equal(there.camera, K)
    with pytest.raises(InputError, match="box 0"):
        remote.propose(photo, [(5, 5, 1, 1)])


def test_json_for_programs_of_others(client, photo_file):
    answer = client.post("/propose", content=photo_file.read_bytes(), headers={"Content-Type": "image/jpeg"})
    (hand,) = answer.json()["hands"]
    assert (
        answer.status_code == 200 and np.array(hand["keypoints"]).shape == (21, 2) and hand["side"] in ("left", "right")
    )
    numbers = client.get("/metrics").text
    assert 'annotator_requests_total{path="/propose",status="200"}' in numbers and "annotator_hands_total" in numbers
    assert client.get("/health").json()["status"] == "ok"


def test_without_the_token_nobody_comes_in(server, remote):
    wrong = ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Basic eA=="})
    with httpx.Client(base_url=server) as anybody:
        for headers in wrong:
            for path in ("/propose", "/remember", "/prompt"):
                answer = anybody.post(path, content=b"x", headers=headers)
                assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
            assert anybody.get("/metrics", headers=headers).status_code == 401
        assert anybody.get("/health").status_code == 200
    with pytest.raises(InputError, match="token"):
        RemoteModel(server, "wrong").propose(np.zeros((64, 64, 3), np.uint8))


JPEG = {"Content-Type": "image/jpeg"}
NPZ = {"Content-Type": wire.TYPE}


def _archive(**arrays) -> bytes:
    with io.BytesIO() as file:
        np.savez(file, **arrays)
        return file.getvalue()


def _head(value) -> np.ndarray:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _bomb() -> bytes:
    """An archive of 20 kB that claims 400 MB."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("head.npy", "w") as entry:
            for _ in range(100):
                entry.write(bytes(4_000_000))
        return file.getvalue()


def _pickled() -> bytes:
    return _archive(head=np.array([{"hands": []}], dtype=object))


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/propose", JPEG, b"", 400),
        ("/propose", JPEG, b"no image at all", 400),
        ("/propose", {"Content-Type": "text/html"}, b"x", 415),
        ("/propose", {}, b"x", 415),
        ("/propose", JPEG, bytes(LARGEST + 1), 413),
        ("/propose?boxes=[[1,2", JPEG, "photo", 400),
        ("/propose?boxes=[[1,2,3]]", JPEG, "photo", 422),
        ("/propose?boxes=7", JPEG, "photo", 422),
        ("/propose?boxes={}&sides=[9]", JPEG, "photo", 422),
        ("/propose?K=[[1]]", JPEG, "photo", 422),
        ('/propose?K={"a":1}', JPEG, "photo", 400),
        ("/propose?boxes=" + "[" * 2000, JPEG, "photo", 400),
        ("/prompt", NPZ, b"PK no archive", 400),
        ("/prompt", NPZ, _pickled(), 400),
        ("/prompt", NPZ, _bomb, 400),
        ("/prompt", NPZ, _archive(head=_head({"hands": [{}] * 99, "more": {}}), photo=np.zeros(0, np.uint8)), 400),
        ("/prompt", NPZ, _archive(head=_head([1, 2]), photo=np.zeros(0, np.uint8)), 400),
        ("/prompt", NPZ, _archive(head=_head({"hands": [], "more": {}}), photo=np.zeros(0, np.uint8)), 400),
        ("/remember", NPZ, b"\x00" * 100, 400),
        ("/nowhere", JPEG, b"x", 404),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_right_status(client, photo_file, path, headers, body, status):
    body = photo_file.read_bytes() if body == "photo" else body() if callable(body) else body
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_more_that_is_refused(client, server, photo_file, model):
    assert client.get("/propose").status_code == 405
    with io.BytesIO() as file:  # few bytes, many pixels
        Image.new("RGB", (3000, 3000)).save(file, "png")
        answer = client.post("/propose", content=file.getvalue(), headers={"Content-Type": "image/png"})
    assert answer.status_code == 413

    def unannounced():
        for _ in range(2 * LARGEST // 100_000):
            yield bytes(100_000)

    try:
        assert client.post("/propose", content=unannounced(), headers=JPEG, timeout=10).status_code == 413
    except httpx.HTTPError:
        pass  # the server has closed the door in the middle, which is as good

    def slow():
        yield b"a"
        time.sleep(3)

    assert client.post("/propose", content=slow(), headers=JPEG).status_code == 408
    (hand,) = model.propose(read_photo(photo_file))
    kept = hand.features
    wrong = kept.features._replace(pooled=kept.features.pooled[:, :5])
    packed = wire.pack(
        [hand.replace(features=type(kept)(wrong, kept.start, kept.view, kept.crop))], {"corrections": {}}
    )
    assert client.post("/prompt", content=packed, headers=NPZ).status_code == 422
    packed = wire.pack([hand], {"corrections": {"99": [1, 2]}})
    assert client.post("/prompt", content=packed, headers=NPZ).status_code == 422
    packed = wire.pack([hand], {"corrections": {"8": [1]}})
    assert client.post("/prompt", content=packed, headers=NPZ).status_code == 422
    assert client.get("/health").json()["status"] == "ok"  # and none of it has hurt


def test_many_clients_at_once(client, remote, model, photo_file):
    """More than may wait: some are told to come again, all others get the one answer."""
    photo, statuses = photo_file.read_bytes(), []

    def ask():
        statuses.append(client.post("/propose", content=photo, headers=JPEG).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8


def test_a_server_that_is_none(tmp_path, capsys):
    with pytest.raises(InputError, match="does not answer"):
        RemoteModel("http://127.0.0.1:9", timeout=2)
    with pytest.raises(InputError, match="expected http"):
        RemoteModel("ftp://host")
    empty = tmp_path / "token"
    empty.write_text("\n")
    assert main(["serve", "--token-file", str(empty)]) == 2 and "empty" in capsys.readouterr().err
    assert main(["serve", "--token-file", str(tmp_path / "none")]) == 2


def test_a_photo_whose_head_is_sound_and_the_rest_is_not(client):
    with io.BytesIO() as file:
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)).save(file, "png")
        data = bytearray(file.getvalue())
    data[200:400] = bytes(200)
    for _ in range(2):  # alone in its pass, so that nothing is left of it
        answer = client.post("/propose", content=bytes(data), headers={"Content-Type": "image/png"})
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda head: head.replace(b"'shape': (", b'\'shape\':"""'),  # a text in numpy's own head that never ends
        lambda head: head.replace(b'"model": "free", ', b'"model":"\\ud800",'),  # half a character
    ],
)
def test_messages_whose_texts_are_none(client, model, photo_file, spoil):
    """Found by fuzzing: both were answered with 500."""
    photo = photo_file.read_bytes()
    message = wire.pack(model.propose(read_photo(photo_file))[:1], photo=photo)
    with zipfile.ZipFile(io.BytesIO(message)) as whole, io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name in whole.namelist():
                archive.writestr(name, spoil(whole.read(name)) if name == "head.npy" else whole.read(name))
        answer = client.post("/remember", content=file.getvalue(), headers={"Content-Type": wire.TYPE})
    assert answer.status_code == 400 and answer.json()["detail"], answer.text
