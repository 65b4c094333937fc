"""`annotator serve` as a process, met by real clients: HTTPS, a renewed certificate, several models, a stop."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from here import PATIENCE, Process, until

httpx = pytest.importorskip("httpx", reason="needs the extra [serve]")

from annotator.errors import InputError  # noqa: E402
from annotator.model import load_model  # noqa: E402
from annotator.serving import RemoteModel  # noqa: E402
from annotator.serving.app import make_app  # noqa: E402
from annotator.serving.limits import Limits  # noqa: E402
from annotator.serving.server import Place, run  # noqa: E402
from annotator.vision.photos import read_photo  # noqa: E402

needs_certificates = pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made by openssl")
TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/jpeg"}


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1, signed by itself."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
               "-keyout", str(key), "-out", str(cert)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


def address(url: str) -> tuple[str, int]:
    host, port = url.split("://")[1].split(":")
    return host, int(port)


def shown(url: str) -> str:
    """The certificate that a new connection is shown."""
    return ssl.get_server_certificate(address(url), timeout=PATIENCE).strip()


def served(*arguments: object, **environment: str) -> Process:
    return Process(*map(str, arguments), ANNOTATOR_TOKEN=TOKEN, **environment)


def test_who_is_told_where_it_serves_can_connect_at_once(model):
    class Told(Exception):
        pass

    def said(url: str) -> None:
        socket.create_connection(address(url), PATIENCE).close()
        raise Told

    limits = Limits()
    with pytest.raises(Told):
        run(make_app(model, TOKEN, limits), Place(), limits, said, lambda: None, lambda _: model)


@needs_certificates
def test_https_by_file_a_renewed_certificate_and_several_models(
    model, other_checkpoint, photo_file, tmp_path, monkeypatch
):
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(first[0], cert)
    shutil.copy(first[1], key)
    photo, other = read_photo(photo_file), load_model(other_checkpoint, device="cpu")
    with served("--certificate", cert, "--key", key, "--also", f"tuned={other_checkpoint}") as server:
        assert server.url.startswith("https://") and shown(server.url) == first[0].read_text().strip()
        with pytest.raises(InputError, match="does not answer.*certificate"):  # nobody vouches for it
            RemoteModel(server.url, TOKEN)
        monkeypatch.setenv("SSL_CERT_FILE", str(first[0]))
        both = {"": RemoteModel(server.url, TOKEN), "tuned": RemoteModel(server.url, TOKEN, model="tuned")}
        assert both[""].digest == model.digest and both["tuned"].digest == other.digest != model.digest
        with pytest.raises(InputError, match="not served here"):
            RemoteModel(server.url, TOKEN, model="unknown")
        assert httpx.post(f"{server.url}/propose?model=unknown", content=photo_file.read_bytes(), headers=BEARER,
                          timeout=PATIENCE).status_code == 409  # fmt: skip

        # both at once, again and again: each answers as its own model does here
        here = {"": model.propose(photo), "tuned": other.propose(photo)}
        apart = np.abs(here[""][0].vertices - here["tuned"][0].vertices).max()
        answers: dict[str, list] = {name: [] for name in both}

        def ask(name: str) -> None:
            for _ in range(3):
                answers[name].append(both[name].propose(photo)[0])

        threads = [threading.Thread(target=ask, args=(name,)) for name in both for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert {name: len(hands) for name, hands in answers.items()} == {"": 6, "tuned": 6}
        for name, hands in answers.items():
            for hand in hands:
                assert np.abs(hand.vertices - here[name][0].vertices).max() < min(1e-4, apart / 10)
        place = tuple(here["tuned"][0].keypoints[8] + (12.0, -9.0))
        fixed = both["tuned"].refine(answers["tuned"][0], {"index_tip": place})
        assert np.abs(fixed.vertices - other.refine(here["tuned"][0], {"index_tip": place}).vertices).max() < 1e-4

        # half of a renewal: the new certificate with the old key. The old pair goes on, and the log says so
        shutil.copy(second[0], cert)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "the certificate was not renewed" in server.said, "the log says so")
        assert shown(server.url) == first[0].read_text().strip()
        assert RemoteModel(server.url, TOKEN).digest == model.digest
        shutil.copy(second[1], key)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: shown(server.url) == second[0].read_text().strip(), "the new certificate is shown")
        assert both[""].propose(photo)[0].side == here[""][0].side  # a connection from before goes on
        monkeypatch.setenv("SSL_CERT_FILE", str(second[0]))
        assert RemoteModel(server.url, TOKEN).digest == model.digest


def test_a_stop_answers_what_was_asked_and_a_promotion_loses_nothing(model, other_checkpoint, photo_file, tmp_path):
    """Clients ask without a pause while a round is promoted; then the server is stopped in the middle of requests."""
    from annotator.project import Project

    with Project.create(tmp_path / "project"):
        pass
    body = photo_file.read_bytes()
    with served("--project", tmp_path / "project", "--look", "0.1") as server:
        statuses: list[int] = []
        digests: list[str] = []
        stop = threading.Event()

        def good() -> None:
            with httpx.Client(base_url=server.url, headers=BEARER, timeout=PATIENCE) as client:
                while not stop.is_set():
                    answer = client.post("/propose", content=body)
                    statuses.append(answer.status_code)
                    digests.append(answer.json().get("model", ""))

        threads = [threading.Thread(target=good) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(digests) > 3, "answers come")
            round_folder = tmp_path / "project" / "rounds" / "001"
            round_folder.mkdir(parents=True)
            shutil.copy(other_checkpoint, round_folder / "checkpoint.safetensors")
            (round_folder / "state.json").write_text(json.dumps({"done": ["promote"], "promoted": True}))
            digest = load_model(other_checkpoint, device="cpu").digest
            until(lambda: digests[-1] == digest, "the promoted one answers")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert set(statuses) == {200} and set(digests) == {model.digest, digest}

        # SIGTERM between the heads and the bodies of three requests
        asked = [begun(server.url, len(body)) for _ in range(3)]
        server.process.send_signal(signal.SIGTERM)
        until(lambda: refuses(server.url), "nobody new is let in")
        for connection in asked:
            connection.sendall(body)
        for connection in asked:
            said = everything(connection)
            assert said.startswith(b"HTTP/1.1 200") and digest.encode() in said, said[:200]
        assert server.process.wait(PATIENCE) in (0, -signal.SIGTERM)
        assert "Traceback" not in server.said, server.said


def begun(url: str, length: int) -> socket.socket:
    """A connection whose request's head the server has read, and whose body it waits for."""
    connection = socket.create_connection(address(url), PATIENCE)
    head = f"POST /propose HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in BEARER.items())
    connection.sendall(f"{head}\r\n".encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 100")
    return connection


def refuses(url: str) -> bool:
    try:
        socket.create_connection(address(url), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def everything(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    with connection:
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
        return b"".join(parts)
