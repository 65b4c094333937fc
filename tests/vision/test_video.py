"""Videos: every frame with its number and time, whatever the container; exact seeking; what a video is."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from fractions import Fraction

import numpy as np
import pytest
from small_videos import KINDS, afresh, cut_by_edit_list, number_in, pictures, turn, video

from annotator.files.frame_places import FramePlace, frame_place, in_words, stem_of, video_of
from annotator.vision.photos import frame_of, photo_hash, photo_there, read_photo
from annotator.vision.video import frames, is_video, open_video, save_frames
from annotator.vision.video import index as indices
from annotator.vision.video import opening as opening_module
from annotator.vision.video.background_reading import ReaderBeside
from annotator.vision.video.container import ContainerVideo

av = pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize("name", KINDS)
def test_each_frame_has_its_number_and_its_time_and_is_found_by_seeking(tmp_path, name):
    path = video(tmp_path / name, pictures(30), **KINDS[name])
    opened, rate = open_video(path), KINDS[name].get("rate", 10)
    assert opened.numbers.tolist() == list(range(30)) and is_video(path)
    assert np.allclose(opened.seconds - opened.seconds[0], np.arange(30) / rate, atol=0.002)
    in_order = dict(frames(path, every=0))
    assert [number_in(picture) for picture in in_order.values()] == list(range(30))
    assert all(picture.shape == (64, 96, 3) for picture in in_order.values())
    again = afresh(path)
    for number in np.random.default_rng(1).permutation(30).tolist() + [29, 28, 27, 3, 2]:
        assert np.array_equal(again.read(number), in_order[number]), number


def test_seeking_decodes_from_the_key_before_and_not_from_the_beginning(tmp_path, monkeypatch):
    path = video(tmp_path / "long.mp4", pictures(30), keys=5)
    opened, came = afresh(path), []
    keep = opened._keep
    monkeypatch.setattr(opened, "_keep", lambda number, frame: (came.append(number), keep(number, frame)))
    index = opened.index
    wanted, first = next((n, k) for n in range(20, 29) if n - (k := index.key_frame[index.start[n]]) == 2)
    assert number_in(opened.read(wanted)) == wanted and came == [first, wanted - 1, wanted]
    assert number_in(opened.read(wanted + 1)) == wanted + 1 and came[3:] == [wanted + 1]  # goes on where it is
    assert number_in(opened.read(wanted - 1)) == wanted - 1 and len(came) == 4  # going back decodes nothing anew


def test_frames_that_do_not_come_evenly_keep_their_time_stamps(tmp_path):
    times = [0, 0.033, 0.5, 0.52, 0.54, 1.7, 1.71, 3.0]
    for name in ("phone.mp4", "phone.mkv", "phone.webm"):
        codec = "libvpx" if name.endswith("webm") else "libx264"
        path = video(tmp_path / name, pictures(8), codec, rate=1000, seconds=times)
        assert np.allclose(open_video(path).seconds, times, atol=0.0011), name
        assert frame_of(f"{path}#frame=5").seconds == pytest.approx(1.7, abs=0.0011)
        wanted = [number for number, _ in frames(path, every=0.5)]
        assert wanted == [0, 2, 5, 7]  # nothing comes between 0.54 and 1.7 s, and between 1.71 and 3 s


@pytest.mark.parametrize(
    "matrix, expected",
    [
        ((1, 0, 0, 1), lambda p: p),
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),  # a phone held upright
        ((0, -1, 1, 0), lambda p: np.rot90(p)),
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),  # a mirror, as front cameras write it
        ((1, 0, 0, -1), lambda p: p[::-1]),
    ],
)
def test_the_turn_that_the_container_asks_for_is_made(tmp_path, matrix, expected):
    plain = read_photo(f"{video(tmp_path / 'plain.mp4', pictures(3))}#frame=1")
    shown = read_photo(f"{turn(video(tmp_path / 'turned.mp4', pictures(3)), matrix)}#frame=1")
    assert np.array_equal(shown, expected(plain))


def test_an_upright_phone_video_is_upright(tmp_path, photo_file):
    photo = read_photo(photo_file)
    path = turn(video(tmp_path / "v.mp4", [photo] * 3), (0, 1, -1, 0))
    assert next(frames(path))[1].shape == (620, 1080, 3)


@pytest.mark.parametrize("name", ["wide.mp4", "wide.mkv"])
def test_pixels_that_are_not_square_are_made_square(tmp_path, name):
    path = video(tmp_path / name, pictures(3), aspect=Fraction(4, 3))
    shown = open_video(path).read(2)
    assert shown.shape == (64, 128, 3) and number_in(shown) == 2
    assert abs(float(shown[:28, :56].mean()) - 17) < 4  # the dark quarter has grown with it
    assert open_video(video(tmp_path / "thin.mp4", pictures(3), aspect=Fraction(8, 9))).read(0).shape == (64, 85, 3)


def test_an_edit_list_says_where_the_video_begins(tmp_path):
    path = cut_by_edit_list(video(tmp_path / "cut.mp4", pictures(20), keys=20), 0.7)
    opened = open_video(path)
    assert len(opened) == 13 and opened.seconds[0] == pytest.approx(0, abs=0.01)
    assert [number_in(picture) for _, picture in frames(path, every=0)] == list(range(7, 20))
    again = afresh(path)
    assert [number_in(again.read(number)) for number in (12, 0, 5)] == [19, 7, 12]


def test_two_videos_of_one_name_and_a_replaced_one_never_share_frames(tmp_path):
    def flat(value):
        return [np.full((64, 96, 3), value, np.uint8)] * 5

    def told(path):
        place = f"{path}#frame=2"
        return round(float(read_photo(place).mean())), photo_hash(place), open_video(path).sha256

    first, second = video(tmp_path / "clip.mp4", flat(30)), video(tmp_path / "clip.mov", flat(220))
    there = video(tmp_path / "other" / "clip.mp4", flat(90))
    said = [told(first), told(second), told(there)]
    when = first.stat().st_mtime_ns
    video(tmp_path / "new.mp4", flat(120)).replace(first)
    os.utime(first, ns=(when, when))  # as a tool that keeps times would leave it
    said.append(told(first))
    assert np.allclose([grey for grey, _, _ in said], [30, 220, 90, 120], atol=5)
    assert len({digest for _, digest, _ in said}) == len({video for *_, video in said}) == 4
    copy = tmp_path / "copy of it.mp4"
    copy.write_bytes(first.read_bytes())
    assert told(copy) == said[-1]  # the same content is the same video, whatever it is called


def test_hash_and_index_are_made_once_on_a_machine(clip, monkeypatch):
    before = afresh(clip)

    def never(*_):
        raise AssertionError("built again")

    monkeypatch.setattr(indices, "build", never)
    monkeypatch.setattr(opening_module, "file_hash", never)
    again = afresh(clip)
    assert again is not before and again.sha256 == before.sha256
    assert [number_in(again.read(number)) for number in (13, 2)] == [13, 2]
    for kept in opening_module.disk_cache._file(opening_module.disk_cache.state_of(clip)).parent.iterdir():
        kept.write_bytes(b"not ours")
    with pytest.raises(AssertionError, match="built again"):  # a spoilt note is no note
        afresh(clip)


def test_a_reader_apart_leaves_the_decoder_where_it_is(clip):
    opened = afresh(clip)
    opened.read(3)
    came, beside = opened._frames, opened.apart()
    assert np.array_equal(beside.read(15), open_video(clip).apart().read(15)) and beside.sha256 == opened.sha256
    assert opened._frames is came and opened._next == 4  # what comes next there is still the next one
    reader = ReaderBeside()
    assert [number_in(reader.read(f"{clip}#frame={number}")) for number in (12, 1)] == [12, 1]
    assert opened._frames is came and number_in(opened.read(4)) == 4


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="counts threads as Linux does")
def test_frames_that_are_kept_keep_no_threads(clip):
    opened = afresh(clip)
    opened.read(0), opened.read(1)
    before = set(os.listdir("/proc/self/task"))
    kept = [opened.read(number) for number in range(2, 20)]
    assert set(os.listdir("/proc/self/task")) <= before and len(kept) == 18 == len(opened._recent) - 2


def test_frames_that_are_not_kept_do_not_wait_for_the_collector(clip):
    opened = ContainerVideo(clip, open_video(clip).index, open_video(clip).sha256, most_held=1)
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(one, av.VideoFrame) for one in gc.get_objects())
        for number in range(20):
            opened.read(number)
        left = sum(isinstance(one, av.VideoFrame) for one in gc.get_objects()) - before
    finally:
        gc.enable()
    assert len(opened._recent) == 1 and left <= 10  # the decoder has some under way


def test_several_threads_read_one_video(clip):
    opened, wrong = afresh(clip), []

    def work(seed):
        for number in np.random.default_rng(seed).permutation(20):
            if number_in(opened.read(int(number))) != number:
                wrong.append(int(number))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_reads_for_itself(clip):
    code = (
        f"import os, sys; sys.path[:0] = {sys.path!r}\n"
        "from small_videos import number_in\nfrom annotator.vision.photos import read_photo\n"
        f"place = {str(clip)!r} + '#frame='\nread_photo(place + '3')\nchild = os.fork()\n"
        "ok = all(number_in(read_photo(f'{place}{n}')) == n for n in (17, 4, 9, 5, 12, 0) * 5)\n"
        "if not child: os._exit(not ok)\n"
        "sys.exit(not ok or os.waitpid(child, 0)[1])"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_a_frame_has_a_place_like_a_photo(clip, tmp_path):
    place = FramePlace(clip, 12).as_path()
    assert str(place) == f"{clip}#frame=12" and frame_place(place) == FramePlace(clip, 12)
    assert number_in(read_photo(place)) == 12 and photo_there(place) and not photo_there(tmp_path / "no.mp4#frame=1")
    seen = frame_of(place)
    assert (seen.number, seen.seconds, seen.video) == (12, pytest.approx(1.2), open_video(clip).sha256)
    assert stem_of(place) == "a hand-000012" and in_words(place, 1.2) == "a hand.mp4 frame 12 (1.200 s)"
    assert frame_of(tmp_path / "x.jpg") is None and frame_place("x.jpg") is None and frame_place("a#frame=x") is None
    assert frame_place("a.mp4#frame=3&rate=0") is None
    assert video_of(place) == str(clip) and video_of("walk/%06d.png#frame=12&rate=60") == "walk/%06d.png"
    assert video_of("x.jpg") is None and video_of("a.mp4#frame=3&rate=0") is None
    odd = tmp_path / "odd.png#frame=3"  # a file of just that name is itself
    from PIL import Image

    Image.new("RGB", (30, 20), (9, 9, 9)).save(odd, format="PNG")
    assert read_photo(odd).shape == (20, 30, 3)


def test_frames_are_written_when_asked_and_once(clip, tmp_path):
    folder = tmp_path / "frames"
    first = list(save_frames(clip, folder))
    assert [path.name[-11:] for path in first] == [f"-{n:06d}.jpg"[-11:] for n in (0, 5, 10, 15)]
    before = [path.stat().st_mtime_ns for path in first]
    assert list(save_frames(clip, folder)) == first and [p.stat().st_mtime_ns for p in first] == before
    other = list(save_frames(video(tmp_path / "x" / "a hand.mp4", pictures(20, start=8)), folder))
    assert not set(other) & set(first)
    assert [number_in(read_photo(path)) for path in first + other] == [0, 5, 10, 15, 8, 13, 18, 23]
