"""`track_video`: the hands of a video as tracks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from annotator.errors import InputError
from annotator.model import Model
from annotator.tracking.doubts import doubted
from annotator.tracking.following import FOLLOWING, Follower, Following, Frame, frames_of
from annotator.tracking.records import Track
from annotator.tracking.siding import of_one_side
from annotator.tracking.trajectories.bridging import completed
from annotator.tracking.trajectories.smoothing import SMOOTHING, Smoothing
from annotator.vision.video import Choice, open_video
from annotator.vision.video.source import VideoSource


def track_video(
    model: Model,
    video: str | Path | VideoSource,
    choice: Choice | None = None,
    K: np.ndarray | None = None,
    following: Following = FOLLOWING,
    smoothing: Smoothing | None = SMOOTHING,
    progress: Callable[[int, int], None] | None = None,
    skipped: Callable[[str], object] | None = None,
) -> list[Track]:
    """The hands of a video, each with one identity, smoothed over time.

    Parameters
    ----------
    model
        Finds and answers the hands.
    video
        Its path (as `vision.video.open_video` takes it), or the opened video.
    choice
        Which frames; None: all of them. Following needs neighbours: frames more than a quarter of a second apart are
        searched one by one.
    K
        (3, 3) intrinsics in px of every frame; None: the stated default of `vision.camera`.
    following
        How hands are followed from frame to frame.
    smoothing
        None: hands as they were answered, frame by frame; no gaps bridged.
    progress, skipped
        Called with (frames done, all), and with a line about each frame that cannot be decoded.

    Returns
    -------
    list of Track
        In the order in which they appear. Every `TrackedHand` holds a `HandMesh` made by the model's hand; one shape a
        track.

    Raises
    ------
    InputError
        The video cannot be read, none of its frames is chosen, or K is no camera.
    """
    source = video if isinstance(video, VideoSource) else open_video(video)
    numbers = source.numbers[(choice or Choice(0.0)).rows(source)]
    if not len(numbers):
        raise InputError(f"no frame of {source.path} is chosen")
    follower, moments = Follower(model, K, following), []
    for done, frame in enumerate(frames_of(source, numbers, skipped), 1):
        follower.step(frame)
        moments.append((frame.number, frame.seconds))
        if progress is not None:
            progress(done, len(numbers))
    if not moments:
        raise InputError(f"no frame of {source.path} can be decoded")
    follower.finish()
    follower.weigh_sides(source.read)
    tracks = of_one_side(follower.tracks(), follower.sides(), model, follower.K, source.read)
    return finished(tracks, moments, model, smoothing, following)


def track_frames(
    model: Model,
    frames: Iterable[Frame],
    K: np.ndarray | None = None,
    following: Following = FOLLOWING,
    smoothing: Smoothing | None = SMOOTHING,
) -> list[Track]:
    """`track_video` of frames that are at hand: (number, seconds, photo (H, W, 3)), rising in time. They are kept until
    all are followed: a track that proves to be of the other side is answered again."""
    follower, moments, photos = Follower(model, K, following), [], {}
    for frame in frames:
        follower.step(frame)
        moments.append((frame.number, frame.seconds))
        photos[frame.number] = frame.photo
    follower.finish()
    follower.weigh_sides(photos.__getitem__)
    tracks = of_one_side(follower.tracks(), follower.sides(), model, follower.K, photos.__getitem__)
    return finished(tracks, moments, model, smoothing, following)


def finished(
    tracks: Sequence[Track],
    moments: Sequence[tuple[int, float]],
    model: Model,
    smoothing: Smoothing | None,
    following: Following,
    shapes: Mapping[int, np.ndarray] | None = None,
) -> list[Track]:
    """Followed tracks, smoothed, bridged and with what speaks against them. moments: (number, seconds) of all
    frames; shapes: of tracks (by id) that began before these frames."""
    if smoothing is None:
        return doubted(tracks, {})
    known = shapes or {}
    whole = [completed(track, model.hand, moments, smoothing, following.keep, known.get(track.id)) for track in tracks]
    return doubted(whole, {track.id: track for track in tracks})
