"""Videos as photos."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.vision.photos import read_photo
from annotator.vision.video import frames, is_video, save_frames

av = pytest.importorskip("av")


@pytest.fixture
def video(tmp_path):
    """Two seconds at ten frames a second; a frame's grey says its number."""
    path = tmp_path / "a hand.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * number + 20, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_come_at_the_wanted_distance(video):
    found = list(frames(video, every=0.5))
    assert [number for number, _ in found] == [0, 5, 10, 15]
    assert all(frame.shape == (48, 64, 3) for _, frame in found)
    assert all(abs(frame.mean() - (10 * number + 20)) < 8 for number, frame in found)
    assert len(list(frames(video, every=0))) == 20


def test_frames_are_written_once(video, tmp_path):
    folder = tmp_path / "frames"
    first = list(save_frames(video, folder))
    assert [path.name for path in first] == [f"a hand-{n:06d}.jpg" for n in (0, 5, 10, 15)]
    before = [path.stat().st_mtime_ns for path in first]
    assert list(save_frames(video, folder)) == first and [p.stat().st_mtime_ns for p in first] == before
    assert read_photo(first[0]).shape == (48, 64, 3) and not list(folder.glob("*.part"))


def test_what_is_no_video_is_named(tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    for path, words in ((tmp_path / "text.mp4", "cannot be read"), (tmp_path / "none.mp4", "does not exist")):
        with pytest.raises(InputError, match=words):
            list(frames(path))
    assert is_video("A.MP4") and not is_video("a.jpg")
