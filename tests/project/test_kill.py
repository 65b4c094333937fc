"""A process that edits, imports and exports is killed at random moments: nothing acknowledged is lost.

The killing is done by benchmarks/kill_store.py and kill_commands.py, 200 times each; here it is done 30 and 10 times.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KILLS = Path(__file__).resolve().parents[2] / "benchmarks" / "kill_store.py"


COMMANDS = KILLS.with_name("kill_commands.py")


def test_killed_import_and_export_commands_leave_nothing_half_done():
    done = subprocess.run([sys.executable, COMMANDS, "--kills", "10"], capture_output=True, text=True)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["wrong"] == [] and result["kills"] == 10
    assert sum(count for name, count in result["hit"].items() if "at work" in name) >= 3


def test_nothing_acknowledged_is_lost_by_kills():
    done = subprocess.run([sys.executable, KILLS, "--kills", "30"], capture_output=True, text=True)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["lost"] == [] and result["kills"] == 30
    assert result["acknowledged"]["edit"] > 30 and result["acknowledged"]["export"] > 3
