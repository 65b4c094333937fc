"""Damaged videos, files that break off, and what is no video: named, and the frames that are sound are given."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from small_videos import KINDS, afresh, damage, number_in, pictures, video

from annotator.errors import InputError
from annotator.vision.photos import read_photo
from annotator.vision.video import frames, is_video, open_video
from annotator.vision.video import opening as opening_module

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize("name", ["a.mp4", "b.mov", "j.mp4", "m.mov", "i.avi", "d.avi"])
def test_a_damaged_packet_is_left_out_and_named_and_the_others_keep_their_numbers(tmp_path, name):
    options = dict(KINDS[name]) | {"b_frames": 0}
    path = damage(video(tmp_path / name, pictures(20), **options), 12)
    named = []
    good = dict(frames(path, every=0, skipped=named.append))
    assert 12 not in good and len(named) == 20 - len(good) <= 3
    assert f"{path}: frame 12 (1.200 s) is damaged and cannot be decoded" in named[0]
    away = [*range(12), *range(15, 20)]  # from the next key on nothing is drawn from the damaged one
    assert [number_in(good[number]) for number in away] == away
    opened = afresh(path)
    with pytest.raises(InputError, match=r"frame 12 \(1.200 s\) is damaged"):
        opened.read(12)
    assert number_in(opened.read(16)) == 16 and number_in(opened.read(4)) == 4


def test_frames_that_need_a_damaged_one_are_named_too(tmp_path):
    path = damage(video(tmp_path / "g.mp4", pictures(20), codec="libx265", b_frames=0), 7)
    named = []
    good = list(frames(path, every=0, skipped=named.append))
    assert [number for number, _ in good] == [*range(7), *range(10, 20)]
    assert all(number_in(picture) == number for number, picture in good)
    assert [line.split(": ")[1].split(" (")[0] for line in named] == ["frame 7", "frame 8", "frame 9"]
    assert "those up to 9 are drawn from it" in named[0]


def test_a_file_that_breaks_off_gives_the_frames_it_has(tmp_path):
    path = video(tmp_path / "cut.mkv", pictures(30), codec="ffv1")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    opened = open_video(path)
    assert 10 < len(opened) < 20
    came = [number_in(picture) for _, picture in frames(path, every=0)]
    assert came == list(range(len(came))) and len(came) >= len(opened) - 1


def test_what_is_no_video_is_named(tmp_path, clip, monkeypatch):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "empty.mp4").touch()
    kinds = {"text.mp4": "cannot be read", "none.mp4": "does not exist", "folder.mp4": "is a directory",
             "empty.mp4": "cannot be read"}  # fmt: skip
    for name, words in kinds.items():
        with pytest.raises(InputError, match=f"{name}.*{words}|{words}.*{name}") as said:
            list(frames(tmp_path / name))
        assert "\n" not in str(said.value)
    with pytest.raises(InputError, match=r"has no frame 20 \(it has 20, the last is 19\)"):
        read_photo(f"{clip}#frame=20")
    with pytest.raises(InputError, match="is a video of frames 0 to 19: name one"):
        read_photo(clip)
    assert is_video("A.MP4") and not is_video("a.jpg") and not is_video("none.tif")
    monkeypatch.setitem(sys.modules, "av", None)
    opening_module._open.clear()
    with pytest.raises(InputError, match=r"needs the package 'av' \(pip install 'hand-mesh-annotator\[video\]'\)"):
        open_video(clip)


def test_a_video_that_goes_while_it_is_open_is_named(clip):
    opened = open_video(clip)
    clip.unlink()
    for number in (0, 7):
        with pytest.raises(InputError, match="a hand.mp4 cannot be read"):
            opened.read(number)


def test_sound_alone_is_no_video(tmp_path):
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InputError, match="sound.mp4 has no video stream"):
        open_video(path)


def test_a_video_of_an_unknown_codec_is_refused(tmp_path):
    whole = video(tmp_path / "a.mp4", pictures(3)).read_bytes()
    (tmp_path / "b.mp4").write_bytes(whole.replace(b"avc1", b"zzz9"))
    with pytest.raises(InputError, match="b.mp4 has a video stream that no decoder here can read"):
        open_video(tmp_path / "b.mp4")
