"""`track` on Ray: each video is followed by an actor, several at once; their pieces are stored here.

A video's frames follow upon each other, so what is shared out are videos. An actor makes a piece when it is asked for
one, so memory does not grow with a video, and only this process writes the project. An actor that dies is started anew
behind the last piece that was stored.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from annotator.cluster.engine import Engine, needed
from annotator.cluster.models import answer_of, check_digest, content_of, loaded
from annotator.errors import InputError
from annotator.model import Model
from annotator.project import Project
from annotator.tracking.following import FOLLOWING, Following
from annotator.tracking.pieces import Piece, Start, pieces
from annotator.tracking.restoring import restore
from annotator.tracking.storing import Stored, Writer, provenance_of, start_of
from annotator.tracking.trajectories.smoothing import SMOOTHING
from annotator.vision.video import Choice, open_video
from annotator.vision.video.source import VideoSource

TRIES = 3  # times an actor of a video is started anew without a piece from it


@dataclass(frozen=True)
class Progress:
    """A piece of a video was stored. number: of the video among those given; done, all: of its frames; worker: the
    process that followed it; stored: what came of the whole video, once it is finished."""

    number: int
    done: int
    all: int
    worker: int
    stored: Stored | None = None


class Tracker:
    """An actor that follows the hands of one video."""

    def __init__(self, content: list, digest: str, engine: Engine, path: str, rate: float, start: Start,
                 following: Following, count: int | None):  # fmt: skip
        model = check_digest(loaded(needed("ray").get(content[0]), engine), digest)
        self.pieces = pieces(model, open_video(path, rate), start, None, following, SMOOTHING, count=count)

    def next(self) -> Piece | None:
        """The next piece; None after the last."""
        piece = next(self.pieces, None)
        return None if piece is None else replace(piece, worker=os.getpid())


@dataclass(eq=False)
class _Job:
    """A video under way."""

    number: int
    source: VideoSource
    rate: float
    start: Start
    writer: Writer
    actor: Any = None
    tries: int = 0
    worker: int = 0


def track_videos(
    project: Project,
    engine: Engine,
    videos: Sequence[tuple[VideoSource, float]],
    choice: Choice,
    name: str,
    digest: str,
    checkpoint: Path | None = None,
    following: Following = FOLLOWING,
    model: Callable[[], Model] | None = None,
    count: int | None = None,
) -> Iterator[Progress]:
    """Tracks videos into a project; yields a `Progress` for each piece that was stored.

    videos: opened, each with its rate (see `open_video`); they lie where every worker finds them under the same path.
    digest: of the model, which the actors load from `checkpoint`; name: of it, for the provenance; model: gives it
    here, for tracks whose side changes when all their frames are heard; count: frames of a piece. InputError: a video
    cannot be read, or its actors die again and again; what was stored before stays.
    """
    with engine.connected() as ray:
        run = _Run(project, engine, ray, videos, choice, (name, digest), content_of(checkpoint), following, count)
        try:
            while (found := run.next_piece()) is not None:
                job, piece = found
                frames = len(job.start.numbers)
                if piece is None:
                    yield Progress(job.number, frames, frames, job.worker, job.writer.finished())
                    continue
                job.writer.write(piece)
                job.tries, job.worker = 0, piece.worker
                if model is not None:
                    for track, side in job.writer.turned(piece).items():
                        restored = (track, side, job.writer.provenance, SMOOTHING, following.keep)
                        restore(project, job.source, model(), *restored)
                run.ask(job)  # the next piece is on its way while this one is told of
                yield Progress(job.number, job.start.done + piece.looked_at, frames, piece.worker)
        finally:
            run.end()


class _Run:
    """The videos that wait, those under way, and the actors that follow them. named: the model's name and digest."""

    def __init__(self, project: Project, engine: Engine, ray: Any, videos: Sequence[tuple[VideoSource, float]],
                 choice: Choice, named: tuple[str, str], content: bytes | None, following: Following,
                 count: int | None):  # fmt: skip
        self.project, self.engine, self.ray, self.choice, self.following = project, engine, ray, choice, following
        (self.name, self.digest), self.count = named, count
        self.content = [ray.put(content)]
        self.waiting, self.room = deque(enumerate(videos)), engine.actors(ray)
        self.under_way: dict[Any, _Job] = {}
        self.actors: list[Any] = []

    def begin(self, number: int, source: VideoSource, rate: float, tries: int = 0) -> None:
        """Follow a video from where the project has it."""
        start = start_of(self.project, source, self.choice, self.digest, self.following)
        provenance = provenance_of(self.name, self.digest)
        writer = Writer(self.project, source, provenance, self.digest, start)
        self.ask(_Job(number, source, rate, start, writer, tries=tries))

    def ask(self, job: _Job) -> None:
        """Ask for the next piece of a video."""
        if job.actor is None:
            path = str(Path(job.source.path).absolute())
            kind = self.ray.remote(num_cpus=self.engine.cpus, num_gpus=self.engine.gpus or None)(Tracker)
            given = (self.content, self.digest, self.engine, path, job.rate, job.start, self.following, self.count)
            job.actor = kind.remote(*given)
            self.actors.append(job.actor)
        self.under_way[job.actor.next.remote()] = job

    def next_piece(self) -> tuple[_Job, Piece | None] | None:
        """(the video, its next piece or None at its end), whichever comes first; None: all videos are done."""
        while self.waiting or self.under_way:
            while self.waiting and len(self.under_way) < self.room:
                number, (source, rate) = self.waiting.popleft()
                self.begin(number, source, rate)
            (ready, *_), _ = self.ray.wait(list(self.under_way), num_returns=1)
            job = self.under_way.pop(ready)
            try:
                piece = answer_of(self.ray, ready)
            except self.ray.exceptions.RayActorError as error:
                if job.tries == TRIES:
                    raise InputError(f"{job.source.path}: workers died {TRIES + 1} times: {error}") from error
                self.ray.kill(job.actor)
                self.begin(job.number, job.source, job.rate, job.tries + 1)
                continue
            if piece is None:
                self.ray.kill(job.actor)
            return job, piece
        return None

    def end(self) -> None:
        for actor in self.actors:
            self.ray.kill(actor)
