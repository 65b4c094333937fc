"""What hostile files are made of: mutated bytes, foreign numbers, pickles that would leave a mark, claims of great
size."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
import zlib
from pathlib import Path


class Bomb:
    """Pickled, it makes the file `mark` when it is loaded."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Bytes with a few of the things that go wrong: flips, cuts, holes, repeats, foreign numbers."""
    data = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 5, 30))):
        at = draw.randrange(max(1, len(data)))
        if draw.random() < 0.5:
            at = min(at, draw.randrange(1, 2000))  # headers are where it hurts
        kind = draw.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] = draw.randrange(256)
        elif kind == 1:
            del data[at : at + draw.randrange(1, 3000)]
        elif kind == 2:
            data[at:at] = draw.randbytes(draw.randrange(1, 300))
        elif kind == 3:
            data[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0"))
        elif kind == 4:
            data[at : at + 64] = bytes(64)
        elif kind == 5:
            del data[at:]
        elif kind == 6:
            data[at:at] = data[at : at + 500]
    return bytes(data)


WORDS = (
    "NaN",
    "1e999",
    "-1",
    "9" * 400,
    "null",
    '"x"',
    "[]",
    "{}",
    '"../../../../etc/passwd"',
    "[" * 5000,
    "true",
    "1e-320",
)


def mutated_text(text: str, draw: random.Random, words=WORDS, ends: str = ",]}:") -> str:
    """JSON (or YAML) with other words and numbers in it; ends: characters that end a value."""
    for _ in range(draw.choice((1, 1, 3, 10))):
        at = draw.randrange(max(1, len(text)))
        end = at
        while end < len(text) and text[end] not in ends:
            end += 1
        text = text[:at] + draw.choice(words) + text[end:]
    return text


def yaml_words(mark: Path) -> tuple[str, ...]:
    """YAML that would run a command, or grow without end, in a careless reader."""
    laughs = "{a: &a [x,x,x,x,x,x,x,x,x], " + ", ".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return (f'!!python/object/apply:os.system ["touch {mark}"]', f'!!python/object/new:os.system ["touch {mark}"]',
            laughs + "}", "*nothing", "[[[", "../../../etc/passwd", ".nan", "0x7fffffffffffffff")  # fmt: skip


def archive(data: bytes, bomb: bytes, draw: random.Random) -> bytes:
    """A zip of arrays (.npz) with one member changed; its check sums are right again."""
    out, member = io.BytesIO(), draw.choice(zipfile.ZipFile(io.BytesIO(data)).namelist())
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == member:
                content = draw.choice((mutated(content, draw), npy_pickle(bomb), npy_claiming(draw), b""))
                name = draw.choice((name, name, name, "../../" + name))
            new.writestr(name, content)
    return out.getvalue()


def picture_bomb(side: int = 60_000) -> bytes:
    """A PNG of a few bytes that claims billions of pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    )


def npy_pickle(bomb: bytes) -> bytes:
    """An .npy of objects, whose content is a pickle."""
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bomb


def npy_claiming(draw) -> bytes:
    """An .npy that claims far more numbers than it has, or a wrong kind of them."""
    head = draw.choice((
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-5,), }",
        b"{'descr': '<c16', 'fortran_order': False, 'shape': (), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': " + b"(" * 300 + b", }",
    ))  # fmt: skip
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + bytes(16)
