"""The table of newcomers' questions in CONTRIBUTING.md names files that are there, and so does docs/architecture.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = 15  # at least


def rows() -> list[tuple[str, list[str]]]:
    """(question, files named) of each row of the table."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = re.search(r"## Where is \.\.\.\?\n(.*?)\n## ", text, re.DOTALL)
    assert section is not None
    cells = [line.strip("|").split("|") for line in section[1].splitlines() if line.startswith("|")][2:]
    return [(question.strip(), re.findall(r"`([\w./]+/[\w./]+)`", answer)) for question, answer in cells]


def test_there_are_enough_questions():
    assert len(rows()) >= QUESTIONS and len({question for question, _ in rows()}) == len(rows())


@pytest.mark.parametrize(("question", "files"), rows(), ids=[question for question, _ in rows()])
def test_the_files_are_there(question, files):
    assert files and all((ROOT / file).exists() for file in files)


def test_modules_on_the_way_of_a_photo_are_there():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    way = text[text.index("## The way of a photo") :].split("```")[1]
    named = re.findall(r"(?<![\w.])((?:vision|detection|network|model|project|correcting|formats)(?:\.[a-z_]+)+)", way)
    assert len(named) >= 8
    for name in named:
        path = ROOT / "annotator" / Path(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
