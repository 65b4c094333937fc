"""Pictures and videos whose lengths and check sums are right, so that a decoder gets as far as the numbers in them."""

from __future__ import annotations

import copy
import functools
import random
import struct
import zlib

from hostile.damage import mutated


@functools.lru_cache(maxsize=8)
def zeros_packed(count: int, level: int = -1) -> bytes:
    """So many zero bytes, compressed, which takes a second for a hundred million of them."""
    return zlib.compress(bytes(count), level)


def png(data: bytes, draw: random.Random) -> bytes:
    """Chunks changed, added, repeated; every CRC is right."""
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += length + 12
    for _ in range(draw.choice((1, 1, 2, 4))):
        kind, spot = draw.randrange(8), draw.randrange(len(chunks))
        name, content = chunks[spot]
        if kind == 0:
            head = bytearray(chunks[0][1].ljust(13, b"\0"))
            side = draw.choice((0, 1, 7, 5000, 30_000, 2**31 - 1))
            struct.pack_into(">I", head, draw.choice((0, 4)), side)
            if draw.random() < 0.6:
                head[draw.randrange(8, 13)] = draw.randrange(17)
            chunks[0] = (chunks[0][0], bytes(head))
        elif kind == 1:
            chunks[spot] = (name, mutated(content, draw))
        elif kind == 2:
            rows = zeros_packed(draw.choice((0, 10, 1 << 20, 300 << 20)), 1)
            chunks = [one for one in chunks if one[0] != b"IDAT"]
            chunks.insert(1, (b"IDAT", rows))
        elif kind == 3:
            text = zeros_packed(100 << 20, 9)
            extra = draw.choice((
                (b"zTXt", b"a\0\0" + text), (b"iTXt", b"a\0\1\0\0\0" + text), (b"iCCP", b"a\0\0" + text),
                (b"eXIf", tiff_tags(draw)), (b"PLTE", bytes(draw.choice((0, 2, 3, 769)))), (b"tRNS", bytes(300)),
                (b"acTL", struct.pack(">II", draw.choice((0, 1, 2**31 - 1)), 0)), (b"gAMA", b""), (b"pHYs", bytes(3)),
                (b"fcTL", struct.pack(">IIIIIHHBB", 0, 9999, 9999, 1, 1, 0, 0, 0, 9)), (b"sRGB", b"\xff" * 40),
            ))  # fmt: skip
            chunks.insert(draw.randrange(1, len(chunks)), extra)
        elif kind == 4:
            chunks.insert(spot, (name, content))
        elif kind == 5 and len(chunks) > 1:
            del chunks[spot]
        elif kind == 6:
            draw.shuffle(chunks)
        elif kind == 7:
            chunks = chunks[:1] + [(b"tEXt", b"k\0v")] * 30_000 + chunks[1:]
        if not chunks:
            chunks = [(b"IEND", b"")]
    return data[:8] + b"".join(_chunk(*one) for one in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def jpeg(data: bytes, draw: random.Random) -> bytes:
    """Segments changed, added, repeated; every length is right."""
    segments, at = [], 2
    while at + 4 <= len(data):
        (length,) = struct.unpack_from(">H", data, at + 2)
        segments.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
        if segments[-1][0] == 0xDA:
            break
    rest = data[at:]
    for _ in range(draw.choice((1, 1, 2, 4))):
        kind, spot = draw.randrange(8), draw.randrange(len(segments))
        mark, content = segments[spot]
        if kind == 0:
            for k, (one, inside) in enumerate(segments):
                if 0xC0 <= one <= 0xC2 and len(inside) >= 6:
                    head = bytearray(inside)
                    struct.pack_into(">H", head, draw.choice((1, 3)), draw.choice((0, 1, 9_000, 65_535)))
                    if draw.random() < 0.5:
                        head[draw.randrange(len(head))] = draw.choice((0, 1, 4, 0x11, 0x44, 0xFF))
                    segments[k] = (draw.choice((one, one, 0xC1, 0xC2, 0xC9)), bytes(head))
        elif kind == 1:
            segments[spot] = (mark, mutated(content, draw)[:65_000])
        elif kind == 2:
            exif = b"Exif\0\0" + tiff_tags(draw)
            icc = b"ICC_PROFILE\0" + bytes([draw.randrange(256), draw.randrange(256)]) + draw.randbytes(200)
            mpo = b"MPF\0" + tiff_tags(draw)
            adobe = b"Adobe" + draw.randbytes(7)
            extra = draw.choice(
                (
                    (0xE1, exif),
                    (0xE2, icc),
                    (0xE2, mpo),
                    (0xEE, adobe),
                    (0xE1, b"http://ns.adobe.com/xap/1.0/\0<" + b"x" * 60_000),
                )
            )
            segments.insert(draw.randrange(len(segments)), extra)
        elif kind == 3:
            segments.insert(spot, (mark, content))
        elif kind == 4 and len(segments) > 1:
            del segments[spot]
        elif kind == 5:
            rest = b"\xff\xda" + struct.pack(">H", len(segments[-1][1]) + 2) + segments[-1][1] + rest
            rest *= draw.choice((1, 3))
        elif kind == 6:
            rest = mutated(rest, draw)
        elif kind == 7:
            segments = [(0xFE, b"x" * 65_000)] * draw.choice((1, 60)) + segments
    whole = b"\xff\xd8"
    for mark, content in segments:
        whole += bytes([0xFF, mark]) + struct.pack(">H", len(content) + 2) + content
    return whole + rest


def tiff_tags(draw: random.Random, tags: list | None = None, order: str = "<", body: bytes = b"") -> bytes:
    """A TIFF of one directory: sound tags (or `tags`), a few of which count or point where they should not."""
    tags = list(
        tags or [(274, 3, 1, 6), (256, 4, 1, 8), (257, 4, 1, 8), (34665, 4, 1, 8), (34853, 4, 1, 8), (37510, 7, 99, 9)]
    )
    for _ in range(draw.choice((1, 1, 2, 4))):
        spot = draw.randrange(len(tags))
        tag, kind, count, value = tags[spot]
        part = draw.randrange(5)
        big = draw.choice((0, 1, 2, 8, 65_535, 2**31 - 1, 2**32 - 1))
        tags[spot] = (
            (draw.choice((tag, 254, 258, 259, 262, 273, 277, 278, 279, 322, 324, 330, 347, 700)), kind, count, value),
            (tag, draw.choice((0, 1, 2, 5, 7, 12, 13, 16, 99)), count, value),
            (tag, kind, big, value),
            (tag, kind, count, big),
            (tag, kind, big, draw.choice((0, 8, 40))),
        )[part]
        if draw.random() < 0.2:
            tags.insert(spot, tags[spot])
    following = draw.choice((0, 0, 8, 2**32 - 1, 9))
    entries = b"".join(struct.pack(f"{order}HHII", *(one & limit for one, limit in zip(
        entry, (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True))) for entry in tags)  # fmt: skip
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(f"{order}HIH", 42, 8, len(tags)) + entries + struct.pack(f"{order}I", following) + body


def tiff(data: bytes, draw: random.Random) -> bytes:
    """A TIFF's own directory with other numbers in it."""
    if draw.random() < 0.2:
        return tiff_tags(draw, body=data)
    order = "<" if data[:2] == b"II" else ">"
    (first,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, first)
    content = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = first + 2 + 12 * draw.randrange(count)
        big = draw.choice((0, 1, 2, 3, 5, 7, 8, 255, 65_535, 2**31 - 1, 2**32 - 1, first, len(data) - 3))
        part = draw.randrange(5)
        if part == 0:
            struct.pack_into(
                f"{order}H", content, at, draw.choice((254, 258, 259, 262, 277, 278, 284, 317, 322, 323, 330, 338, 339))
            )
        elif part == 1:
            struct.pack_into(f"{order}H", content, at + 2, draw.choice((0, 1, 2, 3, 4, 5, 7, 11, 12, 16, 99)))
        elif part in (2, 3):
            struct.pack_into(f"{order}I", content, at + (4 if part == 2 else 8), big)
        else:
            struct.pack_into(f"{order}I", content, first + 2 + 12 * count, draw.choice((first, 8, big)))
    return bytes(content)


_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf"}


def mp4(data: bytes, draw: random.Random) -> bytes:
    """Boxes with other numbers, twice, or missing; every size is right."""
    tree = _boxes(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        places = list(_box_places(tree))
        owner, spot = draw.choice([one for one in places if one[0][one[1]][0] != b"mdat"] or places)
        name, content = owner[spot]
        kind = draw.randrange(6)
        if kind <= 2 and isinstance(content, bytes) and content:
            new = bytearray(content)
            for _ in range(draw.choice((1, 1, 3))):
                at = draw.randrange(0, max(1, len(new) - 3), 4 if draw.random() < 0.8 else 1)
                new[at : at + 4] = struct.pack(
                    ">I", draw.choice((0, 1, 2, 255, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1))
                )
            owner[spot] = (name, bytes(new))
        elif kind == 3:
            owner.insert(spot, (name, copy.deepcopy(content)))
        elif kind == 4 and len(owner) > 1:
            del owner[spot]
        elif kind == 5 and isinstance(content, bytes):
            owner[spot] = (name, mutated(content, draw) if len(content) < 100_000 else content[: len(content) // 2])
    return _packed(tree)


def _boxes(data: bytes) -> list:
    found, at = [], 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        size = size if 8 <= size <= len(data) - at else len(data) - at
        inside = data[at + 8 : at + size]
        found.append((name, _boxes(inside) if name in _BOXES else inside))
        at += size
    return found


def _box_places(tree: list):
    for spot, (_, content) in enumerate(tree):
        yield tree, spot
        if isinstance(content, list):
            yield from _box_places(content)


def _packed(tree: list) -> bytes:
    whole = b""
    for name, content in tree:
        inside = _packed(content) if isinstance(content, list) else content
        whole += struct.pack(">I4s", len(inside) + 8, name) + inside
    return whole
