"""A process that edits, imports and exports is killed at random moments: nothing acknowledged is lost.

The killing is benchmarks/kill_store.py's, which does it 200 times; here it is done 30 times.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KILLS = Path(__file__).resolve().parents[2] / "benchmarks" / "kill_store.py"


def test_nothing_acknowledged_is_lost_by_kills():
    done = subprocess.run([sys.executable, KILLS, "--kills", "30"], capture_output=True, text=True)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["lost"] == [] and result["kills"] == 30
    assert result["acknowledged"]["edit"] > 30 and result["acknowledged"]["export"] > 3
