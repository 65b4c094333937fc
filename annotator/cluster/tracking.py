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
from annotator.cluster.models import content_of, loaded
from annotator.errors import InputError
from annotator.model import Model
from annotator.project import Project
from annotator.tracking.following import FOLLOWING, Following
from annotator.tracking.pieces import Piece, Start, pieces
from annotator.tracking.restoring import restore
from annotator.tracking.smoothing import SMOOTHING
from annotator.tracking.storing import Stored, Writer, provenance_of, start_of
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
        model = loaded(needed("ray").get(content[0]), engine)
        if model.digest != digest:
            raise RuntimeError(f"a worker's model is {model.digest}, expected {digest}: other versions are installed")
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
        content = [ray.put(content_of(checkpoint))]
        waiting, under_way, actors = deque(enumerate(videos)), {}, []

        def begin(number: int, source: VideoSource, rate: float) -> _Job:
            start = start_of(project, source, choice, digest, following)
            return _Job(
                number, source, rate, start, Writer(project, source, provenance_of(name, digest), digest, start)
            )

        def ask(job: _Job) -> None:
            if job.actor is None:
                path = str(Path(job.source.path).absolute())
                kind = ray.remote(num_cpus=engine.cpus, num_gpus=engine.gpus or None)(Tracker)
                job.actor = kind.remote(content, digest, engine, path, job.rate, job.start, following, count)
                actors.append(job.actor)
            under_way[job.actor.next.remote()] = job

        try:
            room = engine.actors(ray)
            while waiting or under_way:
                while waiting and len(under_way) < room:
                    number, (source, rate) = waiting.popleft()
                    ask(begin(number, source, rate))
                (ready, *_), _ = ray.wait(list(under_way), num_returns=1)
                job = under_way.pop(ready)
                try:
                    piece = ray.get(ready)
                except ray.exceptions.RayActorError as error:
                    if job.tries == TRIES:
                        raise InputError(f"{job.source.path}: workers died {TRIES + 1} times: {error}") from error
                    ray.kill(job.actor)
                    fresh = begin(job.number, job.source, job.rate)
                    fresh.tries = job.tries + 1
                    ask(fresh)
                    continue
                except ray.exceptions.RayTaskError as error:
                    if isinstance(error.cause, InputError):
                        raise InputError(str(error.cause)) from error
                    raise
                frames = len(job.start.numbers)
                if piece is None:
                    ray.kill(job.actor)
                    yield Progress(job.number, frames, frames, job.worker, job.writer.finished())
                    continue
                job.writer.write(piece)
                job.tries, job.worker = 0, piece.worker
                if model is not None:
                    for track, side in job.writer.turned(piece).items():
                        restored = (track, side, job.writer.provenance, SMOOTHING, following.keep)
                        restore(project, job.source, model(), *restored)
                ask(job)  # the next piece is on its way while this one is told of
                yield Progress(job.number, job.start.done + piece.looked_at, frames, piece.worker)
        finally:
            for actor in actors:
                ray.kill(actor)
