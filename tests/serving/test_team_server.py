"""A team's server over real sockets: names, quotas, the audit log, several models, a model that takes over."""

from __future__ import annotations

import io
import json
import threading
import zipfile

import numpy as np
import pytest
from here import PATIENCE, in_a_thread, until

httpx = pytest.importorskip("httpx", reason="needs the extra [serve]")

from annotator.errors import InputError  # noqa: E402
from annotator.model import Model, load_model  # noqa: E402
from annotator.serving import RemoteModel  # noqa: E402
from annotator.serving.access import tokens  # noqa: E402
from annotator.serving.access.audit import Audit  # noqa: E402
from annotator.serving.access.tokens import TokenFile  # noqa: E402
from annotator.serving.limits import Limits  # noqa: E402
from annotator.serving.models.reloading import Reloader  # noqa: E402
from annotator.vision.photos import read_photo  # noqa: E402

JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
def team(tmp_path):
    """(file, tokens by name)."""
    file = tmp_path / "tokens.json"
    given = {
        "ada": tokens.add(file, "ada"),
        "ben": tokens.add(file, "ben", requests=2),
        "eve": tokens.add(file, "eve", read_only=True),
        "sam": tokens.add(file, "sam", seconds=0.001),
    }
    return file, given


def ask(url, token, photo_file, path="/propose", **more):
    headers = JPEG | {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
    return httpx.post(url + path, content=photo_file.read_bytes(), headers=headers, timeout=PATIENCE, **more)


def test_names_quotas_and_what_is_written_down(model, team, photo_file, tmp_path):
    file, given = team
    log = tmp_path / "audit.jsonl"
    with in_a_thread(model, TokenFile(file), audit=Audit(log)) as (_, url):
        answer = ask(url, given["ada"], photo_file, params={"sides": '["left"]', "boxes": "[[60,300,600,900]]"},
                     headers={"X-Request-ID": "mine-1"})  # fmt: skip
        assert answer.status_code == 200 and answer.json()["user"] == "ada"
        assert answer.headers["x-request-id"] == "mine-1"
        assert [ask(url, given["ben"], photo_file).status_code for _ in range(3)] == [200, 200, 429]
        refused = ask(url, given["ben"], photo_file)
        assert "no requests left" in refused.json()["detail"] and 1 <= int(refused.headers["retry-after"]) <= 31
        assert [ask(url, given["sam"], photo_file).status_code for _ in range(2)] == [200, 429]
        assert ask(url, given["eve"], photo_file).status_code == 200
        for path in ("/prompt", "/remember"):
            assert ask(url, given["eve"], photo_file, path).status_code == 403
        assert ask(url, "hma_guessed", photo_file).status_code == 401
        assert ask(url, given["ada"], photo_file, "/secret-path?secret=query").status_code == 404
        assert RemoteModel(url, given["ada"]).user == "ada" and RemoteModel(url).user == ""
        tokens.revoke(file, "ada")
        assert ask(url, given["ada"], photo_file).status_code == 401  # the same server, at once
        numbers = httpx.get(url + "/metrics", headers={"Authorization": f"Bearer {given['ben']}"}).text
    assert 'annotator_user_requests_total{status="200",user="ben"} 2.0' in numbers
    assert 'annotator_user_refused_total{quota="requests",user="ben"} 2.0' in numbers
    for stage in ("body", "judge", "queue", "decode", "model", "pack"):
        line = next(one for one in numbers.splitlines() if f'stage_seconds_count{{stage="{stage}"}}' in one)
        assert float(line.split()[-1]) >= 5, line
    spent = next(one for one in numbers.splitlines() if 'model_seconds_total{user="ada"}' in one)
    assert 0 < float(spent.split()[-1]) < 60

    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    first = lines[0]
    assert (first["user"], first["path"], first["status"], first["id"]) == ("ada", "/propose", 200, "mine-1")
    assert first["model"] == model.digest and first["hands"] == 1 and first["model_seconds"] > 0
    assert first["received"] == photo_file.stat().st_size and first["sent"] > 100
    assert [one["status"] for one in lines if one["user"] == "ben"] == [200, 200, 429, 429, 200]
    assert [one["status"] for one in lines if one["user"] == ""] == [401, 401]
    # tokens, times, sizes and ids differ each run: only what none of these can spell is searched for
    for secret in (*given.values(), "secret", "left", "[[60,300,600,900]]", "60,300", "hma_"):
        assert secret not in text, secret
    written = {
        "time",
        "id",
        "user",
        "address",
        "method",
        "path",
        "status",
        "seconds",
        "queued",
        "model_seconds",
        "model",
    }
    assert all(set(line) <= written | {"hands", "received", "sent"} for line in lines)


def test_a_log_that_has_grown_is_put_aside_and_a_full_disk_stops_nobody(tmp_path):
    audit = Audit(tmp_path / "audit.jsonl", megabytes=0.01, keep=2)
    for k in range(3000):
        audit.write({"number": k})
    audit.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"] and audit.lost == 0
    kept = [json.loads(line)["number"] for name in reversed(files) for line in (tmp_path / name).open()]
    assert kept == list(range(kept[0], 3000))
    full = Audit(tmp_path / "full.jsonl")
    full._handler.stream.close()
    full._handler.stream = open("/dev/full", "w")
    full.write({"number": 1})
    full.write({"number": 2})
    full.close()
    assert full.lost == 2


def test_a_server_that_only_proposes(model, photo_file):
    photo = read_photo(photo_file)
    with in_a_thread(model, "one", read_only=True) as (_, url):
        remote = RemoteModel(url, "one")
        (hand,) = remote.propose(photo)
        with pytest.raises(InputError, match="corrects none"):
            remote.remember(photo, hand.replace(features=None))


def test_what_a_client_left_behind_counts_for_its_quota(model, team, photo_file):
    file, given = team
    with in_a_thread(model, TokenFile(file), Limits(patience=PATIENCE)) as (app, url):
        host, port = url.removeprefix("http://").split(":")
        body = photo_file.read_bytes()
        head = f"POST /propose HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n"
        import socket

        service = app.state.service
        with socket.create_connection((host, int(port)), PATIENCE) as leaving:
            leaving.sendall(f"{head}Authorization: Bearer {given['sam']}\r\n\r\n".encode() + body)
            until(lambda: service.proposing.health()["working"] > 0, "the work begins")
        until(lambda: service.proposing.health()["working"] == 0, "and ends")
        until(lambda: ask(url, given["sam"], photo_file).status_code == 429, "its time is spent")


def test_a_promoted_model_takes_over_without_a_lost_request(model, other_checkpoint, photo_file, tmp_path):
    """Four clients ask without a pause while the model changes twice; a window that was opened before goes on."""
    photo = read_photo(photo_file)
    (here,) = model.propose(photo)
    place = tuple(here.keypoints[8] + (12.0, -9.0))
    now = [None]

    def load(path):
        return load_model(path, device="cpu")

    with in_a_thread(model, "one", Limits(patience=PATIENCE)) as (app, url):
        models = app.state.models
        reloader = Reloader(models, lambda: now[0], load)
        window = RemoteModel(url, "one")
        (hand,) = window.propose(photo)
        statuses, served, stop = [], [], threading.Event()

        def good():
            with httpx.Client(base_url=url, headers=JPEG | {"Authorization": "Bearer one"}, timeout=PATIENCE) as client:
                while not stop.is_set():
                    answer = client.post("/propose", content=photo_file.read_bytes())
                    statuses.append(answer.status_code)
                    served.append(answer.json().get("model"))

        threads = [threading.Thread(target=good) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(served) > 4, "answers come")
            broken = tmp_path / "broken.safetensors"
            broken.write_bytes(b"no checkpoint")
            now[0] = broken
            reloader.ask()
            until(lambda: reloader._seen and str(broken) in reloader._seen, "the broken one was looked at")
            now[0] = other_checkpoint
            reloader.ask()
            digest = until(lambda: models.current.model.digest != model.digest and models.current.model.digest, "new")
            until(lambda: digest in served, "the new one answers")
            moved = window.refine(hand, {"index_tip": place})  # by the model that the window was opened with
            assert np.abs(moved.vertices - model.refine(here, {"index_tip": place}).vertices).max() < 1e-4
            assert window.propose(photo)[0].side == hand.side
        finally:
            stop.set()
            for thread in threads:
                thread.join()
            reloader.close()
        assert set(statuses) == {200} and set(served) == {model.digest, digest}
        assert served[-1] == digest


def test_a_model_that_is_forgotten_is_told_so(model, other_checkpoint, photo_file):
    photo = read_photo(photo_file)
    with in_a_thread(model, "one", kept=1) as (app, url):
        window = RemoteModel(url, "one")
        app.state.models.put(load_model(other_checkpoint, device="cpu"))
        with pytest.raises(InputError, match="open it again"):
            window.propose(photo)
        assert RemoteModel(url, "one").propose(photo)


def test_answers_name_model_and_user_in_archives_too(model, team, photo_file):
    file, given = team
    with in_a_thread(model, TokenFile(file)) as (_, url):
        answer = ask(url, given["ada"], photo_file, headers={"Accept": "application/x-npz"})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            head = np.load(io.BytesIO(archive.read("head.npy"))).tobytes()
        assert json.loads(head)["more"] == {"model": model.digest, "user": "ada"}
        assert isinstance(model, Model)
