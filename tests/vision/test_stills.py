"""Videos that are still pictures: numbered image files and TIFF files of many pages."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from small_videos import number_in, pictures

from annotator.errors import InputError
from annotator.files.frame_places import file_of, is_pattern, stem_of
from annotator.vision.photos import frame_of, photo_bytes, photo_hash, photo_there, read_photo
from annotator.vision.video import is_video, open_video
from annotator.vision.video.choosing import Choice
from annotator.vision.video.expanding import expanded


@pytest.fixture
def walk(tmp_path):
    """The pattern of ten numbered files, 5 to 14, in a folder with others."""
    folder = tmp_path / "walk"
    folder.mkdir()
    for number, picture in enumerate(pictures(10, start=5), 5):
        Image.fromarray(picture).save(folder / f"{number:06d}.png")
    (folder / "000003.jpg").write_bytes(b"another kind")
    (folder / "12.png").write_bytes(b"not six digits")
    return folder / "%06d.png"


def stack(path, count, other=()):
    first, *rest = [Image.fromarray(picture) for picture in pictures(count)]
    first.save(path, save_all=True, append_images=[*rest, *other])
    return path


def test_numbered_files_are_a_video(walk):
    opened = open_video(walk)
    assert opened.numbers.tolist() == list(range(5, 15)) and is_video(walk) and is_pattern(walk)
    assert np.allclose(opened.seconds, np.arange(10) / 25)
    assert [number_in(opened.read(number)) for number in (7, 14, 5)] == [7, 14, 5]
    place = f"{walk}#frame=7"
    assert file_of(place) == walk.parent / "000007.png" and stem_of(place) == "000007"
    assert photo_hash(place) == photo_hash(walk.parent / "000007.png")  # the same photo as the file by itself
    assert photo_bytes(place) == (walk.parent / "000007.png").stat().st_size
    assert not photo_there(f"{walk}#frame=3")
    with pytest.raises(InputError, match="has no frame 4"):
        read_photo(f"{walk}#frame=4")
    with pytest.raises(InputError, match="no files of this name and number"):
        open_video(walk.with_name("none-%d.png"))


def test_a_sequence_has_the_rate_that_it_is_given(walk):
    places = list(expanded([walk], Choice.of(frames="5:15:5"), rate=50))
    assert [str(place) for place in places] == [f"{walk}#frame={n}&rate=50" for n in (5, 10)]
    assert [frame_of(place).seconds for place in places] == [0, pytest.approx(0.1)]
    assert number_in(read_photo(places[1])) == 10
    assert [frame_of(place).number for place in expanded([walk], Choice(0.08))] == [5, 7, 9, 11, 13]


def test_a_new_file_of_a_sequence_is_seen(walk):
    assert len(open_video(walk)) == 10
    Image.fromarray(pictures(1, start=15)[0]).save(walk.parent / "000015.png")
    assert len(open_video(walk)) == 11


def test_the_pages_of_a_tiff_file_are_a_video(tmp_path):
    path = stack(tmp_path / "stack.tif", 6)
    opened = open_video(path)
    assert is_video(path) and len(opened) == 6
    assert [number_in(opened.read(number)) for number in (4, 0, 5, 1)] == [4, 0, 5, 1]
    hashes = {photo_hash(f"{path}#frame={number}") for number in range(6)}
    (tmp_path / "other").mkdir()
    other = stack(tmp_path / "other" / "stack.tif", 5)
    assert len(hashes) == 6 and photo_hash(f"{other}#frame=0") not in hashes
    with pytest.raises(InputError, match="has no frame 6"):
        read_photo(f"{path}#frame=6")


def test_deep_pages_are_scaled_like_photos(tmp_path):
    pages = [Image.fromarray(np.full((40, 50), 257 * grey, np.uint16)) for grey in (10, 200)]
    pages[0].save(tmp_path / "deep.tiff", save_all=True, append_images=pages[1:])
    assert [int(read_photo(f"{tmp_path / 'deep.tiff'}#frame={n}").mean()) for n in (0, 1)] == [10, 200]


def test_a_tiff_photo_with_a_thumbnail_is_a_photo(tmp_path):
    one = stack(tmp_path / "one.tif", 1)
    small = stack(tmp_path / "small.tif", 1, [Image.new("RGB", (24, 16))])
    assert not is_video(one) and not is_video(small)
    assert list(expanded([one, small])) == [one, small] and number_in(read_photo(small)) == 0
