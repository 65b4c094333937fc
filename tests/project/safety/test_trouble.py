"""Folders, files and records that are not as they should be: one clear line, and the project stays whole."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from annotator.errors import InputError
from annotator.project import Project
from annotator.project.records.record import HandRecord, apply, pack
from annotator.project.storage.sqlite import FILE, SqliteDatabase


def test_a_missing_project(tmp_path):
    with pytest.raises(InputError, match="no project in .*nothing"):
        Project.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_second_project_in_the_same_folder(project):
    with pytest.raises(InputError, match="holds a project already"):
        Project.create(project.folder)
    with Project.open_or_create(project.folder) as again:
        assert again.status()["photos"] == 0


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="cannot make the folder"):
        Project.create(tmp_path / "file" / "project")


@pytest.mark.parametrize(
    "content", [b"", b"a text, not a database" * 100, b"SQLite format 3\x00" + bytes(range(256)) * 20]
)
def test_a_file_that_is_no_project(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InputError, match="project.db"):
        Project.open(tmp_path)


def test_another_databases_file(tmp_path):
    database = sqlite3.connect(tmp_path / FILE)
    database.execute("create table dogs (name text)")
    database.commit()
    database.close()
    with pytest.raises(InputError, match="is not a project database"):
        Project.open(tmp_path)


def test_a_project_that_was_killed_while_it_was_made(tmp_path):
    (tmp_path / FILE).touch()  # SQLite makes the file first, and all tables in one step
    with pytest.raises(InputError, match="is not a project database"):
        Project.open(tmp_path)
    with Project.open_or_create(tmp_path) as project:
        assert project.verify() == [] and project.hands() == []
    other = tmp_path / "other"
    other.mkdir()
    database = sqlite3.connect(other / FILE)
    database.execute("create table dogs (name text)")
    database.commit()
    database.close()
    with pytest.raises(InputError, match="is not a project database"):
        Project.open_or_create(other)  # somebody else's stays as it is


def test_a_project_of_another_version(sqlite_project):
    project = sqlite_project
    project.close()
    database = sqlite3.connect(project.folder / FILE)
    database.execute("update meta set value = '99' where key = 'schema'")
    database.commit()
    database.close()
    with pytest.raises(InputError, match="schema version 99"):
        Project.open(project.folder)


def test_a_project_with_a_hole(sqlite_project, hand_id):
    project = sqlite_project
    project.close()
    path = project.folder / FILE
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        with Project.open(project.folder) as damaged:
            damaged.hand(hand_id)


def test_a_locked_project(sqlite_project, hand_id):
    project = sqlite_project
    project.close()
    other = sqlite3.connect(project.folder / FILE, isolation_level=None)
    other.execute("begin immediate")
    with Project.open(project.folder) as waiting:
        waiting._database.close()
        waiting._database = SqliteDatabase(project.folder / FILE, patience=0.1)
        assert waiting.hand(hand_id).state == "proposed"  # reading does not wait for a writer
        with pytest.raises(InputError, match="locked by another process"):
            waiting.set_state(hand_id, "accepted")
        other.execute("rollback")
        other.close()
        assert waiting.set_state(hand_id, "accepted") == 2


def test_a_locked_project_on_postgresql(new_schema, tmp_path, photo_file, make_hand, source):
    from sqlalchemy import create_engine

    from annotator.project.storage.postgresql import PostgresqlDatabase, _lock

    url = new_schema()
    with Project.create(tmp_path / "project", database=url) as project:
        hand_id = project.add_proposal(project.add_photo(photo_file), make_hand(), source)
        project._database.close()
        project._database = PostgresqlDatabase(url, patience=0.1)
        other = create_engine(url)
        with other.begin() as connection:
            _lock(connection, 1.0)
            assert project.hand(hand_id).state == "proposed"  # reading does not wait for a writer
            with pytest.raises(InputError, match="locked by another process"):
                project.set_state(hand_id, "accepted")
        other.dispose()
        assert project.set_state(hand_id, "accepted") == 2


@contextmanager
def nobody():
    """Root may write anywhere: as root, act as the user `nobody` for a while."""
    root = hasattr(os, "getuid") and os.getuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def open_way():
    """A folder that others than its owner can reach (pytest's own cannot)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_read_only_project(open_way, photo_file, make_hand, source):
    with Project.create(open_way / "project") as project:
        photo = shutil.copy(photo_file, open_way / "one.jpg")
        hand_id = project.add_proposal(project.add_photo(photo), make_hand(), source)
    project.folder.chmod(0o555)
    with nobody():
        with Project.open(project.folder) as locked:  # it can be looked at
            assert locked.hand(hand_id).state == "proposed" and locked.verify(photos=True) == []
            for change in (
                lambda: locked.set_state(hand_id, "accepted"),
                lambda: locked.lease(hand_id),
                lambda: locked.snapshot(),
                lambda: locked.add_photo(photo, copy=True),
            ):
                with pytest.raises(InputError, match="read-only|[Pp]ermission"):
                    change()
        with pytest.raises(InputError, match="cannot make the folder|read-only|cannot be opened"):
            Project.create(project.folder / "another")
    project.folder.chmod(0o755)
    with Project.open(project.folder) as project:
        assert project.set_state(hand_id, "accepted") == 2 and project.verify() == []


FILL = """
import resource, sys
from annotator.errors import InputError
from annotator.project import Project
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
done = 1
with Project.open(sys.argv[1]) as project:
    try:
        for k in range(100000):
            done = project.edit(sys.argv[2], joint_states={k % 21: ("occluded", "confirmed")[k // 21 % 2]},
                                note={"remark": "x" * 3000})
    except InputError as error:
        print(done, error)
"""


@pytest.mark.parametrize("kind", ["small disk", "size limit"])
def test_a_full_disk_loses_nothing(tmp_path, photo_file, make_hand, source, kind):
    folder, limit = tmp_path / "disk", []
    folder.mkdir()
    if kind == "small disk":
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True)
        if mounted.returncode:
            pytest.skip("a small disk can only be mounted by root")
    else:
        limit = ["1500000"]
    try:
        with Project.create(folder / "project") as project:
            hand_id = project.add_proposal(project.add_photo(photo_file), make_hand(), source)
        done = subprocess.run(
            [sys.executable, "-c", FILL, project.folder, hand_id, *limit], capture_output=True, text=True
        )
        version, text = done.stdout.split(" ", 1)
        assert "disk" in text and str(project.folder) in text and int(version) > 20
        with Project.open(project.folder) as project:
            assert project.hand(hand_id).version == int(version) and project.verify() == []
            if kind == "small disk":
                with pytest.raises(InputError, match="cannot write .* nothing was left there"):
                    project.snapshot()
                assert not list(folder.glob("project/snapshots/.*")) + list(folder.glob("project/snapshots/*"))
    finally:
        if kind == "small disk":
            subprocess.run(["umount", "-l", folder], check=True)


