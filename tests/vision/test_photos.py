"""Image files of every common kind become RGB photos; anything else becomes one error that names the file."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from annotator.errors import InputError
from annotator.vision.photos import as_photo, photo_hash, read_photo


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    rows, columns = np.mgrid[:40, :60]
    return np.stack([rows * 6, columns * 4, 255 - rows * 3], -1).astype(np.uint8)


def test_plain_and_lossless(picture, tmp_path):
    for name in ("a.png", "a.bmp", "a.tif"):
        Image.fromarray(picture).save(tmp_path / name)
        photo = read_photo(tmp_path / name)
        assert photo.dtype == np.uint8 and np.array_equal(photo, picture)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation, picture, tmp_path):
    """The eight values of the EXIF tag: stored are the upright pixels after the inverse of the turn."""
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(undo(picture))).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_photo(tmp_path / "turned.png"), picture)


def test_grey_palette_alpha_and_deep_images(picture, tmp_path):
    grey = picture[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(read_photo(tmp_path / "grey.png"), np.repeat(grey[..., None], 3, 2))
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    assert np.array_equal(read_photo(tmp_path / "deep.png"), np.repeat(grey[..., None], 3, 2))
    Image.fromarray(picture).quantize(256).save(tmp_path / "palette.png")
    assert np.abs(read_photo(tmp_path / "palette.png").astype(int) - picture).mean() < 12
    alpha = np.dstack([picture, np.where(np.arange(60) < 30, 0, 255)[None].repeat(40, 0).astype(np.uint8)])
    Image.fromarray(alpha).save(tmp_path / "alpha.png")
    photo = read_photo(tmp_path / "alpha.png")
    assert (photo[:, :30] == 255).all() and np.array_equal(photo[:, 30:], picture[:, 30:])
    Image.fromarray((grey / 255).astype(np.float32)).save(tmp_path / "float.tif")
    assert np.array_equal(read_photo(tmp_path / "float.tif")[..., 1], grey)
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "print.jpg", quality=98)
    assert read_photo(tmp_path / "print.jpg").shape == picture.shape


def test_real_photo(photo_file):
    photo = read_photo(photo_file)
    assert photo.shape == (1080, 620, 3) and photo.std() > 10
    assert photo_hash(photo_file) == hashlib.sha256(photo_file.read_bytes()).hexdigest()


def test_errors_name_the_file(picture, tmp_path, photo_file):
    cases = {"missing.jpg": "does not exist", "folder.jpg": "directory", "text.jpg": "not an image",
             "empty.png": "not an image", "cut.jpg": "truncated",
             "nan.tif": "NaN", "small.png": "8 px"}  # fmt: skip
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    data = photo_file.read_bytes()
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(tmp_path / "nan.tif")
    Image.fromarray(picture[:5]).save(tmp_path / "small.png")
    for name, what in cases.items():
        with pytest.raises(InputError, match=what) as caught:
            read_photo(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(InputError, match="missing"):
        photo_hash(tmp_path / "missing.jpg")


def test_a_cut_png_is_an_error_too(picture, tmp_path):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    for share in (0.02, 0.3, 0.9):
        (tmp_path / "cut.png").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(InputError, match="cut.png"):
            read_photo(tmp_path / "cut.png")


def test_arrays(picture):
    assert np.array_equal(as_photo(picture), picture)
    assert np.array_equal(as_photo(picture / 255.0), picture)
    assert np.array_equal(as_photo(picture[..., 0])[..., 2], picture[..., 0])
    assert np.array_equal(as_photo(picture.astype(np.uint16) * 257), picture)
    assert as_photo(picture[:, ::-1]).flags.c_contiguous
    for bad, what in (
        (picture / 1.0, "0..1"),
        (picture.astype(int), "dtype"),
        (np.zeros((40, 60, 2), np.uint8), "shape"),
        (np.zeros((4, 40, 60, 3), np.uint8), "shape"),
        (np.full((40, 60, 3), np.nan), "NaN"),
        (np.zeros((4, 60, 3), np.uint8), "8 px"),
        ("a photo", "shape"),
    ):
        with pytest.raises(InputError, match=what):
            as_photo(bad)
