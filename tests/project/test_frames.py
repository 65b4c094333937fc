"""Photos of a project that are frames of a video: stored by place and content, found again, copied, verified."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_videos import number_in, pictures, video

from annotator.errors import InputError
from annotator.files.frame_places import FramePlace
from annotator.project import Project
from annotator.project.photo_files.pixels import pixels_of
from annotator.project.storage.schema import VERSION
from annotator.vision.photos import photo_hash
from annotator.vision.video import open_video

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def clip(tmp_path):
    return video(tmp_path / "films" / "clip.mp4", pictures(20))


def place(path, number):
    return FramePlace(Path(path), number).as_path()


def with_hands(project, path, numbers, make_hand, source):
    """The ids of hands on these frames, one each."""
    photos = project.add_photos([place(path, number) for number in numbers])
    return [project.add_proposal(photo, make_hand(photo, size=(64, 96)), source) for photo in photos]


def test_a_frame_is_stored_with_video_number_and_time(project, clip, make_hand, source):
    first, second = with_hands(project, clip, (3, 12), make_hand, source)
    assert (first, second) == ("clip-000003-1", "clip-000012-1")
    photo = project.hand(second).photo
    assert (photo.path, photo.frame, photo.seconds) == (place(clip, 12), 12, pytest.approx(1.2))
    assert photo.video == open_video(clip).sha256 and photo.sha256 == photo_hash(place(clip, 12))
    assert (photo.height, photo.width, photo.name) == (64, 96, "clip.mp4 frame 12 (1.200 s)")
    assert number_in(pixels_of(photo)) == 12
    entry = project.hands()[1]
    assert (entry.frame, entry.seconds, entry.photo_name) == (12, pytest.approx(1.2), photo.name)
    assert json.loads(json.dumps(entry.as_dict()))["video"] == str(clip)
    assert project.add_photo(place(clip, 3)) == project.hand(first).photo.id  # the same frame is the same photo
    assert project.verify(photos=True) == []


def test_an_image_file_has_no_frame(project, photo_file, hand_id):
    photo, entry = project.hand(hand_id).photo, project.hands()[0]
    assert (photo.video, photo.frame, photo.seconds, photo.name) == (None, None, None, photo_file.name)
    assert entry.as_dict()["video"] is None and entry.photo_name == photo_file.name


def test_two_videos_of_one_name_are_two(project, clip, tmp_path, make_hand, source):
    other = video(tmp_path / "more" / "clip.mp4", pictures(20, start=5))
    ids = with_hands(project, clip, (3,), make_hand, source) + with_hands(project, other, (3,), make_hand, source)
    assert len(set(ids)) == 2 and ids[1].startswith("clip-000003-p")
    assert [number_in(pixels_of(project.hand(one).photo)) for one in ids] == [3, 8]
    assert len({photo.video for photo in project.photos()}) == 2


def test_a_replaced_video_is_another_one(project, clip, make_hand, source):
    (hand,) = with_hands(project, clip, (3,), make_hand, source)
    video(clip, pictures(20, start=5))
    with pytest.raises(InputError, match="clip.mp4#frame=3 is not the one any more"):
        pixels_of(project.hand(hand).photo)
    assert project.verify(photos=True) == [f"photo {place(clip, 3)} is not the one that was added"]
    clip.unlink()
    assert "is not there" in project.verify(photos=True)[0]


def test_a_video_that_moved_is_found_with_all_its_frames(project, clip, tmp_path, make_hand, source):
    hands = with_hands(project, clip, (3, 12), make_hand, source)
    new = tmp_path / "far" / "away" / "renamed.mp4"
    new.parent.mkdir(parents=True)
    video(tmp_path / "far" / "other.mp4", pictures(20, start=2))
    clip.replace(new)
    found = project.find_photos(tmp_path / "far")
    assert found == {str(place(clip, n)): place(new, n) for n in (3, 12)}
    assert [number_in(pixels_of(project.hand(one).photo)) for one in hands] == [3, 12]
    assert project.verify(photos=True) == []


def test_a_project_and_its_video_move_together(sqlite_project, clip, tmp_path, make_hand, source):
    (hand,) = with_hands(sqlite_project, clip, (3,), make_hand, source)
    sqlite_project.close()
    (tmp_path / "new").mkdir()
    for name in ("project", "films"):
        shutil.move(tmp_path / name, tmp_path / "new" / name)
    with Project.open(tmp_path / "new" / "project") as moved:
        photo = moved.hand(hand).photo
        assert photo.path == place(tmp_path / "new" / "films" / "clip.mp4", 3) and number_in(pixels_of(photo)) == 3


def test_a_video_is_copied_in_once(project, clip, make_hand, source):
    hands = with_hands(project, clip, (3, 12), make_hand, source)
    assert len(project.copy_photos()) == 2 and project.copy_photos() == []
    files = [path for path in (project.folder / "photos").rglob("*") if path.is_file()]
    assert [file.name for file in files] == [f"{open_video(clip).sha256}.mp4"]
    clip.unlink()
    assert [number_in(pixels_of(project.hand(one).photo)) for one in hands] == [3, 12]
    assert project.verify(photos=True) == []


def test_a_frame_with_a_file_of_its_own_is_that_file(project, tmp_path):
    from PIL import Image

    (tmp_path / "walk").mkdir()
    for number, picture in enumerate(pictures(4)):
        Image.fromarray(picture).save(tmp_path / "walk" / f"{number:04d}.png")
    pattern = tmp_path / "walk" / "%04d.png"
    photo = project.add_photo(place(pattern, 2))
    assert project.add_photo(tmp_path / "walk" / "0002.png") == photo
    assert project.photo(photo).seconds == pytest.approx(2 / 25)
    (copy,) = project.copy_photos()
    assert copy.suffix == ".png" and number_in(pixels_of(project.photo(photo))) == 2
    copy.rename(tmp_path / "kept.png")
    shutil.rmtree(tmp_path / "walk")
    assert project.find_photos(tmp_path) == {str(copy): tmp_path / "kept.png"}
    assert project.verify(photos=True) == [] and project.photo(photo).frame == 2


def test_no_frame_of_that_number_is_no_photo(project, clip):
    for bad in (place(clip, 20), clip, place(clip.with_name("none.mp4"), 1)):
        with pytest.raises(InputError):
            project.add_photo(bad)
    assert project.photos() == []


def test_exports_take_the_frame_from_the_video(project, clip, tmp_path, make_hand, source):
    from annotator.formats.core.photo_files import portable
    from annotator.formats.transfer.from_project import labelled_hands
    from annotator.vision.images.image_files import decode_photo

    (hand,) = with_hands(project, clip, (12,), make_hand, source)
    project.set_state(hand, "accepted")
    (record,) = labelled_hands(project)
    said = {name: record.provenance[name] for name in ("photo", "frame", "video_sha256", "time")}
    assert said == {"photo": "clip.mp4#frame=12", "frame": 12, "video_sha256": open_video(clip).sha256, "time": 1.2}
    suffix, data, size = portable(record.photo)
    assert suffix == ".jpg" and size == (64, 96) and number_in(decode_photo(data, "exported")) == 12
    video(clip, pictures(20, start=1))
    with pytest.raises(InputError, match=f"hand {hand}: .*is not the one any more"):
        list(labelled_hands(project))


def test_a_project_of_the_version_before_has_its_photos_yet(project, photo_file, hand_id, raw):
    raw("drop index photos_by_frame")
    for column in ("video", "frame", "seconds"):
        raw(f"alter table photos drop column {column}")
    raw("update meta set value = '2' where key = 'schema'")
    with Project.open(project.folder) as migrated:
        assert migrated.hand(hand_id).photo.path == photo_file and migrated.photos()[0].frame is None
        assert migrated.verify(photos=True) == []
        assert raw("select value from meta where key = 'schema'") == [(str(VERSION),)]


def test_rounds_read_frames_like_photos(clip):
    from annotator.rounds.reading import PhotoReader

    reader = PhotoReader()
    assert [number_in(reader.read(str(place(clip, n)))) for n in (9, 2)] == [9, 2]
    assert reader.read(str(place(clip, 99))) is None


def test_learning_reads_frames_by_their_absolute_place(clip, tmp_path):
    """A round's table of photos names frames: they are read as its photos are."""
    from annotator.vision.photos import read_photo

    assert np.array_equal(read_photo(tmp_path / "elsewhere" / str(place(clip, 4))), open_video(clip).read(4))
