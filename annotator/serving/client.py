"""A model that runs elsewhere, with the same calls as `annotator.Model`: the network there, the solver here."""

from __future__ import annotations

import importlib
import io
import json
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from PIL import Image

from annotator.correcting.subjects.subject import Subject
from annotator.detection.photo_groups import hinted
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.model import Model
from annotator.network.hand_meshes import CachedFeatures
from annotator.project.records.meshes import find_hand_model
from annotator.serving import wire
from annotator.vision.photos import as_photo

PATIENCE = 75.0  # seconds an answer is waited for: more than the server takes
LONGEST = 600.0  # seconds that one photo of many waits for a quota, or a busy server


class Later(InputError):
    """Nothing is wrong with what was asked: after these seconds it may be asked again."""

    def __init__(self, said: str, seconds: float):
        super().__init__(said)
        self.seconds = seconds


class RemoteModel(Model):
    """`annotator serve`'s model at a URL. digest, hand, card, propose, propose_many, remember, refine, alternatives: as
    of a `Model`; a MANO hand model must be imported here too. InputError: nobody answers, the token is wrong, and
    whatever the model itself objects to. user: the token's name at the server ("": it has none).

    model: the name of one of several; "": the current one. It stays this one, whatever takes over at the server, until
    the server has forgotten it.
    """

    def __init__(self, url: str, token: str = "", timeout: float = PATIENCE, model: str = ""):
        self.url = url.rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise InputError(f"model server {url!r}: expected http://HOST:PORT or https://HOST:PORT")
        try:
            self._httpx = importlib.import_module("httpx")
        except ImportError as error:
            raise InputError("a remote model needs httpx: pip install 'hand-mesh-annotator[serve]'") from error
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = self._httpx.Client(base_url=self.url, headers=headers, timeout=timeout)
        health = json.loads(self._ask("GET", "/health", query={"model": model} if model else None))
        try:
            self.digest, self.device = str(health["model"]), torch.device("cpu")
            self._client.headers["X-Annotator-Model"] = self.digest
            self.user = str(health.get("user", ""))
            self.hand = find_hand_model(health["hand_model"], health["hand_digest"])
        except (KeyError, TypeError) as error:
            raise InputError(f"model server {self.url} is no annotator server: {error}") from error
        self.card = {"remote": self.url, "device": health.get("device")}

    def close(self) -> None:
        self._client.close()

    def propose(
        self,
        photo: np.ndarray,
        boxes: Sequence[Sequence[float]] | None = None,
        sides: Sequence[str | None] | None = None,
        K: np.ndarray | None = None,
        subject: Subject | None = None,
    ) -> list[HandMesh]:
        """As `Model.propose`. The photo travels without loss; whose hands they are stays here."""
        hints = {"boxes": boxes, "sides": sides, "K": K}
        query = {name: json.dumps(np.asarray(v).tolist()) for name, v in hints.items() if v is not None}
        headers = {"Content-Type": "image/png", "Accept": wire.TYPE}
        proposed = self._unpacked(self._ask("POST", "/propose", _png(photo), headers, query))
        hands = [CachedFeatures.with_proposal(hand) for hand in proposed]
        return hands if subject is None else [self.of_subject(hand, subject) for hand in hands]

    def propose_many(
        self,
        photos: Iterable[np.ndarray],
        boxes: Iterable | None = None,
        sides: Iterable | None = None,
        cameras: Iterable | None = None,
        batch: int = 16,
        subject: Subject | None = None,
    ) -> Iterator[list[HandMesh]]:
        """As `Model.propose_many`; the server batches what its clients ask for. A used-up quota, or a busy server, is
        waited for."""
        for photo, *hints in hinted(photos, boxes, sides, cameras):
            yield self._patiently(photo, [*hints, subject])

    def _patiently(self, photo: np.ndarray, hints: list) -> list[HandMesh]:
        end = time.monotonic() + LONGEST
        while True:
            try:
                return self.propose(photo, *hints)
            except Later as later:
                if time.monotonic() + later.seconds > end:
                    raise
                time.sleep(later.seconds)

    def remember(self, photo: np.ndarray, hand: HandMesh) -> HandMesh:
        """As `Model.remember`."""
        packed = wire.pack([hand], features=False, photo=_png(photo))
        (kept,) = self._unpacked(self._ask("POST", "/remember", packed, {"Content-Type": wire.TYPE}))
        return self.with_features(hand, kept.features)

    def prompted(self, hand: HandMesh, corrections: dict[int, tuple[float, float]]) -> HandMesh:
        """As `Model.prompted`."""
        packed = wire.pack([hand], {"corrections": {str(k): list(v) for k, v in corrections.items()}})
        (answered,) = self._unpacked(self._ask("POST", "/prompt", packed, {"Content-Type": wire.TYPE}))
        return answered.replace(features=hand.features)

    def _unpacked(self, data: bytes) -> list[HandMesh]:
        hands, more, _ = wire.unpack(data)
        if more.get("model", self.digest) != self.digest:
            raise InputError(f"model server {self.url} has changed its model: open it again")
        return hands

    def _ask(self, method: str, path: str, body: bytes | None = None, headers=None, query=None) -> bytes:
        def ask():
            return self._client.request(method, path, content=body, headers=headers, params=query)

        try:
            try:
                answer = ask()
            except (self._httpx.RemoteProtocolError, self._httpx.ReadError, self._httpx.WriteError):
                answer = ask()  # a connection that was kept may have ended meanwhile; what is asked changes nothing
        except self._httpx.HTTPError as error:
            raise InputError(f"model server {self.url} does not answer: {error or type(error).__name__}") from error
        if answer.status_code == 401:
            raise InputError(f"model server {self.url} does not know this token")
        if answer.status_code == 409 and method == "POST":
            raise InputError(f"model server {self.url} has changed its model: open it again")
        if answer.is_error:
            try:
                why = answer.json()["detail"]
            except (ValueError, KeyError, TypeError):
                why = answer.reason_phrase
            again = answer.headers.get("Retry-After", "")
            if answer.status_code in (429, 503) and again.isdigit():
                raise Later(f"model server {self.url}: {why}", float(again))
            raise InputError(f"model server {self.url}: {why}")
        return answer.content


def _png(photo: np.ndarray) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(as_photo(photo)).save(file, "png", compress_level=1)
        return file.getvalue()
