"""README.md and docs hold the tables that the registries make."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location("tables", ROOT / "docs" / "tables.py")
tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tables)


@pytest.mark.parametrize("name", tables.PLACES)
def test_a_page_holds_its_table(name):
    page, make = tables.PLACES[name]
    text = (ROOT / page).read_text(encoding="utf-8")
    assert tables.with_table(text, name, make()) == text, "write it anew: python docs/tables.py"


@pytest.mark.parametrize("table", tables.REGISTRIES, ids=lambda table: table.group)
def test_entries_say_what_they_are(table):
    for name, entry in table.built_in.items():
        assert entry.name == name and entry.summary and "\n" not in tables.plain(entry.summary)


@pytest.mark.parametrize("table", tables.REGISTRIES, ids=lambda table: table.group)
def test_tables_are_open(table, monkeypatch):
    class Found:
        name, value = "theirs", "package:entry"

        def load(self):
            return "entry"

    monkeypatch.setattr("annotator.registry.entry_points", lambda group: [Found()] if group == table.group else [])
    assert table.names()[-1] == "theirs" and "theirs" in table and table["theirs"]


def test_formats_are_found_where_the_table_says():
    for entry in tables.FORMATS.built_in.values():
        module = entry.load()
        assert hasattr(module, "write") == entry.writes or not entry.writes
        assert all(hasattr(module, verb) for verb, has in (("write", entry.writes), ("read", entry.reads)) if has)


def test_the_help_names_all_strategies():
    text = (ROOT / "annotator" / "cli" / "learning" / "rank.py").read_text(encoding="utf-8")
    assert all(name in text for name in tables.STRATEGIES.built_in)


def test_the_picture_of_the_rooms_is_that_of_the_imports():
    spec = importlib.util.spec_from_file_location("picture", ROOT / "docs" / "architecture_picture.py")
    picture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(picture)
    assert picture.PICTURE.read_text(encoding="utf-8") == picture.svg(), "python docs/architecture_picture.py"


def test_every_benchmark_is_in_the_table_once():
    listed = [name for names in tables.BENCHMARKS.values() for name in names.split()]
    scripts = {
        path.stem
        for path in (ROOT / "benchmarks").glob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert sorted(listed) == sorted(scripts)
