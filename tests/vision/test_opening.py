"""Files that claim to be huge: refused by what their head says, at every door, before a pixel of them is decoded."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from annotator.errors import InputError
from annotator.formats.core.photo_files import image_size, portable
from annotator.vision.images import opening
from annotator.vision.photos import decode_photo, photo_size, read_photo

ROOT = Path(__file__).resolve().parents[2]


def png(width: int, height: int) -> bytes:
    """A black PNG of one bit a pixel, made row by row: few bytes for any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, rows = zlib.compressobj(9), []
    for _ in range(height):
        rows.append(packer.compress(bytes(1 + (width + 7) // 8)))
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    body = b"".join(rows) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def tiff(path: Path, **tags: int) -> None:
    """A small TIFF whose head says something else: tag=value."""
    Image.new("RGB", (64, 64)).save(path, tiffinfo={}, compression=None)
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for k in range(count):
        tag = struct.unpack_from("<H", data, at + 2 + 12 * k)[0]
        if f"t{tag}" in tags:
            struct.pack_into("<HHII", data, at + 2 + 12 * k, tag, 4, 1, tags[f"t{tag}"])
    path.write_bytes(data)


@pytest.fixture
def undecoded(monkeypatch):
    """Whoever decodes a pixel is found out."""

    def load(self):
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)


@pytest.fixture
def bombs(tmp_path):
    files = {"grey.png": png(13_300, 13_300), "long.png": png(70_000, 64)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    tiff(tmp_path / "page.tif", t256=40_000, t257=40_000)
    gif = bytearray()
    frames = [Image.new("P", (32, 32), k) for k in range(3)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    gif[:] = (tmp_path / "moving.gif").read_bytes()
    struct.pack_into("<HH", gif, 6, 65_000, 65_000)  # the canvas of all its frames
    (tmp_path / "moving.gif").write_bytes(gif)
    return sorted(tmp_path.glob("*.*"))


DOORS = {
    "read_photo": read_photo,
    "decode_photo": lambda path: decode_photo(path.read_bytes(), str(path)),
    "photo_size": photo_size,
    "exports": portable,
    "data sets": image_size,
}


@pytest.mark.parametrize("door", DOORS)
def test_no_pixel_of_an_image_bomb_is_decoded(bombs, undecoded, door):
    assert len(bombs) == 4
    for path in bombs:
        with pytest.raises(InputError, match="megapixels|too large") as caught:
            DOORS[door](path)
        assert path.name in str(caught.value)


def test_tiles_of_a_tiff_are_judged_too(tmp_path):
    """A small picture in tiles that are huge: one tile is what a decoder makes room for."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    tags = ImageFileDirectory_v2()
    for tag, value in ((256, 64), (257, 64), (258, 8), (259, 1), (262, 1), (277, 1), (322, 32_000), (323, 32_000)):
        tags[tag] = value
    tags[324], tags[325] = 8, 64 * 64
    with open(tmp_path / "tiles.tif", "wb") as file:
        tags.save(file)
    with pytest.raises(InputError, match="tiles"):
        read_photo(tmp_path / "tiles.tif")


def test_a_jpeg_of_endless_scans_is_refused(tmp_path):
    Image.new("L", (64, 64)).save(tmp_path / "many.jpg", progressive=True)
    data = (tmp_path / "many.jpg").read_bytes()
    at = data.rindex(b"\xff\xda")
    scan = data[at:-2]
    (tmp_path / "many.jpg").write_bytes(data[:-2] + scan * 5000 + data[-2:])
    with pytest.raises(InputError, match="scans"):
        read_photo(tmp_path / "many.jpg")


def test_the_limit_can_be_set(tmp_path, monkeypatch):
    (tmp_path / "wide.png").write_bytes(png(640, 480))
    assert read_photo(tmp_path / "wide.png").shape == (480, 640, 3)
    monkeypatch.setenv(opening.VARIABLE, "300000")
    with pytest.raises(InputError, match="640 x 480 px: at most 0.3 megapixels"):
        read_photo(tmp_path / "wide.png")
    monkeypatch.setenv(opening.VARIABLE, "4e5")
    assert photo_size(tmp_path / "wide.png") == (480, 640)
    for wrong in ("many", "1", "inf"):
        monkeypatch.setenv(opening.VARIABLE, wrong)
        with pytest.raises(InputError, match="expected a number of pixels"):
            read_photo(tmp_path / "wide.png")
    assert decode_photo((tmp_path / "wide.png").read_bytes(), "wide", most=10**6).shape == (480, 640, 3)


def test_what_starts_programs_is_no_photo(tmp_path):
    """An EPS file is drawn by another program."""
    Image.new("RGB", (64, 64)).save(tmp_path / "drawing.eps")
    with pytest.raises(InputError, match="not an image"):
        read_photo(tmp_path / "drawing.eps")


def test_conversions_go_band_by_band(tmp_path):
    """Bands and the whole give the same pixels, also where a band is left over."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (2 * 256 + 3, 20, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "alpha.png")
    alpha = pixels[..., 3:].astype(int)
    expected = (pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    assert np.array_equal(read_photo(tmp_path / "alpha.png"), expected)


def test_pictures_are_opened_in_one_place():
    """Only what was written a moment ago, in memory, may pass the door by."""
    own = {ROOT / "annotator" / "vision" / "images" / "opening.py", ROOT / "annotator" / "synthetic" / "images.py"}
    found = [
        path
        for folder in (ROOT / "annotator", ROOT / "plugins")
        for path in folder.rglob("*.py")
        if path not in own and re.search(r"Image\.open\(|imread\(", path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_a_disk_that_cannot_be_read_is_no_broken_image(photo_file, monkeypatch):
    from annotator.vision.images import opening

    monkeypatch.setattr(opening, "_start", lambda _file: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(InputError, match=f"{photo_file.name} cannot be read: Input/output error"):
        read_photo(photo_file)
