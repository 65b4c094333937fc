"""Mesh files through trimesh, Parquet through `datasets`, checksums and cards of every format."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from same import assert_same

from annotator.errors import InputError
from annotator.formats import WRITERS, reader, writer
from annotator.formats.core import card
from annotator.vision.images.without_metadata import picture_digest


@pytest.mark.parametrize(("name", "suffix"), [("gltf", "glb"), ("obj", "obj"), ("ply", "ply")])
def test_meshes(records, tmp_path, name, suffix):
    trimesh = pytest.importorskip("trimesh")
    writer(name).write(records, tmp_path / name)
    for ours, theirs in zip(reader(name).read(tmp_path / name), records, strict=True):
        assert_same(ours, theirs)
        assert picture_digest(ours.photo) == picture_digest(theirs.photo) and tmp_path / name in ours.photo.parents
    files = sorted((tmp_path / name / "meshes").iterdir())
    assert len(files) == 3
    for file, record in zip(files, records, strict=True):
        mesh = trimesh.load_mesh(file, process=False)
        assert mesh.volume > 0 and file.suffix == f".{suffix}"  # faces counter-clockwise from outside, left hands too
        axes = (1, -1, -1) if name == "gltf" else (1, 1, 1)
        np.testing.assert_allclose(mesh.vertices, record.vertices * axes, atol=1e-6)
    files[0].unlink()
    with pytest.raises(InputError, match="index 0.*there is no"):
        list(reader(name).read(tmp_path / name))
    files[0].write_bytes(b"no mesh")
    with pytest.raises(InputError, match="index 0"):
        list(reader(name).read(tmp_path / name))
    with pytest.raises(InputError, match="no mesh"):
        writer(name).write([replace(records[0], vertices=None)], tmp_path / "none")


def test_parquet_round_trip(records, tmp_path):
    pytest.importorskip("pyarrow")
    writer("parquet").write(records, tmp_path / "set")
    for ours, theirs in zip(reader("parquet").read(tmp_path / "set", tmp_path / "photos"), records, strict=True):
        assert_same(ours, theirs)
        assert picture_digest(ours.photo) == picture_digest(theirs.photo)
    without = [replace(r, joints=None, vertices=None, faces=None, parameters=None, K=None, keypoint_sigma=None)
               for r in records]  # fmt: skip
    writer("parquet").write(without, tmp_path / "bare")
    for ours, theirs in zip(reader("parquet").read(tmp_path / "bare", tmp_path / "photos"), without, strict=True):
        assert_same(ours, theirs)
        assert ours.K is None and ours.vertices is None


def test_datasets_reads_parquet(records, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    writer("parquet").write(records, tmp_path / "set")
    table = datasets.load_dataset(str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(table) == 3 and isinstance(table.features["image"], datasets.Image)
    for row, record in zip(table, records, strict=True):
        with Image.open(record.photo) as photo:
            assert row["image"].size == photo.size
        np.testing.assert_allclose(np.reshape(row["keypoints"], (21, 2)), record.keypoints)
        np.testing.assert_allclose(np.reshape(row["vertices"], (-1, 3)), record.vertices)
        assert row["states"] == list(record.states) and row["side"] == record.side


def test_a_broken_parquet_is_named(records, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match="a.parquet"):
        list(reader("parquet").read(tmp_path))
    writer("parquet").write(records, tmp_path / "set")
    table = parquet.read_table(tmp_path / "set" / "data" / "train-00000.parquet")
    parquet.write_table(table.drop_columns(["states"]), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no column states"):
        list(reader("parquet").read(tmp_path))
    parquet.write_table(table.set_column(table.schema.get_field_index("joints"), "joints", [[[1.0]] * 3]),
                        tmp_path / "a.parquet")  # fmt: skip
    with pytest.raises(InputError, match="a.parquet, index 0"):
        list(reader("parquet").read(tmp_path))


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_cards_and_checksums(records, tmp_path, name):
    folder = tmp_path / "set"
    writer(name).write(records, folder, licence="CC-BY-4.0")
    lines = dict(reversed(line.split("  ")) for line in (folder / card.SUMS).read_text().splitlines())
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {card.SUMS}
    assert set(lines) == files
    for file, digest in lines.items():
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    about = json.loads((folder / card.CARD).read_text())
    assert about["hands"] == 3 and about["licence"] == "CC-BY-4.0" and about["by_side"] == {"left": 2, "right": 1}
    assert about["by_joint_state"]["corrected"] == 2 and about["by_state"] == {"accepted": 3}
    assert list(about["by_model_digest"]) == ["d" * 64]
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_failed_export_leaves_nothing(records, tmp_path, name):
    def failing():
        yield records[0]
        raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        writer(name).write(failing(), out / "set")
    with pytest.raises(InputError, match="no hands"):
        writer(name).write([], out / "set")
    assert list(out.iterdir()) == []
    writer(name).write(records[:1], out / "set")
    with pytest.raises(InputError, match="exists already"):
        writer(name).write(records[:1], out / "set")
    writer(name).write(records[:1], out / "set", overwrite=True)


def test_turned_and_odd_photos_are_encoded_anew(records, tmp_path):
    """Keypoints are where `read_photo` sees the photo, EXIF turn applied: a copy of the file would be elsewhere."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(pixels[..., 0]).convert("P").save(tmp_path / "palette.gif")
    from annotator.formats.core.photo_files import portable
    from annotator.vision.photos import read_photo

    for name, size in (("turned.jpg", (60, 40)), ("palette.gif", (40, 60))):
        suffix, data, found = portable(tmp_path / name)
        with Image.open(io.BytesIO(data)) as image:
            assert image.getexif().get(0x0112, 1) == 1 and suffix == ".jpg" and found == size
            assert np.abs(np.asarray(image).astype(int) - read_photo(tmp_path / name)).mean() < 3
