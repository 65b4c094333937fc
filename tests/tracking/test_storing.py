"""Tracks in a project: stored, listed, gone on with, and never over a person's work."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_videos import video  # noqa: E402

from annotator.cli import main  # noqa: E402
from annotator.project import Project  # noqa: E402
from annotator.tracking import pieces, storing  # noqa: E402
from annotator.vision.video import Choice, open_video  # noqa: E402


@pytest.fixture(scope="module")
def clip(moving, tmp_path_factory) -> Path:
    """The moving hand as a video of ten frames, hidden in frames 5 and 6."""
    pictures = [np.full_like(p, 128) if k in (5, 6) else p for k, p in enumerate(moving)]
    even = [p[: p.shape[0] // 2 * 2, : p.shape[1] // 2 * 2] for p in pictures]
    return video(tmp_path_factory.mktemp("clips") / "clip.mp4", even, rate=25, options={"crf": "12"})


@pytest.fixture(autouse=True)
def cache(own_cache):
    """Nothing of these videos stays in the user's cache."""


def store(folder, model, clip, frames=None):
    with Project.open_or_create(folder, "Ada") as project:
        return storing.store_tracks(project, model, open_video(clip), Choice.of("0", frames), "test")


def test_a_track_is_stored_and_listed(model, clip, tmp_path):
    done = store(tmp_path / "P", model, clip)
    assert (done.frames, done.hands, done.bridged, done.tracks) == (10, 10, 2, {1})
    with Project.open(tmp_path / "P") as project:
        (summary,) = project.tracks()
        assert (summary.hands, summary.seen, summary.side, summary.first[0], summary.last[0]) == (10, 8, "right", 0, 9)
        entries = project.track(1)
        assert [one.frame for one in entries] == list(range(10))
        assert [one.kind for one in entries] == ["seen"] * 5 + ["bridged"] * 2 + ["seen"] * 3
        assert entries[5].reasons == ("not seen",) and entries[5].confidence < min(
            entries[k].confidence for k in (3, 9)
        )
        line = next(one for one in project.hands() if one.id == entries[5].id)
        assert line.track == 1 and line.reasons == ("not seen",)
        assert project.track_of(entries[0].id) == 1 and project.verify() == []
        shapes = {tuple(project.hand(one.id).parameters.shape) for one in entries}
        assert len(shapes) == 1


def test_it_goes_on_where_it_stopped(model, clip, tmp_path):
    store(tmp_path / "P", model, clip, "0:4")
    done = store(tmp_path / "P", model, clip)
    assert (done.skipped, done.frames, done.tracks, done.searched) == (4, 6, {1}, done.searched)
    again = store(tmp_path / "P", model, clip)
    assert (again.skipped, again.frames, again.hands) == (10, 0, 0)
    with Project.open(tmp_path / "P") as project:
        assert len(project.hands()) == 10 and [one.frame for one in project.track(1)] == list(range(10))


def test_killed_between_two_pieces(model, clip, tmp_path, monkeypatch):
    """What was stored before is there, whole; the next run adds the rest."""
    monkeypatch.setattr(pieces, "PIECE", 4)
    monkeypatch.setattr(pieces, "LAG", 0.04)
    write, count = storing.Writer.write, []

    def dies(*arguments):
        count.append(1)
        if len(count) == 2:
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(storing.Writer, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path / "P", model, clip)
    with Project.open(tmp_path / "P") as project:
        assert [one.frame for one in project.track(1)] == [0, 1] and project.verify() == []
    monkeypatch.setattr(storing.Writer, "write", write)
    assert store(tmp_path / "P", model, clip).skipped == 2
    with Project.open(tmp_path / "P") as project:
        assert [one.frame for one in project.track(1)] == list(range(10)) and len(project.tracks()) == 1


def test_what_a_person_did_stays(model, clip, tmp_path):
    """Frames proposed before and touched since join the track as they are; untouched ones become what it says."""
    from annotator.cli.support.proposing import propose_photos

    place = open_video(clip).place
    with Project.create(tmp_path / "P", "Ada") as project:
        propose_photos(project, model, [place(k).as_path() for k in (1, 2)], "test")
        first, second = (entry.id for entry in project.hands())
        fixed = project.mesh(first)
        x, y = fixed.keypoints[8] + 5
        project.edit(first, fixed.replace(corrections={8: (x, y)}))
        before = project.hand(first)
    store(tmp_path / "P", model, clip)
    with Project.open(tmp_path / "P") as project:
        entries = project.track(1)
        assert [entries[1].id, entries[2].id] == [first, second] and len(project.hands()) == 10
        after = project.hand(first)
        assert after.version == before.version and after.corrections == {8: (x, y)}
        assert project.hand(second).version == 2 and project.hand(second).state == "proposed"
        assert project.verify() == []


def test_the_command(clip, tmp_path, capsys):
    assert main(["track", str(clip), "--project", str(tmp_path / "P"), "--frames", "0:3", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["videos"]
    assert (one["frames"], one["hands"], one["tracks"]) == (3, 3, [1])
    assert main(["track", str(tmp_path / "P")]) == 0
    assert "track 1: right hand, clip.mp4 frames 0 to 2, 3 of 3 seen" in capsys.readouterr().out
    assert main(["status", str(tmp_path / "P"), "--json"]) == 0
    hands = json.loads(capsys.readouterr().out)["hands"]
    assert [hand["track"] for hand in hands] == [1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["CLIP"], "--project"),
        (["CLIP", "CLIP"], "--project"),
        (["none.mp4", "--project", "P"], "none.mp4"),
        (["CLIP", "--project", "P", "--frames", "90:99"], "no frame"),
        (["CLIP", "--project", "P", "--next", "2"], "alone"),
    ],
)
def test_wrong_use_says_what_is_wrong(clip, tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(["track", *(str(clip) if a == "CLIP" else a for a in arguments)]) == 2
    error = capsys.readouterr().err
    assert said in error and len(error.strip().splitlines()) == 1


def test_two_people_who_track_at_once_have_tracks_of_their_own(tmp_path):
    with Project.create(tmp_path / "P", "Ada") as one, Project.open(tmp_path / "P", "Ben") as other:
        assert [one.new_tracks(2), other.new_tracks(1), one.new_tracks(0), one.new_tracks(1)] == [[1, 2], [3], [], [4]]
        assert one.verify() == [] and one.tracks() == []


def test_a_repaired_project_keeps_its_tracks(model, clip, tmp_path):
    store(tmp_path / "P", model, clip, "0:3")
    assert main(["repair", str(tmp_path / "P"), "--out", str(tmp_path / "new")]) == 0
    with Project.open(tmp_path / "P") as old, Project.open(tmp_path / "new") as new:
        assert new.track(1) == old.track(1) and new.verify() == []


def test_pieces_have_one_shape(model, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces, "PIECE", 4)
    monkeypatch.setattr(pieces, "LAG", 0.04)
    store(tmp_path / "P", model, clip)
    with Project.open(tmp_path / "P") as project:
        entries = project.track(1)
        assert [one.frame for one in entries] == list(range(10))
        assert len({tuple(project.hand(one.id).parameters.shape) for one in entries}) == 1
