"""Photos of one moment are found by name, by a table, and by time."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotator.errors import InputError
from annotator.vision.rigs.moments import by_pattern, by_table, by_time, incomplete

CAMERAS = ["cam0", "cam1", "cam10"]


def test_by_pattern():
    photos = [Path(f"/data/{name}") for name in ("w-001-cam0.jpg", "w-001-cam1.jpg", "w-002-cam10.jpg", "note.jpg")]
    found, others = by_pattern(photos, CAMERAS, "{instant}-{camera}.jpg")
    assert found == {"w-001": {"cam0": photos[0], "cam1": photos[1]}, "w-002": {"cam10": photos[2]}}
    assert others == [photos[3]]
    folders = [Path("/data/cam0/0001.png"), Path("/data/cam1/0001.png"), Path("/data/cam1/0002.png")]
    found, _ = by_pattern(folders, CAMERAS, "{camera}/{instant}.png")
    assert incomplete(found, CAMERAS[:2]) == [("0002", ["cam0"])]
    assert by_pattern(folders, CAMERAS, "{camera}/*{instant}.png")[0].keys() <= {"0001", "001", "01", "1", "2", "0002"}


@pytest.mark.parametrize("pattern", ["{camera}.jpg", "{instant}.jpg", "photo.jpg", "{camera}{camera}{instant}"])
def test_a_pattern_needs_both(pattern):
    with pytest.raises(InputError, match="once each"):
        by_pattern([], CAMERAS, pattern)


def test_two_photos_in_one_place():
    photos = [Path("/a/1-cam0.jpg"), Path("/b/1-cam0.jpg")]
    with pytest.raises(InputError, match="two photos of camera 'cam0'"):
        by_pattern(photos, CAMERAS, "{instant}-{camera}.jpg")


def test_by_table(tmp_path):
    photos = [Path("/a/x.jpg"), Path("/a/y.jpg"), Path("/b/x.jpg")]
    table = tmp_path / "instants.csv"
    table.write_text("instant,camera,photo\nfirst,cam0,a/x.jpg\nfirst,cam1,y.jpg\n")
    found, others = by_table(table, photos, CAMERAS)
    assert found == {"first": {"cam0": photos[0], "cam1": photos[1]}} and others == [photos[2]]
    for row, said in (("first,cam0,x.jpg", "could be"), ("first,cam7,y.jpg", "no camera 'cam7'"),
                      ("first,cam0,z.jpg", "is not among"), ("first,,y.jpg", "it needs")):  # fmt: skip
        table.write_text(f"instant,camera,photo\n{row}\n")
        with pytest.raises(InputError, match=f"line 2.*{said}"):
            by_table(table, photos, CAMERAS)
    with pytest.raises(InputError, match="cannot read"):
        by_table(tmp_path / "none.csv", photos, CAMERAS)


def test_by_time():
    times = {"cam0-a": 1.0, "cam0-b": 2.0, "cam0-c": 3.0, "cam1-a": 1.012, "cam1-b": 2.1, "cam1-c": 2.992, "other": 1.0}
    photos = [Path(f"/p/{name}.jpg") for name in times]
    found, others = by_time(photos, CAMERAS, lambda path: times[path.stem], 0.02)
    names = [{camera: path.stem for camera, path in one.items()} for one in found.values()]
    assert names == [{"cam0": "cam0-a", "cam1": "cam1-a"}, {"cam0": "cam0-c", "cam1": "cam1-c"}]
    assert {path.stem for path in others} == {"cam0-b", "cam1-b", "other"}
    with pytest.raises(InputError, match="tolerance"):
        by_time(photos, CAMERAS, lambda path: 0.0, -1)
