"""`annotator propose` on videos: which frames, where they are kept, what is wrong with them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from small_videos import damage, pictures, turn, video

from annotator.project import Project
from annotator.project.photo_files.pixels import pixels_of
from annotator.vision.photos import read_photo

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def signing(tmp_path, photo_file):
    """A second of a real hand at ten frames a second; it moves to the right."""
    photo = Image.fromarray(read_photo(photo_file)).resize((310, 540))
    return video(tmp_path / "signing.mp4", [np.roll(np.asarray(photo), 2 * n, 1) for n in range(10)])


def proposed(run, folder, *arguments):
    code, out, err = run("propose", *arguments, "--project", folder, "--json")
    assert code == 0, err
    return json.loads(out), err


def test_hands_are_found_in_frames_and_nothing_is_written_beside(run, loaded, signing, tmp_path):
    folder = tmp_path / "project"
    result, _ = proposed(run, folder, signing)
    assert (result["photos"], result["hands"], result["failed"]) == (2, 2, [])
    with Project.open(folder) as project:
        assert [entry.id for entry in project.hands()] == ["signing-000000-1", "signing-000005-1"]
        hand = project.hand("signing-000005-1")
        (alone,) = loaded.propose(pixels_of(hand.photo))
        assert np.abs(project.mesh(hand.id).vertices - alone.vertices).max() < 1e-4
    assert sorted(path.name for path in tmp_path.rglob("*.jpg")) == []
    code, out, _ = run("status", folder, "--json")
    first, second = json.loads(out)["hands"]
    assert (second["video"], second["frame"], second["seconds"]) == (str(signing), 5, 0.5)
    assert second["photo"] == f"{signing}#frame=5"
    assert "signing.mp4 frame 5 (0.500 s)" in run("status", folder)[1]
    # more frames: those that are done already are not looked at again
    result, _ = proposed(run, folder, signing, "--every", "200ms")
    assert (result["photos"], result["skipped"]) == (4, 1)


@pytest.mark.parametrize(
    "options, frames",
    [
        (("--frames", "2:5"), [2, 3, 4]),
        (("--fps", "5", "--frames", "4:"), [4, 6, 8]),
        (("--every", "0.3s"), [0, 3, 6, 9]),
    ],
)
def test_frames_are_chosen(run, loaded, signing, tmp_path, options, frames):
    result, _ = proposed(run, tmp_path / "project", signing, *options)
    with Project.open(tmp_path / "project") as project:
        assert [photo.frame for photo in project.photos()] == frames and result["photos"] == len(frames)


def test_a_correction_is_made_on_the_frame(run, loaded, signing, tmp_path):
    folder = tmp_path / "project"
    proposed(run, folder, signing, "--frames", "7")
    with Project.open(folder) as project:
        x, y = project.hand("signing-000007-1").keypoints[8] + (3, 2)
    code, out, err = run("correct", folder, "signing-000007-1", "index_tip", f"{x:.1f}", f"{y:.1f}", "--json")
    assert code == 0, err
    assert json.loads(out)["after_px"] < json.loads(out)["before_px"]
    video(signing, pictures(10))
    code, _, err = run("correct", folder, "signing-000007-1", "index_tip", "10", "10")
    assert code == 2 and "is not the one any more" in err


def test_damaged_frames_and_broken_videos_are_named_and_the_rest_is_done(run, loaded, signing, tmp_path):
    damage(signing, 0)
    (tmp_path / "text.mov").write_text("no video")
    other = video(tmp_path / "grey.mkv", pictures(6))
    result, err = proposed(run, tmp_path / "project", signing, other, tmp_path / "text.mov", "--frames", "0,5")
    assert result["photos"] + len(result["failed"]) == 5 and result["photos"] >= 2
    lines = [line for line in err.splitlines() if "skipped" in line]
    assert any(f"{signing}: frame 0 (0.000 s) is damaged" in line for line in lines)
    assert any(f"{tmp_path / 'text.mov'} cannot be read" in line for line in lines)
    assert f"{signing}#frame=0" in [one["photo"] for one in result["failed"]]


def test_a_video_without_such_frames_says_so(run, loaded, signing, tmp_path):
    code, _, err = run("propose", signing, "--project", tmp_path / "project", "--frames", "100:400")
    assert code == 2 and f"{signing} is a video of frames 0 to 9" in err


def test_options_that_make_no_sense_leave_no_project(run, signing, tmp_path):
    for wrong in (("--every", "soon"), ("--frames", "x"), ("--fps", "0"), ("--every", "1", "--fps", "2")):
        code, _, err = run("propose", signing, "--project", tmp_path / "project", *wrong)
        assert code == 2 and len(err.strip().splitlines()) == 1, err
    assert not (tmp_path / "project").exists()


def test_folders_hold_videos_and_sequences_have_a_rate(run, loaded, signing, tmp_path):
    photo = read_photo(f"{signing}#frame=0")
    (tmp_path / "walk").mkdir()
    for number in range(3):
        Image.fromarray(photo).rotate(number).save(tmp_path / "walk" / f"{number:06d}.png")
    upright = turn(video(tmp_path / "films" / "in" / "phone.mp4", [photo] * 2), (0, 1, -1, 0))
    result, _ = proposed(
        run, tmp_path / "p", tmp_path / "walk" / "%06d.png", tmp_path / "films", "--every", 0, "--rate", 50
    )
    assert result["photos"] == 5
    with Project.open(tmp_path / "p") as project:
        photos = project.photos()
    assert [photo.seconds for photo in photos[:3]] == [0, pytest.approx(0.02), pytest.approx(0.04)]
    assert photos[3].path.name == f"{upright.name}#frame=0" and (photos[3].height, photos[3].width) == (310, 540)
