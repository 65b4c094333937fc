"""Calls of the operating system fail while commands write: nothing is lost, and the command says why in one line.

The failing is done by benchmarks/faults.py, which fails every call of every command in turn; here a few of some.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from annotator.cli import main

FAULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "faults.py"
COMMANDS = "accept,undo,snapshot,export-freihand,import-hamer-tar,propose-new"


needs_failing_calls = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="failing calls need Linux and a C compiler"
)


def swept(*options: str) -> dict:
    done = subprocess.run([sys.executable, FAULTS, *options], capture_output=True, text=True)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@needs_failing_calls
def test_commands_whose_calls_fail_lose_nothing_and_say_why():
    result = swept("--most", "2", "--only", COMMANDS)
    assert result["wrong"] == [] and result["commands"] == 6
    assert set(result["failures"]) == {"write", "sync", "read", "rename", "open", "remove"}
    assert result["ended"]["said so"] > 30


@needs_failing_calls
def test_commands_that_are_killed_at_a_call_leave_a_whole_project():
    result = swept("--most", "6", "--kinds", "killed", "--only", "migrate,snapshot,correct,hand-import")
    assert result["wrong"] == [] and result["ended"]["was killed"] > 20


@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "/disk/file"), MemoryError()])
def test_what_nobody_nearer_caught_is_one_line(folder, monkeypatch, capsys, error):
    from annotator.project import Project

    def failing(*_arguments):
        raise error

    monkeypatch.setattr(Project, "hands", failing)
    monkeypatch.setattr(Project, "status", failing)
    assert main(["status", str(folder)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and ("/disk/file: No space" in said or "memory" in said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_is_said():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "annotator.cli", "hand", "info", "free"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "No space left" in done.stderr
