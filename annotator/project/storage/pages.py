"""Rows out of the whole pages of an SQLite file, damaged or not: read from its bytes, without the tree over them.

The file format is SQLite's own (sqlite.org/fileformat2.html). A row's table cannot be told from its page, so rows are
told apart by what is in them (`project.safety.repairing`). Freed pages are read, too: they hold rows as they once were.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"SQLite format 3\x00"
LEAF = 0x0D  # of a table
LONGEST = 64_000_000  # bytes of a row
MOST_COLUMNS = 40
_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes of an integer, by its serial type
_WAL = {0x377F0682: "<", 0x377F0683: ">"}  # byte order of its check sums, by its magic number


class Torn(Exception):
    """These bytes are no row."""


@dataclass(frozen=True)
class Row:
    """pages: the numbers of all pages that it lies in; number: its rowid; values: as SQLite has them, a text as str."""

    pages: tuple[int, ...]
    number: int
    values: tuple


class Pages:
    """The pages of a file as a reader of the database would see them: what was committed beside it (WAL) comes first.

    size: bytes of a page; count: pages.
    """

    def __init__(self, path: Path):
        self._content = path.read_bytes()
        head = self._content[:100]
        size = int.from_bytes(head[16:18], "big") if head[:16] == MAGIC else 0
        size = 65536 if size == 1 else size
        whole = 512 <= size <= 65536 and size & (size - 1) == 0
        self.size = size if whole else 4096
        self.usable = self.size - (head[20] if whole and len(head) > 20 and head[20] <= 32 else 0)
        beside = path.with_name(f"{path.name}-wal")
        self._newer = _committed(beside.read_bytes(), self.size) if beside.is_file() else {}
        self.count = max(len(self._content) // self.size, max(self._newer, default=0))

    def page(self, number: int) -> bytes:
        """Page `number`, counted from 1. Torn: it is not there."""
        newer = self._newer.get(number)
        if newer is not None:
            return newer
        page = self._content[(number - 1) * self.size : number * self.size]
        if number < 1 or len(page) < self.size:
            raise Torn
        return page

    def rows(self) -> Iterator[Row]:
        """All rows of all tables."""
        for number in range(1, self.count + 1):
            try:
                page = self.page(number)
            except Torn:
                continue
            start = 100 if number == 1 else 0
            if page[start] != LEAF:
                continue
            (cells,) = struct.unpack_from(">H", page, start + 3)
            for cell in range(min(cells, (self.size - start - 8) // 2)):
                (at,) = struct.unpack_from(">H", page, start + 8 + 2 * cell)
                try:
                    yield self._row(number, page, at)
                except (Torn, IndexError, struct.error, UnicodeDecodeError, ValueError):
                    continue

    def _row(self, number: int, page: bytes, at: int) -> Row:
        length, at = _varint(page, at)
        rowid, at = _varint(page, at)
        if not 0 < length <= LONGEST:
            raise Torn
        payload, pages = self._payload(page, at, length)
        return Row((number, *pages), rowid, _values(payload))

    def _payload(self, page: bytes, at: int, length: int) -> tuple[bytes, list[int]]:
        """A row's bytes, and the pages that hold what did not fit into its own."""
        most, least = self.usable - 35, (self.usable - 12) * 32 // 255 - 23
        local = length
        if length > most:
            local = least + (length - least) % (self.usable - 4)
            local = local if local <= most else least
        pages: list[int] = []
        parts, left = [page[at : at + local]], length - local
        if len(parts[0]) < local:
            raise Torn
        follow = int.from_bytes(page[at + local : at + local + 4], "big") if left else 0
        while left:
            if len(pages) > self.count:
                raise Torn  # round in a circle
            more = self.page(follow)
            pages.append(follow)
            part = more[4 : 4 + min(left, self.usable - 4)]
            parts.append(part)
            left -= len(part)
            follow = int.from_bytes(more[:4], "big")
        return b"".join(parts), pages


def _values(payload: bytes) -> tuple:
    head, at = _varint(payload, 0)
    if head > len(payload):
        raise Torn
    kinds = []
    while at < head:
        kind, at = _varint(payload, at)
        kinds.append(kind)
        if len(kinds) > MOST_COLUMNS or kind < 0 or kind in (10, 11):
            raise Torn
    values, at = [], head
    for kind in kinds:
        length = _SIZES.get(kind, 8 if kind == 7 else 0 if kind < 12 else (kind - 12) // 2)
        part = payload[at : at + length]
        at += length
        if len(part) < length:
            raise Torn
        values.append(_value(kind, part))
    if at != len(payload):
        raise Torn
    return tuple(values)


def _value(kind: int, part: bytes) -> object:
    if kind in _SIZES:
        return int.from_bytes(part, "big", signed=True)
    if kind == 7:
        return struct.unpack(">d", part)[0]
    if kind < 12:
        return {0: None, 8: 0, 9: 1}[kind]
    return part.decode() if kind % 2 else part


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(9):
        byte = data[at + k]
        if k == 8:
            value = value << 8 | byte
            return (value - (1 << 64) if value >> 63 else value), at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + k + 1
    raise Torn


def _committed(log: bytes, size: int) -> dict[int, bytes]:
    """Page number -> its newest committed content in a write-ahead log."""
    if len(log) < 32:
        return {}
    magic, _, page_size = struct.unpack_from(">III", log)
    if magic not in _WAL or page_size != size:
        return {}
    order, salt = _WAL[magic], log[16:24]
    sums = _summed(log[:24], (0, 0), order)
    committed: dict[int, bytes] = {}
    new: dict[int, bytes] = {}
    for at in range(32, len(log) - size - 23, size + 24):
        number, pages = struct.unpack_from(">II", log, at)
        page = log[at + 24 : at + 24 + size]
        sums = _summed(log[at : at + 8] + page, sums, order)
        if log[at + 8 : at + 16] != salt or struct.unpack_from(">II", log, at + 16) != sums:
            break  # of an earlier round, or not written to its end
        new[number] = page
        if pages:  # a transaction's last
            committed |= new
            new = {}
    return committed


def _summed(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    a, b = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for x, y in zip(words[::2], words[1::2], strict=True):
        a = (a + x + b) & 0xFFFFFFFF
        b = (b + y + a) & 0xFFFFFFFF
    return a, b
