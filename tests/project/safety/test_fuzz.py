"""Files whose containers are sound and whose insides are hostile, through every parser: read or refused.

The files are those of benchmarks/fuzz.py, which makes them for ten minutes a parser; here a few of each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FILES = 7  # for each parser
FUZZ = Path(__file__).resolve().parents[3] / "benchmarks" / "fuzz.py"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each file is read in a forked process")
def test_hostile_insides_do_no_harm():
    done = subprocess.run([sys.executable, FUZZ, "--count", str(FILES)], capture_output=True, text=True)
    assert done.stdout, done.stderr
    parsers = json.loads(done.stdout)["parsers"]
    assert len(parsers) == 15 and all(one["files"] == FILES for one in parsers.values())
    assert [line for one in parsers.values() for line in one["harm"]] == []
    assert sum(one.get("refused", 0) for one in parsers.values()) > 50
