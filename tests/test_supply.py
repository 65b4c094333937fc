"""What an installation brings: the lock names every package once, with hashes and no place; licences are listed."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\;]+)", re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    return {normal(name): version for name, version in PIN.findall(text)}


@pytest.fixture(scope="module")
def locked() -> dict[str, str]:
    return pins(LOCK)


def test_every_package_of_the_lock_has_hashes():
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK)[1:]
    assert len(blocks) > 100
    for block in blocks:
        assert re.match(r"[a-z0-9._-]+==\S+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n?)+$", block), block[:80]


def test_the_lock_names_no_place():
    assert "://" not in LOCK and "--index-url" not in LOCK and "--find-links" not in LOCK and "@" not in LOCK


def test_the_lock_has_the_versions_everything_was_tested_with(locked):
    tested = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert len(tested) > 100
    assert {name: (locked[name], tested[name]) for name in locked.keys() & tested if locked[name] != tested[name]} == {}


def test_the_lock_has_all_that_is_required(locked):
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = settings["options"]["install_requires"]
    extras = ("gui", "train", "formats", "sleap", "postgres", "cluster", "serve", "test")
    wanted += "".join(settings["options.extras_require"][extra] for extra in extras)
    names = {normal(re.match(r"[A-Za-z0-9._-]+", line).group()) for line in wanted.split("\n") if line.strip()}
    assert len(names) > 20 and names <= set(locked)


def test_every_requirement_is_used():
    """What a plain installation brings is imported somewhere in it."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    imported = {"pillow": "PIL", "scikit-image": "skimage"}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "annotator").rglob("*.py"))
    for line in settings["options"]["install_requires"].split("\n"):
        if line.strip():
            name = re.match(r"[A-Za-z0-9._-]+", line.strip()).group()
            module = imported.get(name, name)
            assert re.search(rf"^\s*(import|from) {module}\b", code, re.MULTILINE), f"{name} is required and never used"


def test_licences_are_listed_and_what_gpl_means_is_said():
    table = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")
    ]
    listed = {normal(name): licence for name, _, licence in rows[1:]}
    assert len(listed) > 100 and all(listed.values())
    under_gpl = {name for name, licence in listed.items() if re.search(r"(?<![AL])GPL", licence)}
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert under_gpl == {"pyqt5"} and "PyQt5" in notice and "version 3" in notice
