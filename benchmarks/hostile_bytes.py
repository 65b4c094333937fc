"""Bytes and texts that are not as they should be: mutated ones, bombs, and pickles that would run a command."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import struct
import tarfile
import zipfile
import zlib
from functools import lru_cache
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


# in place of a value: numbers out of range, other kinds, ways out of the folder, depth
WORDS = ("NaN", "1e999", "-1", "9" * 400, "null", '"x"', "[]", "{}", '"../../../../etc/passwd"', '"/etc/passwd"',
         "[" * 5000, "true", "1e-320", "2147483648", '"\\u0000"', '""', "0")  # fmt: skip


def mutated_text(text: str, draw: random.Random, words=WORDS, ends: str = ",]}:") -> str:
    """JSON (or a table, or YAML) with other words and numbers in it; ends: characters that end a value."""
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


def picture_bomb(side: int = 60_000) -> bytes:
    """A PNG of a few bytes that claims billions of pixels."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")


def npy(head: bytes, content: bytes) -> bytes:
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + content


def npy_pickle(bomb: bytes) -> bytes:
    """An .npy of objects, whose content is a pickle."""
    return npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", bomb)


def npy_claiming(draw: random.Random) -> bytes:
    """An .npy that claims far more numbers than it has, or a wrong kind of them."""
    return npy(draw.choice((
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2000000000,), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-5,), }",
        b"{'descr': '<c16', 'fortran_order': False, 'shape': (), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': " + b"(" * 300 + b", }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }",
    )), bytes(16))  # fmt: skip


@lru_cache
def npy_growing(gigabytes: int = 8) -> bytes:
    """Zeros of so many GB, as one member of a zip archive a thousandth of that size has: (compressed, as a zip)."""
    out = io.BytesIO()
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }" % (gigabytes << 27)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w", force_zip64=True) as file:
        file.write(npy(head, b""))
        for _ in range(4):  # the header promises more than this
            file.write(bytes(1 << 26))
    return out.getvalue()


def npz_changed(data: bytes, draw: random.Random, bomb: bytes) -> bytes:
    """An archive of arrays with one member changed; its check sums are right again."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        member = draw.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            if name == member:
                content = draw.choice((mutated(content, draw), npy_pickle(bomb), npy_claiming(draw), b"", bomb))
                name = draw.choice((name, name, name, "../../" + name))
            new.writestr(name, content)
        if draw.random() < 0.2:
            new.writestr(member, bomb)  # the same name twice
    return out.getvalue()


def tar_changed(data: bytes, draw: random.Random, bomb: bytes) -> bytes:
    """A tar archive with members that lead out of it, are no files, claim too much, or hold a pickle."""
    out = io.BytesIO()
    packed = draw.random() < 0.3
    with tarfile.open(fileobj=io.BytesIO(data)) as old, tarfile.open(fileobj=out, mode="w:gz" if packed else "w") as new:
        members = [(member, old.extractfile(member).read()) for member in old if member.isfile()]
        at = draw.randrange(len(members))
        for number, (member, content) in enumerate(members):
            if number == at:
                kind = draw.randrange(6)
                if kind == 0:
                    member.name = draw.choice(("../../ESCAPED/", "/tmp/ESCAPED/", "a/../../ESCAPED/")) + member.name
                elif kind == 1:
                    member.type, member.linkname, content = draw.choice((tarfile.SYMTYPE, tarfile.LNKTYPE)), "/etc/passwd", b""
                elif kind == 2:
                    member.type, content = draw.choice((tarfile.FIFOTYPE, tarfile.CHRTYPE, b"Z")), b""
                elif kind == 3:
                    content = bomb
                else:
                    content = mutated(content, draw)
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return mutated(out.getvalue(), draw) if draw.random() < 0.3 else out.getvalue()


@lru_cache
def tar_bomb() -> bytes:
    """16 GB of nothing in a few hundred bytes' worth of names: a gzip of a gzip-like run of a tar's padding."""
    out = io.BytesIO()
    member = tarfile.TarInfo("00000000.jpg")
    member.size, member.type = 16 << 30, b"Z"
    block = gzip.compress(bytes(1 << 24), 9)
    out.write(gzip.compress(member.tobuf(tarfile.GNU_FORMAT)))
    for _ in range(1024):
        out.write(block)
    return out.getvalue()


def pickle_bomb(mark: Path, draw: random.Random) -> bytes:
    """A command at the top, inside plain data, or in place of an array, in an old or a new protocol."""
    bomb = Bomb(mark)
    value = draw.choice((bomb, [bomb], [{"keypoints_2d": bomb}], {"handJoints3D": bomb}, {"v_template": bomb}))
    return pickle.dumps(value, draw.randrange(6))
