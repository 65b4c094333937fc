"""A table that is imported again, from wherever: recognised; what differs is listed, and taken over if asked."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from annotator.cli import main
from annotator.formats import writer
from annotator.formats.transfer.to_project import import_records
from annotator.project import Project


@pytest.fixture
def written(records, tmp_path):
    writer("coco-wholebody").write(records, tmp_path / "set")
    return tmp_path / "set"


def run(capfd, place, *more):
    code = main(["import", str(place), "--format", "coco-wholebody", "--json", *map(str, more)])
    out, err = capfd.readouterr()
    assert code == 0, err
    return json.loads(out)


def test_from_another_place(written, tmp_path, capfd):
    first = run(capfd, written, "--project", tmp_path / "p")
    assert first["hands"] == 3 and first["states"] == {"accepted": 3}  # our exports bring their states
    moved = shutil.copytree(written, tmp_path / "elsewhere" / "under another name")
    again = run(capfd, moved, "--project", tmp_path / "p")
    assert again["hands"] == 0 and again["done_before"] == 3 and not again["differs"]


def test_what_differs_is_listed_and_taken_over(records, tmp_path):
    def given(shift):
        return [replace(r, keypoints=r.keypoints + shift, provenance={"data_set": "test"}) for r in records]

    with Project.create(tmp_path / "p", who="Ada") as project:
        assert import_records(project, given(0.0), "coco:here", lambda: None).hands == 3
        ids = [hand.id for hand in project.hands()]
        project.edit(ids[0], None, {3: "occluded"})  # somebody has worked on it since
        done = import_records(project, given(2.0), "coco:there", lambda: None)
        assert done.hands == 0 and done.differs == ids and not done.updated
        done = import_records(project, given(2.0), "coco:there", lambda: None, update=True)
        assert done.differs == ids and done.updated == ids[1:]
        done = import_records(project, given(2.0), "coco:there", lambda: None)
        assert done.differs == ids[:1] and len(project.hands()) == 3 and project.verify() == []


def test_a_project_by_its_url_is_no_folder(written, tmp_path, capfd, monkeypatch):
    """As all commands take it: a URL is a database, and never a local folder of that name."""
    monkeypatch.chdir(tmp_path)
    code = main(["import", str(written), "--format", "coco-wholebody", "--project", "postgresql://localhost:1/none"])
    err = capfd.readouterr().err
    assert code == 2 and len(err.strip().splitlines()) == 1, err
    assert not list(tmp_path.glob("postgresql*"))


def test_every_command_takes_a_project_as_text():
    """One type for all: a pathlib.Path would make one slash of a URL's two."""
    import importlib
    import inspect
    from pathlib import Path
    from typing import get_args, get_type_hints

    from annotator.cli.registry import COMMANDS

    found = 0
    for module in COMMANDS.values():
        name, _, function = str(module).partition(":")
        command = getattr(importlib.import_module(f"annotator.cli.{name}"), function or "command", None)
        hints = get_type_hints(command, include_extras=True) if command else {}
        if "project" in inspect.signature(command).parameters if command else False:
            kind = get_args(hints["project"])[0]
            assert kind is str or Path not in (kind, *get_args(kind)), module
            found += 1
    assert found > 10


def test_labels_say_what_they_are(records):
    from annotator.formats.transfer.marks import label_digest

    one = records[0]
    assert label_digest(one) == label_digest(replace(one, id="x"))
    assert label_digest(one) != label_digest(replace(one, keypoints=one.keypoints + np.eye(21, 2)))


def test_a_projects_own_export_comes_back_from_a_tool(project, records, tmp_path, capfd):
    """The hands are the project's: what CVAT moved is listed, and taken over if asked; nothing is there twice."""
    out = tmp_path / "set"
    writer("cvat").write(records, out)
    before = [(hand.id, hand.version) for hand in project.hands()]

    def back(*more):
        code = main(["import", str(out), "--format", "cvat", "--project", str(project.folder), "--json", *more])
        said, err = capfd.readouterr()
        assert code == 0, err
        return json.loads(said)

    same = back()
    assert same["hands"] == 0 and same["done_before"] == 3 and not same["differs"]
    assert [(hand.id, hand.version) for hand in project.hands()] == before
    record = next(one for one in records if one.id == "signing-0153-2")
    x, y = record.keypoints[12] + 0.5
    text = (out / "annotations.xml").read_text()
    assert text.count(f"{float(x)!r},{float(y)!r}") == 1
    (out / "annotations.xml").write_text(text.replace(f"{float(x)!r},{float(y)!r}", f"{x + 4},{y - 3}"))
    listed = back()
    assert listed["differs"] == [record.id] and not listed["updated"]
    taken = back("--update")
    assert taken["updated"] == [record.id] and len(project.hands()) == len(before)
    found = project.hand(record.id)
    np.testing.assert_allclose(found.corrections[12], record.keypoints[12] + (4, -3), atol=1e-9)
    assert found.joint_states[12] == "corrected" and found.joint_states[11] == record.states[11]
    again = back("--update")
    assert not again["updated"] and not again["differs"] and project.verify() == []
