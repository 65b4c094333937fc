"""`track` of one long video on Ray: workers follow stretches of it, which are joined, smoothed and stored here.

A stretch is a task: Ray does it again elsewhere if its worker dies. As many are under way as there are workers, and
what they saw comes in the order of the video, so this process holds a few stretches, however long the video is.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from annotator.cluster.engine import Engine, needed
from annotator.cluster.models import answer_of, check_digest, content_of, loaded
from annotator.cluster.tracking import Progress
from annotator.errors import InputError
from annotator.model import Model
from annotator.project import Project
from annotator.tracking.following import FOLLOWING, Following
from annotator.tracking.pieces import settled
from annotator.tracking.restoring import restore
from annotator.tracking.storing import Writer, provenance_of, start_of
from annotator.tracking.stretches import Joined, Plan, Stretch, follow_stretch, planned
from annotator.tracking.trajectories.smoothing import SMOOTHING
from annotator.vision.video import Choice, open_video
from annotator.vision.video.source import VideoSource

SECONDS = 60.0  # of a stretch, as a rule
TRIES = 3  # times a stretch is begun anew


def is_long(source: VideoSource, choice: Choice, seconds: float = SECONDS) -> bool:
    """Whether a video is worth being followed in stretches of so many seconds (0: never)."""
    times = source.seconds[choice.rows(source)]
    return bool(seconds > 0 and len(times) and times[-1] - times[0] >= 2 * seconds)


def track_long(
    project: Project,
    engine: Engine,
    video: tuple[VideoSource, float],
    choice: Choice,
    name: str,
    model: Model,
    checkpoint: Path | None = None,
    following: Following = FOLLOWING,
    seconds: float = SECONDS,
    count: int | None = None,
) -> Iterator[Progress]:
    """Track one video into a project, in stretches of so many seconds; a `Progress` (of number 0) for each piece that
    was stored. model: the one of `checkpoint`, here; the rest as in `track_videos`. InputError as there."""
    source, rate = video
    start = start_of(project, source, choice, model.digest, following)
    writer = Writer(project, source, provenance_of(name, model.digest), model.digest, start)
    plans = planned(source, start.numbers[start.done :], seconds)
    with engine.connected() as ray:
        content = [ray.put(content_of(checkpoint))]
        kind = ray.remote(num_cpus=engine.cpus, num_gpus=engine.gpus or None, max_retries=TRIES)(_followed)
        room, worker = engine.actors(ray), 0
        path = str(Path(source.path).absolute())

        def stretches() -> Iterator[Stretch]:
            nonlocal worker
            waiting, under_way = deque(enumerate(plans)), deque[Any]()
            try:
                while waiting or under_way:
                    while waiting and len(under_way) < room + 1:  # one lies ready while they are joined here
                        number, plan = waiting.popleft()
                        before = (start.before, start.last) if number == 0 else ((), 0)
                        under_way.append(
                            kind.remote(content, model.digest, engine, path, rate, plan, following, *before)
                        )
                    try:
                        worker, stretch = answer_of(ray, under_way.popleft())
                    except ray.exceptions.WorkerCrashedError as error:
                        raise InputError(f"{source.path}: workers died {TRIES + 1} times: {error}") from error
                    yield stretch
            finally:
                for task in under_way:
                    ray.cancel(task, force=True)

        joined, total = Joined(start.before, start.last), len(start.numbers)
        steps = joined.steps(stretches())
        for piece in settled(
            model, source, start, joined, steps, joined.failed, following, SMOOTHING, count=count
        ):  # fmt: skip
            writer.write(piece)
            for track, side in writer.turned(piece).items():
                restore(project, source, model, track, side, writer.provenance, SMOOTHING, following.keep)
            yield Progress(0, start.done + piece.looked_at, total, worker)
    yield Progress(0, total, total, worker, writer.finished())


def _followed(
    content: list, digest: str, engine: Engine, path: str, rate: float, plan: Plan, following: Following, before, last
) -> tuple[int, Stretch]:
    """(this process, what it has seen), in a worker."""
    model = check_digest(loaded(needed("ray").get(content[0]), engine), digest)
    return os.getpid(), follow_stretch(model, open_video(path, rate), plan, None, following, before, last)
