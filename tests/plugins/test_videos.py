"""Videos in the window's background work: frames are looked at where they are, none is written out."""

from __future__ import annotations

import numpy as np
import pytest
from napari_hand_mesh.jobs import tasks
from napari_hand_mesh.session.session import Session
from napari_hand_mesh.session.sources import photos_of, project_beside
from PIL import Image
from small_videos import pictures, video

from annotator.project import Project
from annotator.vision.photos import read_photo

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def signing(tmp_path, photo_file):
    photo = np.asarray(Image.fromarray(read_photo(photo_file)).resize((310, 540)))
    return video(tmp_path / "signing.mp4", [np.roll(photo, 2 * n, 1) for n in range(10)])


def test_hands_of_a_video_are_found_and_gone_to(signing, model):
    folder = project_beside(signing)
    assert folder.name == "signing-hand-mesh-project"
    steps = list(tasks.propose(folder, photos_of(signing, folder), model, every=0.5))
    assert steps == [(1, 2, 1, ""), (2, 2, 1, "")]
    assert not list(folder.rglob("*.jpg"))
    session = Session.open(folder)
    try:
        session.go("signing-000005-1")
        assert session.hand.photo.name == "signing.mp4 frame 5 (0.500 s)"
        assert np.array_equal(session.photo, read_photo(f"{signing}#frame=5"))
        assert session.queue[0].photo_name.startswith("signing.mp4 frame ")
    finally:
        session.close()


def test_videos_of_one_name_keep_their_own_frames(tmp_path, model):
    """One project for both: beside the first."""
    first, second = (video(tmp_path / name, [np.full((64, 96, 3), grey, np.uint8)] * 5) for name, grey in
                     (("clip.mp4", 30), ("clip.mov", 220)))  # fmt: skip
    folder = project_beside(first)
    assert folder == project_beside(second)
    list(tasks.propose(folder, [first, second], model))
    video(first, [np.full((64, 96, 3), 120, np.uint8)] * 5)
    list(tasks.propose(folder, [first], model))
    with Project.open(folder) as project:
        photos = project.photos()
    assert len({photo.sha256 for photo in photos}) == 3
    assert [round(read_photo(photo.path).mean(), -1) for photo in photos] == [120, 220, 120]  # the first is another now


def test_a_broken_video_stops_nothing(tmp_path, model):
    (tmp_path / "text.mp4").write_text("no video")
    good = video(tmp_path / "good.mp4", pictures(3))
    steps = list(tasks.propose(tmp_path / "project", [tmp_path / "text.mp4", good], model))
    assert [bool(wrong) for *_, wrong in steps] == [True, False] and "text.mp4 cannot be read" in steps[0][-1]
