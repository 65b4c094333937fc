"""docs/project.md says what a project promises: each promise names the tests that hold it, and these exist."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "project.md").read_text(encoding="utf-8").split("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]


@lru_cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@lru_cache
def one_of(name: str) -> Path:
    """A file of the project's tests by its bare name."""
    found = list((ROOT / "tests" / "project").rglob(name))
    return found[0] if len(found) == 1 else ROOT / name


def named(cell: str) -> list[tuple[Path, str]]:
    """(file, test) of `file.py::test`, `::test` (the file named before) and `file.py` (any test of it)."""
    found, file = [], None
    for name in re.findall(r"`([^`]+)`", cell):
        path, _, test = name.partition("::")
        if path.startswith(("tests/", "test_")):
            file = ROOT / path if "/" in path else one_of(path)
        elif path:
            continue  # a benchmark
        found.append((file, test))
    return found


def test_every_promise_names_its_tests():
    assert len(ROWS) > 15
    for promise, tests in ROWS:
        assert named(tests), f"no test holds: {promise}"


def test_every_named_test_exists():
    for promise, tests in ROWS:
        for file, test in named(tests):
            assert file is not None and file.is_file(), f"{file} ({promise})"
            known = {name for name in functions(file) if name.startswith("test_")}
            assert test in known if test else known, f"{file.name} has no {test} ({promise})"


def test_every_named_benchmark_exists():
    text = (ROOT / "docs" / "project.md").read_text(encoding="utf-8")
    for name in re.findall(r"benchmarks/\w+\.py", text):
        assert (ROOT / name).is_file(), name