def test_a_project_on_a_path_with_spaces_and_umlauts(tmp_path, photo_file, make_hand, source):
    folder = tmp_path / "Händé & 手 ?x=1#2%20 project"
    with Project.create(folder) as project:
        hand_id = project.add_proposal(project.add_photo(photo_file), make_hand(), source)
    with Project.open(folder / FILE) as project:
        assert project.hand(hand_id).photo.path == photo_file
    assert (folder / FILE).is_file()


def test_a_bad_photo_adds_nothing(project, photo_file, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("not a photo")
    with pytest.raises(InputError, match="text.jpg"):
        project.add_photos([photo_file, text])
    assert project.photos() == []


def test_a_transaction_that_fails_leaves_nothing(project, photo_file, make_hand, source, monkeypatch):
    """The disk fills up, say, while the second of two hands is written."""
    from annotator.project import journal

    photo, written, put = project.add_photo(photo_file), [], journal.propose

    def failing(*args, **kwargs):
        written.append(args)
        if len(written) == 2:
            raise sqlite3.OperationalError("database or disk is full")
        return put(*args, **kwargs)

    monkeypatch.setattr(journal, "propose", failing)
    with pytest.raises(InputError, match="disk is full"):
        project.add_proposals(photo, [make_hand(1), make_hand(2)], source)
    monkeypatch.undo()
    assert project.hands() == [] and project.status()["looked_at"] == 0 and project.verify() == []


WORKER = """
import sys
from annotator.project import Project
with Project.open(sys.argv[1]) as project:
    for k in range(100000):
        state = ("accepted", "flagged")[k % 2]
        version = project.set_state(sys.argv[2], state)
        print(version, state, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(project, hand_id):
    project.close()
    for wait in (0.02, 0.05, 0.11):
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(project.folder), hand_id], stdout=subprocess.PIPE, text=True
        )
        worker.stdout.readline()  # it has begun
        time.sleep(wait)
        worker.send_signal(signal.SIGKILL)
        said = worker.stdout.read().splitlines()
        worker.wait()
        # the last line may be torn; every whole one was acknowledged
        version, state = said[-2].split(" ", 1) if len(said) > 1 else (0, None)
        with Project.open(project.folder) as after:
            history = after.history(hand_id)
            assert len(history) >= int(version)
            assert [event.version for event in history] == list(range(1, len(history) + 1))
            assert after.verify() == []


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 500, b"\xff" * 2000])
def test_damaged_records_are_refused(data):
    with pytest.raises(InputError, match="damaged"):
        HandRecord.decode(data)
    with pytest.raises(InputError, match="damaged"):
        apply(data, None)


def test_a_packed_difference_leads_both_ways():
    before, after = bytes(range(256)) * 10, bytes(reversed(range(256))) * 10
    delta = pack(before, after)
    assert apply(delta, before) == after and apply(delta, after) == before
