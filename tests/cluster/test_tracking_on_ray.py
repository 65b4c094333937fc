"""Videos tracked on Ray come out as they do here, and a worker that dies is made good."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from small_videos import video

from annotator.cli import main
from annotator.cluster.engine import Engine
from annotator.cluster.stretches import track_long
from annotator.cluster.tracking import track_videos
from annotator.model import load_model
from annotator.project import Project
from annotator.tracking import pieces, stretches
from annotator.vision.video import Choice, open_video

pytestmark = pytest.mark.usefixtures("ray_cluster", "own_cache")


@pytest.fixture(scope="module")
def clips(tmp_path_factory, photo_file):
    """Two videos of a hand that moves, twelve frames each."""
    pytest.importorskip("av")
    photo = np.asarray(Image.open(photo_file).convert("RGB").resize((310, 540)))
    folder = tmp_path_factory.mktemp("clips")
    return [
        video(folder / f"{name}.mp4", [np.roll(photo, step * n, 1) for n in range(12)], rate=25)
        for name, step in (("slow", 1), ("quick", 3))
    ]


def tracked(folder):
    """What a project knows of its videos' tracks, whatever their numbers."""
    with Project.open(folder) as project:
        assert project.verify() == []
        found = []
        for one in project.tracks():
            entries = project.track(one.track)
            meshes = [project.mesh(entry.id).keypoints for entry in entries]
            found.append((one.sha256, [entry.frame for entry in entries], [entry.kind for entry in entries], meshes))
    return sorted(found, key=lambda one: one[:3])


def test_tracks_are_the_local_ones(clips, tmp_path, capsys):
    for engine in ("local", "ray"):
        assert main(["track", *map(str, clips), "--project", str(tmp_path / engine), "--engine", engine]) == 0
        assert "12 frames" in capsys.readouterr().out
    here, there = tracked(tmp_path / "local"), tracked(tmp_path / "ray")
    assert [one[:3] for one in here] == [one[:3] for one in there] and len({one[0] for one in here}) == 2
    for (*_, a), (*_, b) in zip(here, there, strict=True):
        assert np.abs(np.array(a) - np.array(b)).max() < 0.01
    assert main(["track", *map(str, clips), "--project", str(tmp_path / "ray"), "--engine", "ray"]) == 0
    assert "12 were done already" in capsys.readouterr().out


def test_a_worker_that_dies_is_begun_anew_behind_what_is_stored(clips, tmp_path, model, monkeypatch):
    monkeypatch.setattr(pieces, "LAG", 0.04)
    videos, killed = [(open_video(clip), 25.0) for clip in clips], []
    with Project.create(tmp_path / "P", "Ada") as project:
        for step in track_videos(project, Engine(), videos, Choice.of("0", None), "test", model.digest, count=4):
            if not killed and step.stored is None:
                killed.append(step.worker)
                os.kill(step.worker, signal.SIGKILL)
    assert killed and {tuple(frames) for _, frames, *_ in tracked(tmp_path / "P")} == {tuple(range(12))}


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory, photo_file):
    """A hand that wanders to and fro, ten frames a second; nothing is in the picture for a moment."""
    photo = np.asarray(Image.open(photo_file).convert("RGB").resize((310, 540)))
    shifts = 30 * np.sin(np.arange(36) / 6)
    frames = [np.roll(photo, int(shift), 1) for shift in shifts]
    frames[17] = frames[18] = np.full_like(photo, 90)
    return video(tmp_path_factory.mktemp("long") / "long.mp4", frames, rate=10)


def test_a_long_video_in_stretches_is_the_local_one(long_clip, tmp_path, monkeypatch):
    """Each seam lies in the overlap of two stretches, one of them where the hand is not to be seen. A worker that is
    killed on the way changes nothing."""
    monkeypatch.setattr(stretches, "OVERLAP", 0.8)
    given = ["track", str(long_clip), "--project"]
    assert main([*given, str(tmp_path / "local")]) == 0
    killed = []
    model = load_model(device="cpu")
    with Project.create(tmp_path / "ray", "Ada") as project:
        went = track_long(
            project, Engine(), (open_video(long_clip), 25.0), Choice.of("0", None), "test", model, seconds=0.85, count=8
        )
        for step in went:
            if not killed and step.worker and step.stored is None:
                killed.append(step.worker)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(step.worker, signal.SIGKILL)
    ((_, frames, kinds, here),), ((_, *others, there),) = tracked(tmp_path / "local"), tracked(tmp_path / "ray")
    assert killed and others == [frames, kinds] and frames == list(range(36)) and kinds[17] == "bridged"
    apart = np.linalg.norm(np.array(here) - np.array(there), axis=-1)
    assert np.median(apart) < 0.2 and apart.max() < 3.0  # px, of a hand of 300


def test_a_broken_video_says_so(clips, tmp_path, capsys):
    (tmp_path / "text.mp4").write_text("no video")
    given = [str(clips[0]), str(tmp_path / "text.mp4"), "--project", str(tmp_path / "P"), "--engine", "ray"]
    assert main(["track", *given]) == 2
    assert "text.mp4" in capsys.readouterr().err and not (tmp_path / "P").exists()


def test_killed_inside_a_video_and_run_again(clips, tmp_path):
    """SIGKILL while pieces are stored: what is there is whole, and the next run adds the rest to the same tracks."""
    code = (
        "import sys; from annotator.tracking import pieces; pieces.PIECE, pieces.LAG = 2, 0.04; "
        "from annotator.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    given = [sys.executable, "-c", code, "track", str(clips[0]), "--project", str(tmp_path / "P")]
    running = subprocess.Popen(given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 300
        while time.monotonic() < until and running.poll() is None and not stored(tmp_path / "P"):
            time.sleep(0.01)
    finally:
        running.kill()
        running.wait()
    before = stored(tmp_path / "P")
    assert before
    with Project.open(tmp_path / "P") as project:
        assert project.verify() == []
    assert subprocess.run(given, check=False, stdout=subprocess.DEVNULL).returncode == 0
    with Project.open(tmp_path / "P") as project:
        (track,) = project.tracks()
        assert [one.frame for one in project.track(track.track)] == list(range(12)) and project.verify() == []
        assert stored(tmp_path / "P")[: len(before)] == before


def stored(folder) -> list[str]:
    """The ids of hands on tracks, by frame."""
    if not (folder / "project.db").is_file():
        return []
    try:
        with Project.open(folder) as project:
            return [one.id for track in project.tracks() for one in project.track(track.track)]
    except Exception:  # noqa: BLE001  it is being made just now
        return []
