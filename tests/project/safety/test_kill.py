"""A process that edits, imports and exports is killed at random moments: nothing acknowledged is lost.

The killing is done by benchmarks/kill_store.py and kill_commands.py, 200 times each; here it is done 30 and 10 times.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

KILLS = Path(__file__).resolve().parents[3] / "benchmarks" / "kill_store.py"


COMMANDS = KILLS.with_name("kill_commands.py")


def test_killed_import_and_export_commands_leave_nothing_half_done():
    done = subprocess.run([sys.executable, COMMANDS, "--kills", "10"], capture_output=True, text=True)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["wrong"] == [] and result["kills"] == 10
    assert sum(count for name, count in result["hit"].items() if "at work" in name) >= 3


def test_nothing_acknowledged_is_lost_by_kills():
    done = subprocess.run([sys.executable, KILLS, "--kills", "30", "--exports", "5"], capture_output=True, text=True)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["lost"] == [] and result["kills"] == 30
    assert result["acknowledged"]["edit"] > 30 and result["acknowledged"]["export"] > 3


def test_an_export_is_on_disk_before_it_takes_its_name(sqlite_project, hand_id, tmp_path, monkeypatch):
    from annotator.formats import writer
    from annotator.formats.transfer.from_project import labelled_hands

    synced, sync, rename = [], os.fsync, Path.rename

    def noting_sync(handle):
        synced.append(os.fstat(handle).st_ino)
        sync(handle)

    def noting_rename(path, target):
        if Path(target) == tmp_path / "set":
            missing = [file for file in (path, *path.rglob("*")) if file.stat().st_ino not in synced]
            assert not missing, f"not on disk yet: {missing}"
            synced.append("renamed")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(Path, "rename", noting_rename)
    writer("freihand").write(labelled_hands(sqlite_project, ["proposed"]), tmp_path / "set")
    assert tmp_path.stat().st_ino in synced[synced.index("renamed") :]  # the name itself, too
