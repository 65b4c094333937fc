"""Many photos and hands at once, on both back ends: the rows that one at a time would have made."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from annotator.errors import InputError
from annotator.project.entering import intake
from annotator.project.records.views import StoredPhoto
from annotator.project.storage.schema import events, hands, looked_at, meta, photos, records


@pytest.fixture(scope="module")
def prepared(make_hand):
    return [intake.prepare(make_hand(seed)) for seed in range(3)]


def one_by_one(project, looks, source) -> list:
    """`Project.add_looks` as its docstring says it, in plain steps."""
    added: list = []
    with project._database.writing() as connection:
        number = intake.add_source(connection, source)
        for header, some in looks:
            photo = intake.add_photo(connection, project.folder, header)
            if intake.was_looked_at(connection, photo, source.model_digest):
                added.append(None)
                continue
            intake.mark_looked_at(connection, photo, source.model_digest)
            stored = StoredPhoto(photo, header.path, header.sha256, header.height, header.width)
            added.append([intake.add_hand(connection, stored, number, hand, project.who) for hand in some])
    return added


def rows(project) -> dict:
    """All that is stored, but for times and what hangs on them."""
    apart = {"added", "at", "created", "changed", "chain", "relative"}
    with project._database.reading() as connection:
        return {
            table.name: [
                tuple(value for name, value in row.items() if name not in apart)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                if not str(row.get("key", "")).startswith(("project", "created"))
            ]
            for table in (photos, looked_at, hands, records, events, meta)
        }


# few names, contents and pictures, so that they meet
look = st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.sampled_from(["", "", "p", "q"]), st.integers(0, 3))


@given(batches=st.lists(st.lists(look, max_size=6), max_size=3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_at_once_are_stored_as_one_by_one(new_project, prepared, source, batches):
    with new_project() as together, new_project() as apart:
        for batch in batches:
            looks = [
                (intake.Header(Path(f"/photos/{name}.jpg"), f"{number:064x}", 100, 90, 7, picture=picture),
                 prepared[:count])
                for name, number, picture, count in batch
            ]  # fmt: skip
            assert together.add_looks(looks, source) == one_by_one(apart, looks, source)
        assert rows(together) == rows(apart)
        assert together.verify() == []


def test_what_travels_is_what_was_prepared(prepared):
    for one in prepared:
        again = intake.Prepared.unpack(one.pack())
        assert again.stored == one.stored and again.parametric == one.parametric
        assert again.record.encode() == one.record.encode()
    name, digest, delta, parametric = prepared[0].pack()
    for broken in (delta[:-4], b"", b"no record"):
        with pytest.raises(InputError):
            intake.Prepared.unpack((name, digest, broken, parametric))


def test_all_or_nothing(project, prepared, source, monkeypatch):
    """The rows of the last table are refused: nothing of the batch is there, and the project goes on."""
    looks = [(intake.Header(Path("/photos/a.jpg"), f"{1:064x}", 100, 90, 7), prepared)]
    before = rows(project)
    with monkeypatch.context() as broken:
        proposal_rows = intake.journal.proposal_rows

        def without_record(*given):
            event, hand, record = proposal_rows(*given)
            return event, hand, record | {"record": None}

        broken.setattr(intake.journal, "proposal_rows", without_record)
        with pytest.raises(InputError) as caught:
            project.add_looks(looks, source)
        assert "\n" not in str(caught.value)
    assert rows(project) == before
    assert project.add_looks(looks, source) == [["a-1", "a-2", "a-3"]] and project.verify() == []


def test_a_server_that_is_lost_in_the_middle_of_a_batch(new_schema, tmp_path, prepared, source, monkeypatch):
    from annotator.project import Project
    from annotator.project.entering import bulk

    with Project.create(tmp_path / "project", database=new_schema()) as project:
        write = bulk.write

        def cut(connection, table, some):
            if table.name == "records":
                number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
                with project._database.engine.connect() as other:
                    other.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 10000)")
            write(connection, table, some)

        monkeypatch.setattr(bulk, "write", cut)
        looks = [(intake.Header(Path("/photos/a.jpg"), f"{1:064x}", 100, 90, 7), prepared)]
        with pytest.raises(InputError, match="was closed by the server; nothing of this step was stored") as caught:
            project.add_looks(looks, source)
        assert "\n" not in str(caught.value)
        monkeypatch.setattr(bulk, "write", write)
        assert project.count_hands() == 0
        assert project.add_looks(looks, source) == [["a-1", "a-2", "a-3"]] and project.verify() == []
