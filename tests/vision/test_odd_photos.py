"""Deep, planar and slightly damaged pictures: shown as what they are, or refused with one line; never nearly black."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from fractions import Fraction

import numpy as np
import pytest
import tifffile
from PIL import Image

from annotator.errors import InputError
from annotator.vision.images.damaged_jpeg import PhotoRemark
from annotator.vision.images.without_metadata import bare, picture_digest
from annotator.vision.photos import decode_photo, read_photo

RAMP = np.mgrid[:64, :96].sum(0)
SHADES = (RAMP / RAMP.max() * 255).round().astype(np.uint8)
COLOURS = np.stack([SHADES, SHADES[::-1], SHADES[:, ::-1]], -1)


def deep(values, bits, kind=np.uint16):
    return (values / 255 * (2**bits - 1)).round().astype(kind)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("colour", [False, True])
def test_bits_in_sixteen(tmp_path, bits, colour):
    values = COLOURS if colour else SHADES
    tifffile.imwrite(tmp_path / "a.tif", deep(values, bits), photometric="rgb" if colour else "minisblack")
    shown = read_photo(tmp_path / "a.tif")
    assert np.abs(shown.astype(int) - (COLOURS if colour else SHADES[..., None])).max() <= 1
    if not colour:
        Image.fromarray(deep(values, bits)).save(tmp_path / "a.png")
        assert np.abs(read_photo(tmp_path / "a.png").astype(int) - SHADES[..., None]).max() <= 1


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_planes_apart(tmp_path, bits):
    values = deep(COLOURS, bits, np.uint8 if bits == 8 else np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(values, -1, 0), planarconfig="separate", photometric="rgb")
    assert np.abs(read_photo(tmp_path / "a.tif").astype(int) - COLOURS).max() <= 1


def test_thirty_two_bits(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", SHADES.astype(np.int32))
    assert np.array_equal(read_photo(tmp_path / "a.tif")[..., 0], SHADES)
    for values in (SHADES.astype(np.uint32) * 10**6, SHADES.astype(np.int32) - 5):
        tifffile.imwrite(tmp_path / "b.tif", values)
        with pytest.raises(InputError, match="b.tif.*what is white is not said"):
            read_photo(tmp_path / "b.tif")


def test_floats(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", (COLOURS / 255).astype(np.float32), photometric="rgb")
    assert np.array_equal(read_photo(tmp_path / "a.tif"), COLOURS)
    tifffile.imwrite(tmp_path / "b.tif", COLOURS.astype(np.float32), photometric="rgb")
    with pytest.raises(InputError, match="outside 0..1"):
        read_photo(tmp_path / "b.tif")


@pytest.mark.parametrize("turn", range(1, 9))
def test_deep_and_turned(tmp_path, turn):
    """As Pillow turns the same picture of 8 bits."""
    for name, values in (("a", COLOURS), ("b", deep(COLOURS, 12))):
        tags = [(274, "H", 1, turn, True)]
        tifffile.imwrite(tmp_path / f"{name}.tif", values, photometric="rgb", extratags=tags)
    with Image.open(tmp_path / "a.tif") as image:
        assert image.getexif().get(274) == turn
    assert np.abs(read_photo(tmp_path / "a.tif").astype(int) - read_photo(tmp_path / "b.tif")).max() <= 1


def deep_png(values, bits, *extra):
    """A PNG of 16 bits a colour, with or without transparency; extra: more chunks, (kind, data)."""
    values = deep(values, bits)
    if values.shape[2] == 4:
        values[..., 3] = 257 * (values[..., 3].astype(int) * 255 // (2**bits - 1))
    return png_of(values, *extra)


def png_of(values, *extra):
    """The PNG of (H, W, 2, 3 or 4) uint16."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    kind = {2: 4, 3: 2, 4: 6}[values.shape[2]]
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, kind, 0, 0, 0)
    more = b"".join(chunk(*one) for one in extra)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_deep_colour_png_is_shown_as_what_it_is(tmp_path, bits):
    (tmp_path / "a.png").write_bytes(deep_png(COLOURS, bits))
    for photo in (read_photo(tmp_path / "a.png"), decode_photo(deep_png(COLOURS, bits), "a.png")):
        assert np.abs(photo.astype(int) - COLOURS).max() <= 1


