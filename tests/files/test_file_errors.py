"""What a disk says of a file is not said of its content, and what its content is to blame for is."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.files.file_errors import reading, writing
from annotator.files.serialization.npz_arrays import read_npz, write_npz


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.EIO, "Input/output error"), "cannot read here.npz: Input/output error"),
        (OSError(errno.EIO, "Input/output error", "in/it"), "cannot read in/it: Input/output error"),
        (OSError("Unable to open file"), "here.npz is no table: Unable to open file"),  # HDF5's word on the content
        (FileNotFoundError(errno.ENOENT, "No such file", "in/it"), "here.npz is no table: there is no in/it"),
        (ValueError("of two columns"), "here.npz is no table: of two columns"),
        (InputError("said already"), "said already"),
    ],
)
def test_what_goes_wrong_while_a_file_is_read(error, said):
    with pytest.raises(InputError) as found, reading("here.npz", "is no table", ValueError):
        raise error
    assert str(found.value) == said


def test_what_nobody_expected_stays_what_it_is():
    with pytest.raises(TypeError), reading("here.npz", "is no table", ValueError):
        raise TypeError


def test_what_goes_wrong_while_a_file_is_written():
    with pytest.raises(InputError, match="cannot write log.csv: No space left"), writing("log.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_arrays_come_back_and_stay_whole_where_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "kept"  # numpy alone would write kept.npz
    write_npz(path, {"a": np.arange(3), "b": np.array(["x"])}, compressed=True)
    assert read_npz(path, ("b", "a"), "is damaged")["a"].tolist() == [0, 1, 2]

    def full(file, **_):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(InputError, match="kept: No space left"):
        write_npz(path, {"a": np.zeros(9)})
    assert read_npz(path, ["a"], "is damaged")["a"].tolist() == [0, 1, 2] and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_file_without_arrays(tmp_path, content):
    path = tmp_path / "cut.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cut.npz is damaged"):
        read_npz(path, ["a"], "is damaged")
    write_npz(path, {"b": np.zeros(1)})
    with pytest.raises(InputError, match="cut.npz is damaged: 'a"):
        read_npz(path, ["a"], "is damaged")
