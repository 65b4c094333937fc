"""Photos wherever they are: folders, patterns, Parquet files, object stores. Each becomes a row that a worker reads.

A URL (`s3://bucket/frames`, `gs://...`, `file:///...`) goes to pyarrow's file systems; what follows is the same for
all: a folder stands for the images below it, `*`, `?` and `[` are patterns, `.parquet` is a table with one photo a row,
either in it (`image` as data sets keep it, or `bytes`) or named by it (`path` or `url`).
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from annotator.cluster.engine import needed
from annotator.errors import InputError
from annotator.files.file_errors import reading
from annotator.files.photo_paths import SUFFIXES, photo_files

MAGIC = re.compile(r"[*?\[]")
COLUMNS = ("image", "bytes", "path", "url")  # of a table, the first that is there


@dataclass
class Found:
    """files: paths and URLs of image files; tables: (Parquet file, its column of photos); empty: (given, why not)."""

    files: list[str] = field(default_factory=list)
    tables: list[tuple[str, str]] = field(default_factory=list)
    empty: list[tuple[str, str]] = field(default_factory=list)


def is_url(text: str) -> bool:
    """Whether this names a place in a file system of pyarrow's, not of this machine."""
    return re.match(r"[a-z][a-z0-9+.-]+://", text) is not None


def find(given: Sequence[str]) -> Found:
    """What these paths, folders, patterns and URLs stand for, each file once."""
    found = Found()
    for one in given:
        if not is_url(one) and not one.endswith(".parquet"):
            files, empty = photo_files([one])
            found.empty += empty
            _take(found, [str(file) for file in files])
            continue
        try:
            names = _listed(one) if is_url(one) else [one]
        except (OSError, ValueError) as error:
            found.empty.append((one, f"cannot be listed: {error}"))
            continue
        if not names:
            found.empty.append((one, "there is no image or Parquet file"))
        _take(found, names)
    return found


def _take(found: Found, names: Sequence[str]) -> None:
    known = set(found.files) | {table for table, _ in found.tables}
    for name in names:
        if name in known:
            continue
        if not name.endswith(".parquet"):
            found.files.append(name)
            continue
        try:
            found.tables.append((name, _column(name)))
        except (OSError, ValueError) as error:
            found.empty.append((name, str(error)))


def filesystem(place: str):
    """(file system of pyarrow's, the path in it) of a path or URL."""
    fs = needed("pyarrow.fs")
    if is_url(place):
        return fs.FileSystem.from_uri(place)
    return fs.LocalFileSystem(), place


def _listed(url: str) -> list[str]:
    """The image and Parquet files that a URL stands for, as URLs, sorted."""
    fs = needed("pyarrow.fs")
    magic = MAGIC.search(url)
    base = url if magic is None else posixpath.dirname(url[: magic.start()] + "x")
    where, path = fs.FileSystem.from_uri(base)
    info = where.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        return []
    if magic is None and info.is_file:
        return [url]
    prefix = base[: len(base) - len(path)] if base.endswith(path) else base.split("://")[0] + "://"
    selector = fs.FileSelector(path, recursive=magic is None or "**" in url)
    names = [prefix + item.path for item in where.get_file_info(selector) if item.is_file]
    if magic is not None:
        pattern = re.compile(fnmatch.translate(url))
        names = [name for name in names if pattern.match(name)]
    else:
        names = [name for name in names if "/." not in name[len(base) :]]
    return sorted(name for name in names if posixpath.splitext(name)[1].lower() in {*SUFFIXES, ".parquet"})


def _column(name: str) -> str:
    parquet = needed("pyarrow.parquet")
    where, path = filesystem(name)
    schema = parquet.read_schema(path, filesystem=where)
    for column in COLUMNS:
        if column in schema.names:
            return column
    raise InputError(f"this table has no column {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]}")


def groups(table: str) -> int:
    """How many row groups a Parquet file has: the pieces that workers read."""
    parquet = needed("pyarrow.parquet")
    where, path = filesystem(table)
    return parquet.read_metadata(path, filesystem=where).num_row_groups


def rows(table: str, column: str, group: int) -> Iterator[dict]:
    """The photos of a table's row group: {"place", "content"}; no content where the table only names the file."""
    parquet = needed("pyarrow.parquet")
    where, path = filesystem(table)
    with where.open_input_file(path) as file:
        number = 0
        for part in parquet.ParquetFile(file).iter_batches(64, row_groups=[group], columns=[column]):
            for value in part.column(0).to_pylist():
                yield _row(table, column, f"{group}.{number}", value)
                number += 1


def _row(table: str, column: str, number: str, value) -> dict:
    place = f"{table}#{number}"
    if column in ("path", "url"):
        return {"place": str(value), "content": b""}
    if column == "image":
        value = value or {}
        name, value = posixpath.basename(value.get("path") or ""), value.get("bytes")
        place += f"/{name}" if name else ""
    return {"place": place, "content": value or b""}


def content_of(place: str) -> bytes:
    """A file's bytes, from wherever it is. InputError naming it."""
    where, path = filesystem(place)
    with reading(place, "is no file", ValueError), where.open_input_stream(path) as file:
        return file.read()