def test_deep_colour_png_turned_and_transparent():
    """As Pillow has the same picture of 8 bits."""
    clear = np.dstack([COLOURS, np.where(SHADES > 128, 255, 90)]).astype(np.uint8)
    exif = Image.Exif()
    exif[0x112] = 6
    file = io.BytesIO()
    Image.fromarray(clear).save(file, "PNG", exif=exif)
    whole = decode_photo(file.getvalue(), "a")
    same = decode_photo(deep_png(clear, 12, (b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))), "a")
    assert same.shape == whole.shape and np.abs(same.astype(int) - whole).max() <= 2


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_transparency_says_nothing_of_the_depth(tmp_path, bits):
    """12-bit colours beside an opaque channel of 16 bits, colour and grey, TIFF and PNG."""
    opaque = np.full(SHADES.shape, 65535, np.uint16)
    both = np.dstack([deep(COLOURS, bits), opaque])
    tifffile.imwrite(tmp_path / "a.tif", both, photometric="rgb", extrasamples=["unassalpha"])
    assert np.abs(read_photo(tmp_path / "a.tif").astype(int) - COLOURS).max() <= 1
    # a fourth channel that is no transparency, as an infrared one, is not laid over white
    tifffile.imwrite(tmp_path / "b.tif", both // 2 * 2, photometric="rgb", extrasamples=["unspecified"])
    assert np.abs(read_photo(tmp_path / "b.tif").astype(int) - COLOURS).max() <= 1
    grey = np.dstack([deep(SHADES, bits), opaque])
    options = {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "c.tif", grey, **options)
    (tmp_path / "d.png").write_bytes(png_of(grey))
    for name in ("c.tif", "d.png"):
        assert np.abs(read_photo(tmp_path / name).astype(int) - SHADES[..., None]).max() <= 1, name


@pytest.mark.parametrize("suffix", ["jp2", "j2k", "ppm"])
def test_deep_colours_of_other_files_are_refused_before_they_are_black(tmp_path, suffix):
    """What keeps the upper 8 of 16 bits alone makes 12-bit data nearly black: one line says so."""
    for bits in (12, 16):
        path, pixels = tmp_path / f"a{bits}.{suffix}", deep(COLOURS, bits)
        if suffix == "ppm":
            path.write_bytes(b"P6 96 64 65535\n" + pixels.astype(">u2").tobytes())
        else:
            whole = jpeg_2000(pixels)
            path.write_bytes(whole if suffix == "jp2" else whole[whole.index(b"\xff\x4f\xff\x51") :])
    with pytest.raises(InputError, match=rf"a12.{suffix} has 16 bits a colour.*nearly black"):
        read_photo(tmp_path / f"a12.{suffix}")
    assert abs(read_photo(tmp_path / f"a16.{suffix}").mean() - COLOURS.mean()) < 5


def jpeg_2000(pixels):
    """A .jp2 file's bytes of (H, W, 3) uint16."""
    av = pytest.importorskip("av")
    encoder = av.CodecContext.create("jpeg2000", "w")
    encoder.height, encoder.width = pixels.shape[:2]
    encoder.pix_fmt, encoder.time_base = "rgb48le", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb48le")
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def test_deep_colour_png_without_its_reader_or_damaged(monkeypatch):
    data = deep_png(COLOURS, 12)
    with pytest.raises(InputError, match="a.png is a broken or truncated image"):
        decode_photo(data[: len(data) // 2], "a.png")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"a.png has 16 bits a colour.*hand-mesh-annotator\[video\]"):
        decode_photo(data, "a.png")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end(photo_file, tmp_path, progressive):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x112] = 6
    with Image.open(photo_file) as image:
        image.save(path, quality=90, progressive=progressive, exif=exif)
    whole, data = read_photo(path), path.read_bytes()
    path.write_bytes(data[:-2])
    with pytest.warns(PhotoRemark, match="a.jpg has no end marker"):
        assert np.array_equal(read_photo(path), whole)
    for share in (0.5, 0.9, 0.97):
        path.write_bytes(data[: int(share * len(data))])
        with pytest.raises(InputError, match="a.jpg is a broken or truncated image"):
            read_photo(path)


@pytest.mark.parametrize("progressive", [False, True])
def test_what_stands_behind_a_jpegs_end_is_no_end(photo_file, tmp_path, progressive, recwarn):
    """Padding behind a cut hides it from a decoder; a small picture in the head has an end of its own."""
    path, small = tmp_path / "a.jpg", io.BytesIO()
    Image.new("RGB", (16, 16)).save(small, "JPEG")
    with Image.open(photo_file) as image:
        image.save(path, quality=90, progressive=progressive, comment=small.getvalue())
    whole, data = read_photo(path), path.read_bytes()
    assert data.count(b"\xff\xd9") == 2
    for behind in (bytes(500), b"appended", data, data[: len(data) // 2], b"\xff\xff\xff"):
        path.write_bytes(data + behind)
        assert np.array_equal(read_photo(path), whole)
        assert np.array_equal(decode_photo(path.read_bytes(), "a.jpg"), whole)
    assert not recwarn.list
    for behind in (b"", bytes(500), b"\xff\xff\xff"):
        path.write_bytes(data[:-2] + behind)
        with pytest.warns(PhotoRemark, match="a.jpg has no end marker"):
            assert np.array_equal(read_photo(path), whole)
        with pytest.warns(PhotoRemark, match="b.jpg has no end marker"):
            assert np.array_equal(decode_photo(path.read_bytes(), "b.jpg"), whole)


def test_several_pictures_in_one_jpeg(tmp_path, recwarn):
    """An MPO of which the second picture is cut: the first is whole, and no more is asked for."""
    first, path = Image.fromarray(COLOURS), tmp_path / "a.mpo"
    first.save(path, "MPO", save_all=True, append_images=[first], quality=95)
    data, whole = path.read_bytes(), read_photo(path)
    path.write_bytes(data[:-2])
    assert np.array_equal(read_photo(path), whole) and not recwarn.list


def test_heic_says_what_it_needs(tmp_path):
    import importlib.util

    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(InputError, match="a.heic"):
        read_photo(tmp_path / "a.heic")
    if importlib.util.find_spec("pillow_heif") is None:
        with pytest.raises(InputError, match=r"hand-mesh-annotator\[heif\]"):
            read_photo(tmp_path / "a.heic")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_bare_files_have_the_picture_and_nothing_else(kind):
    exif = Image.Exif()
    exif[0x112], exif[0x13B] = 6, "Somebody"
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (1.0, 2.0, 3.0)
    buffer, profile = io.BytesIO(), b"profile" * 20
    Image.fromarray(COLOURS).save(buffer, kind, exif=exif, icc_profile=profile, comment=b"5 stars")
    left = bare(buffer.getvalue() + b"appended film")
    with Image.open(io.BytesIO(left)) as image, Image.open(buffer) as before:
        assert image.getexif() == {} and image.info.get("icc_profile") == profile and "comment" not in image.info
        assert np.array_equal(np.asarray(image), np.asarray(before))
    assert b"Somebody" not in left and b"film" not in left and bare(b"GIF89a") is None and bare(left[:40]) != left


def test_a_picture_is_known_by_what_it_shows(tmp_path):
    exif = Image.Exif()
    exif[0x13B] = "Somebody"
    for kind in ("jpg", "png", "bmp"):
        digests = []
        for options in ({}, {"exif": exif}):
            Image.fromarray(COLOURS).save(tmp_path / f"a.{kind}", **(options if kind != "bmp" else {}))
            digests.append(picture_digest(tmp_path / f"a.{kind}"))
        exif[0x112] = 3
        Image.fromarray(COLOURS[::-1]).save(tmp_path / f"b.{kind}")
        assert digests[0] == digests[1] != picture_digest(tmp_path / f"b.{kind}")
        del exif[0x112]
