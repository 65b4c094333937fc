"""Integrity: checks, migrations with a copy, snapshots, photos that move, and where a label came from."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from annotator.errors import InputError
from annotator.project import Project
from annotator.project.storage.schema import VERSION
from annotator.project.storage.sqlite import FILE

OLD = Path(__file__).parents[1] / "data" / "version-1.sql"


@pytest.fixture
def old_project(tmp_path):
    """A project's folder as version 1 wrote it: two hands, edits, undo, redo."""
    (tmp_path / "old").mkdir()
    database = sqlite3.connect(tmp_path / "old" / FILE)
    database.executescript(OLD.read_text(encoding="utf-8"))
    database.close()
    return tmp_path / "old"


def test_an_old_project_is_migrated_and_a_copy_kept(old_project):
    with Project.open(old_project) as project:
        assert project.verify() == []
        first, second = project.hands()
        assert (first.state, second.state, first.version) == ("in work", "accepted", 6)
        assert project.hand(first.id).corrections == {8: (1.5, 2.5)}
        project.redo(first.id)
        assert project.hand(first.id).joint_states[0] == "occluded"
        assert project.lease(second.id)
        assert project.verify() == []
    copy = sqlite3.connect(old_project / f"{FILE}.version-1")
    assert copy.execute("select value from meta where key = 'schema'").fetchone() == ("1",)
    assert copy.execute("select count(*) from events").fetchone() == (8,)
    copy.close()


def test_a_migrated_project_is_like_a_new_one(old_project, tmp_path):
    with Project.open(old_project) as old, Project.create(tmp_path / "new") as new:
        shapes = []
        for project in (old, new):
            with sqlite3.connect(project.folder / FILE) as database:
                rows = database.execute("select type, name from sqlite_master where name not like 'sqlite_%'")
                names = {row for row in rows if row[0] != "trigger"}
                columns = {
                    (name, column[1]) for kind, name in names if kind == "table"
                    for column in database.execute(f"pragma table_info({name})")
                }  # fmt: skip
            database.close()
            shapes.append((names, columns))
        assert shapes[0] == shapes[1]
    with sqlite3.connect(old_project / FILE) as database:
        with pytest.raises(sqlite3.IntegrityError, match="only be added to"):
            database.execute("update events set who = 'nobody'")
    database.close()


def test_a_migration_that_fails_changes_nothing(old_project, monkeypatch):
    from annotator.project.storage import migrations

    def half(connection):
        connection.exec_driver_sql("ALTER TABLE photos ADD COLUMN bytes BIGINT")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setitem(migrations.STEPS, 1, half)
    with pytest.raises(InputError, match="disk is full"):
        Project.open(old_project)
    monkeypatch.undo()
    with Project.open(old_project) as project:
        assert project.verify() == [] and len(project.hands()) == 2
    assert VERSION == max(migrations.STEPS) + 1


@pytest.mark.parametrize("column, value", [("who", "'Eve'"), ("at", "'2020'"), ("note", "'{}'"), ("base", "null")])
def test_any_change_of_the_journal_is_found(project, hand_id, make_hand, raw, column, value):
    project.edit(hand_id, make_hand(1), note={"joint": "wrist"})
    project.set_state(hand_id, "accepted")
    if project._database.engine.dialect.name == "sqlite":
        raw("drop trigger events_no_update")
    else:
        raw("drop trigger events_only_grow on events")
    raw(f"update events set {column} = {value} where seq = 2")
    assert project.verify() == [f"hand {hand_id}: the journal of hand {hand_id} is damaged at event 2"]


def test_removed_events_are_found(project, hand_id, make_hand, raw):
    other = project.add_proposal(1, make_hand(4), project_source())
    if project._database.engine.dialect.name == "sqlite":
        raw("drop trigger events_no_delete")
    else:
        raw("drop trigger events_only_grow on events")
    for table in ("events", "records"):
        raw(f"delete from {table} where hand = :hand", hand=hand_id)
    found = project.verify()
    assert "some were removed" in found[0] and hand_id in found[1] and other not in " ".join(found)


def project_source():
    from annotator.project import Provenance

    return Provenance("test", "e" * 64)


def test_a_snapshot_is_the_project_as_it_was(project, hand_id, make_hand, tmp_path):
    project.edit(hand_id, make_hand(1, corrections={8: (5, 6)}))
    project.set_state(hand_id, "accepted")
    project.who = "Bob"
    project.review(hand_id, True)
    project.who = "Ada"
    taken = project.snapshot()
    project.set_state(hand_id, "rejected")
    assert taken.parent == project.folder / "snapshots"
    assert [path.name for path in taken.parent.iterdir()] == [taken.name]
    (tmp_path / "restored").mkdir()
    shutil.copy(taken, tmp_path / "restored" / FILE)
    for place in (taken, tmp_path / "restored"):
        with Project.open(place) as copy:
            assert copy.verify(photos=True) == []
            assert (copy.hand(hand_id).state, copy.hand(hand_id).corrections) == ("accepted", {8: (5.0, 6.0)})
            assert copy.history(hand_id) == project.history(hand_id)[:-1]
            assert copy.origin(hand_id).reviewed_by == ("Bob",)
    with Project.open(tmp_path / "restored") as copy:
        copy.undo(hand_id)
        assert copy.verify() == []
    with pytest.raises(InputError, match="exists already"):
        project.snapshot(taken)


