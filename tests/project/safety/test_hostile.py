"""Mutated and malicious files through every reader: refused with a clear error, never a crash, a hang or code run.

The files are benchmarks/hostile_files.py's, which makes 1,200 of them; here 190 with a fixed seed.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from annotator.errors import InputError
from annotator.files.paths import inside
from annotator.project import Project
from annotator.project.storage.sqlite import FILE
from annotator.vision.photos import read_photo

FILES = Path(__file__).resolve().parents[3] / "benchmarks" / "hostile_files.py"


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="each file is read in a forked process")
def test_hostile_files_do_no_harm():
    done = subprocess.run([sys.executable, FILES, "--count", "190"], capture_output=True, text=True)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["harm"] == [] and result["files"] == 190
    assert result["slowest"][0] < 10


def test_pipes_devices_and_links_in_a_data_set_are_refused(tmp_path, photo_file):
    """A pipe would be waited for without end, a device be read without end, a link show another file."""
    import os

    from annotator.formats import reader

    (tmp_path / "pipe.jpg").symlink_to(photo_file)
    (tmp_path / "pipe.json").write_text(json.dumps([{"keypoints": [[k, k] for k in range(21)]}]))
    with pytest.raises(InputError, match="leads out of the data set"):
        list(reader("hint").read(tmp_path))
    for name in ("hint", "coco", "csv", "hamer-npz", "hamer-tar", "parquet"):
        suffix = {"csv": "csv", "hamer-npz": "npz", "hamer-tar": "tar", "parquet": "parquet"}.get(name, "json")
        for kind in ("pipe", "device"):
            folder = tmp_path / f"{name}-{kind}"
            folder.mkdir()
            if kind == "pipe":
                os.mkfifo(folder / f"set.{suffix}")
            else:
                (folder / f"set.{suffix}").symlink_to("/dev/zero")
            with pytest.raises(InputError, match="not an ordinary file"):
                list(reader(name).read(folder))
    os.mkfifo(tmp_path / "photo.jpg")
    with pytest.raises(InputError, match="not an ordinary file"):
        read_photo(tmp_path / "photo.jpg")


def test_a_database_with_triggers_of_its_own_is_not_used(sqlite_project, hand_id):
    sqlite_project.close()
    database = sqlite3.connect(sqlite_project.folder / FILE)
    database.execute("create trigger t after insert on events begin select randomblob(1000000000); end")
    database.commit()
    database.close()
    with pytest.raises(InputError, match="holds 't', which this program does not make"):
        Project.open(sqlite_project.folder)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "link", "link/x", "."])
def test_names_in_a_data_set_cannot_leave_it(tmp_path, name):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="leads out of the data set"):
        inside(tmp_path / "set", name)
    assert inside(tmp_path / "set", "a/b.jpg") == tmp_path / "set" / "a" / "b.jpg"
