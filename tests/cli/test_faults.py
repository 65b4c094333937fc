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


@pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="failing calls need Linux and a C compiler"
)
def test_commands_whose_calls_fail_lose_nothing_and_say_why():
    done = subprocess.run([sys.executable, FAULTS, "--most", "2", "--only", COMMANDS], capture_output=True, text=True)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["wrong"] == [] and result["commands"] == 6
    assert set(result["failures"]) == {"write", "sync", "read", "rename", "open", "remove"}
    assert result["ended"]["said so"] > 30


@pytest.mark.parametrize("error", [OSError(28, "No space left on device", "/disk/file"), MemoryError()])
def test_what_nobody_nearer_caught_is_one_line(folder, monkeypatch, capsys, error):
    from annotator.project import Project

    def failing(*_arguments):
        raise error

    monkeypatch.setattr(Project, "set_state", failing)
    (hand, *_) = [entry.id for entry in Project.open(folder).hands()]
    assert main(["reject", str(folder), hand]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and ("/disk/file: No space" in said or "memory" in said)
