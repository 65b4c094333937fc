"""Where photos can be, and what an engine is called."""

from __future__ import annotations

import shutil

import pytest

pa = pytest.importorskip("pyarrow", reason="needs the extra [cluster]")
import pyarrow.parquet as pq  # noqa: E402

from annotator.cluster import parse_engine, sources  # noqa: E402
from annotator.errors import InputError  # noqa: E402


@pytest.fixture
def folder(tmp_path, sample_photos):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".hidden").mkdir()
    for place, photo in zip(("a/1.jpg", "a/b/2.jpg", "a/.hidden/3.jpg"), sample_photos, strict=False):
        shutil.copy(photo, tmp_path / place)
    (tmp_path / "a" / "notes.txt").write_text("no photo")
    return tmp_path / "a"


def _names(found):
    return [name.rsplit("/", 1)[1] for name in found.files]


def test_folders_patterns_and_urls(folder):
    for given in (str(folder), f"file://{folder}"):
        assert _names(sources.find([given])) == ["1.jpg", "2.jpg"]
    assert _names(sources.find([f"file://{folder}/*.jpg"])) == ["1.jpg"]
    assert _names(sources.find([str(folder / "*.jpg")])) == ["1.jpg"]
    assert _names(sources.find([f"file://{folder}/1.jpg", f"file://{folder}/1.jpg"])) == ["1.jpg"]
    assert sources.content_of(f"file://{folder}/1.jpg") == (folder / "1.jpg").read_bytes()


def test_what_is_not_there_is_named(folder):
    found = sources.find([str(folder / "none"), f"file://{folder}/none", f"file://{folder}/*.png", "nowhere://x/y"])
    assert found.files == [str(folder / "none")]  # reading it says what is wrong
    assert [name for name, _ in found.empty] == [f"file://{folder}/none", f"file://{folder}/*.png", "nowhere://x/y"]
    with pytest.raises(InputError, match="cannot read"):
        sources.content_of(str(folder / "none"))


def test_tables_hold_photos_or_name_them(folder):
    content = (folder / "1.jpg").read_bytes()
    image = pa.array([{"bytes": content, "path": "x.jpg"}] * 3)
    pq.write_table(pa.table({"image": image, "id": ["a", "b", "c"]}), folder / "t.parquet", row_group_size=2)
    pq.write_table(pa.table({"url": [f"file://{folder}/1.jpg"]}), folder / "u.parquet")
    pq.write_table(pa.table({"other": [1]}), folder / "v.parquet")
    found = sources.find([str(folder / f"{name}.parquet") for name in "tuv"])
    (table, column), (urls, named) = found.tables
    assert (column, named, sources.groups(table)) == ("image", "url", 2)
    rows = [row for group in range(2) for row in sources.rows(table, column, group)]
    assert [row["content"] for row in rows] == [content] * 3 and rows[2]["place"].endswith("#1.0/x.jpg")
    assert list(sources.rows(urls, named, 0)) == [{"place": f"file://{folder}/1.jpg", "content": b""}]
    assert "no column image" in found.empty[0][1]


def test_engines():
    assert parse_engine("local") is None
    assert parse_engine("ray").address is None
    assert parse_engine("ray://head:10001", 3, 2.0, 0.5).workers == 3
    for wrong in ("dask", "ray:", "ray://", "ray://head", "ray://head:port", ""):
        with pytest.raises(InputError, match="unknown engine"):
            parse_engine(wrong)
