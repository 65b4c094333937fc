"""Opening and reading a project writes nothing: not into the file, and not at all where nothing can be written."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from annotator.errors import InputError
from annotator.project import Project
from annotator.project.storage.sqlite import FILE


def looked_at_all(place: Path, hand_id: str) -> None:
    with Project.open(place) as project:
        assert project.hand(hand_id).state == "proposed" and project.mesh(hand_id).side == "right"
        assert project.status()["states"]["proposed"] == 1 and project.verify() == []
        assert len(project.history(hand_id)) == 1


def test_reading_leaves_every_file_as_it_is(sqlite_project, hand_id, tmp_path):
    project = sqlite_project
    snapshot = project.snapshot()
    project.close()
    for place, file in ((project.folder, project.folder / FILE), (snapshot, snapshot)):
        before, listed = file.read_bytes(), sorted(file.parent.iterdir())
        looked_at_all(place, hand_id)
        assert file.read_bytes() == before and sorted(file.parent.iterdir()) == listed


def test_a_snapshot_can_be_worked_on_in_a_folder_of_its_own(sqlite_project, hand_id, tmp_path):
    (tmp_path / "again").mkdir()
    shutil.copy(sqlite_project.snapshot(), tmp_path / "again" / FILE)
    with Project.open(tmp_path / "again") as again:
        assert again.set_state(hand_id, "accepted") == 2
    raw = sqlite3.connect(tmp_path / "again" / FILE)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


@pytest.fixture
def full_disk(tmp_path):
    """full_disk(): from now on not a byte more fits beside what is there."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("a small disk can only be mounted by root")

    def fill() -> None:
        with open(folder / "filled", "wb", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue

    yield folder, fill
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_can_be_read(full_disk, photo_file, make_hand, source):
    folder, fill = full_disk
    with Project.create(folder / "project") as project:
        hand_id = project.add_proposal(project.add_photo(photo_file), make_hand(), source)
    fill()
    looked_at_all(folder / "project", hand_id)
    with Project.open(folder / "project") as project:
        with pytest.raises(InputError, match="disk is full"):
            project.set_state(hand_id, "accepted")
        assert project.hand(hand_id).state == "proposed"
    (folder / "filled").unlink()
    with Project.open(folder / "project") as project:
        assert project.set_state(hand_id, "accepted") == 2 and project.verify() == []


def test_a_full_disk_can_be_read_with_what_was_written_last(full_disk, photo_file, make_hand, source, tmp_path):
    """What a killed program left beside the file counts."""
    folder, fill = full_disk
    with Project.create(tmp_path / "project") as project:
        hand_id = project.add_proposal(project.add_photo(photo_file), make_hand(), source)
        with Project.open(tmp_path / "project") as other:
            other.set_state(hand_id, "accepted")
        (folder / "project").mkdir()
        for ending in ("", "-wal"):  # both programs still at work: as if they had been killed
            shutil.copy(tmp_path / "project" / f"{FILE}{ending}", folder / "project")
    assert (folder / "project" / f"{FILE}-wal").stat().st_size
    fill()
    with Project.open(folder / "project") as project:
        assert project.hand(hand_id).state == "accepted" and project.verify() == []
