"""A file that the system refuses to give is not called damaged, whichever reader asks for it."""

from __future__ import annotations

import builtins
import errno
import io
import os

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.files.paths import read_json
from annotator.files.serialization.npz_arrays import Arrays, read_npy
from annotator.formats import reader
from annotator.network.checkpoint import load_checkpoint
from annotator.network.frozen.recorded import RecordedNetwork
from annotator.project.storage.places import locate
from annotator.serving.access import tokens
from annotator.vision.images.depth_images import read_depth

FORBIDDEN = os.strerror(errno.EACCES)


@pytest.fixture
def refused(monkeypatch):
    """refused(path): the file is there, and whoever opens it is told that he may not."""

    def put(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"whole")
        there = io.open  # noqa: UP020  # what pathlib calls

        def opened(file, *arguments, **options):
            if not isinstance(file, int) and os.fspath(file) == str(path):
                raise PermissionError(errno.EACCES, FORBIDDEN, str(path))
            return there(file, *arguments, **options)

        monkeypatch.setattr(io, "open", opened)
        monkeypatch.setattr(builtins, "open", opened)
        return path

    return put


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("net.safetensors", RecordedNetwork.read),
        ("net.safetensors", load_checkpoint),
        ("project.toml", lambda path: locate(path.parent)),
        ("data.yaml", lambda path: list(reader("yolo-pose").read(path.parent))),
        ("hands.csv", lambda path: list(reader("csv").read(path))),
        ("labels.json", read_json),
        ("arrays.npz", Arrays),
        ("array.npy", read_npy),
        ("depth.npy", read_depth),
        ("tokens.json", tokens.read),
    ],
)
def test_what_the_system_refuses(tmp_path, refused, name, read):
    path = refused(tmp_path / name)
    with pytest.raises(InputError) as found:
        read(path)
    assert str(found.value) == f"cannot read {path}: {FORBIDDEN}"


def test_an_array_of_an_archive_on_a_failing_disk(tmp_path, monkeypatch):
    np.savez(tmp_path / "arrays.npz", a=np.zeros(4))
    arrays = Arrays(tmp_path / "arrays.npz")
    monkeypatch.setattr("zipfile.ZipExtFile.read", _raising(OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(InputError, match=f"cannot read .*arrays.npz: {os.strerror(errno.EIO)}"):
        arrays["a"]


@pytest.mark.parametrize(
    ("form", "name", "library"),
    [("parquet", "hands.parquet", "pyarrow.parquet.ParquetFile"), ("deeplabcut", "CollectedData_Me.h5", "h5py.File")],
)
def test_libraries_that_open_files_themselves(tmp_path, monkeypatch, form, name, library):
    pytest.importorskip(library.rpartition(".")[0])
    path = tmp_path / name
    path.write_bytes(b"whole")
    said = f"Unable to open file (name = '{path}',\n errno = 13, flags = 0)"  # as h5py says it, on two lines
    monkeypatch.setattr(library, _raising(PermissionError(errno.EACCES, said)))
    with pytest.raises(InputError) as found:
        list(reader(form).read(tmp_path))
    assert str(found.value) == f"cannot read {path}: {FORBIDDEN}"


def _raising(error):
    def fails(*_arguments, **_options):
        raise error

    return fails