def test_photos_that_moved_are_found_by_content(project, photo_file, sample_photos, make_hand, source, tmp_path):
    (tmp_path / "a").mkdir()
    place = shutil.copy(photo_file, tmp_path / "a" / "one.jpg")
    photo = project.add_photo(place)
    hand = project.add_proposal(photo, make_hand(), source)
    assert project.verify(photos=True) == []
    shutil.move(tmp_path / "a", tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "one.jpg").rename(tmp_path / "elsewhere" / "renamed.png")
    shutil.copy(sample_photos[0], tmp_path / "elsewhere" / "one.jpg")  # the old name on another photo
    assert "is not there" in project.verify(photos=True)[0]
    assert project.find_photos(tmp_path / "elsewhere") == {str(place): tmp_path / "elsewhere" / "renamed.png"}
    assert project.hand(hand).photo.path == tmp_path / "elsewhere" / "renamed.png"
    assert project.verify(photos=True) == [] and project.find_photos(tmp_path) == {}


def test_a_photo_that_changed_is_found(project, photo_file, sample_photos, tmp_path):
    place = shutil.copy(photo_file, tmp_path / "one.jpg")
    project.add_photo(place)
    shutil.copy(sample_photos[0], place)
    assert project.verify(photos=True) == [f"photo {place} is not the one that was added"]


def test_photos_copied_in_outlive_their_originals(project, photo_file, sample_photos, tmp_path):
    files = [shutil.copy(file, tmp_path / f"{k}.jpg") for k, file in enumerate((photo_file, sample_photos[0]))]
    photo = project.add_photo(files[0], copy=True)
    other = project.add_photo(files[1])
    assert len(project.copy_photos()) == 1 and project.copy_photos() == []
    for file in files:
        Path(file).unlink()
    assert project.verify(photos=True) == []
    for number in (photo, other):
        assert (project.folder / "photos") in project.photo(number).path.parents


def test_origin_says_who_made_a_label(project, hand_id, make_hand):
    assert project.origin(hand_id).as_dict() == {
        "proposed_by": "Ada", "edited_by": [], "accepted_by": "", "reviewed_by": [], "seconds": 0, "drags": 0,
        "events": 1,
    }  # fmt: skip
    project.edit(hand_id, make_hand(1), note={"joint": "wrist", "seconds": 2.5, "drags": 1})
    project.who = "Bob"
    project.edit(hand_id, make_hand(2), note={"joint": "wrist", "seconds": 1.25})
    project.set_state(hand_id, "accepted", note={"seconds": "a text"})
    made = project.origin(hand_id)
    assert (made.edited_by, made.accepted_by, made.seconds, made.drags) == (("Ada", "Bob"), "Bob", 3.75, 2)
    project.undo(hand_id)
    assert project.origin(hand_id).accepted_by == ""


def test_a_folder_joins_a_shared_project(new_schema, tmp_path, photo_file, make_hand, source):
    url = new_schema()
    with Project.open_or_create(tmp_path / "ada", "Ada", url) as ada:
        hand = ada.add_proposal(ada.add_photo(photo_file, copy=True), make_hand(), source)
    with Project.open_or_create(tmp_path / "bob", "Bob", url) as bob:
        bob.set_state(hand, "accepted")
    for place in (tmp_path / "ada", tmp_path / "bob", url):
        with Project.open(place) as project:
            assert project.hand(hand).state == "accepted" and project.verify() == []
    with pytest.raises(InputError, match="holds a project already"):
        Project.create(url)
    with pytest.raises(InputError, match="names another database"):
        Project.open_or_create(tmp_path / "ada", database=url + "x")


@pytest.mark.parametrize(
    "url, text",
    [("mysql://host/x", "SQLite or PostgreSQL"), ("postgresql://", "project|reached|closed|exist|refuse|postgresql"),
     ("postgresql://nobody:secret@/x?host=/nowhere", "cannot be reached")],
)  # fmt: skip
def test_a_database_that_cannot_be_reached(url, text):
    pytest.importorskip("psycopg")
    with pytest.raises(InputError, match=text) as caught:
        Project.open(url)
    assert "secret" not in str(caught.value)


def test_a_project_toml_that_names_nothing(tmp_path):
    (tmp_path / "project.toml").write_text("datbase = 3")
    with pytest.raises(InputError, match="names no database"):
        Project.open(tmp_path)
