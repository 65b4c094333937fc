"""The commands for people who share a project, and for keeping it safe."""

from __future__ import annotations

import json
import shutil

import pytest

from annotator.project import Project

FIRST, SECOND = "signing-0153-1", "signing-0153-2"


def test_next_takes_a_hand_and_status_says_whose_it_is(run, folder):
    taken = json.loads(run("next", folder, "--who", "Ada", "--json")[1])
    other = json.loads(run("next", folder, "--who", "Bob", "--json")[1])
    assert {taken["id"], other["id"]} == {FIRST, SECOND}
    code, _, err = run("accept", folder, taken["id"], "--who", "Bob")
    assert code == 2 and "in work by Ada until" in err
    assert "in work by Ada" in run("status", folder)[1]
    assert run("next", folder, "--who", "Cleo")[1] == "no open hand is left\n"
    assert run("accept", folder, taken["id"], "--who", "Ada")[0] == 0


def test_review(run, folder):
    run("accept", folder, FIRST, SECOND, "--who", "Ada")
    assert json.loads(run("review", folder, "--who", "Bob", "--json")[1])["waiting"] == [FIRST, SECOND]
    assert run("review", folder, FIRST, "--agree", "--who", "Ada")[0] == 2
    assert run("review", folder, FIRST, "--who", "Bob")[0] == 2
    assert run("review", folder, FIRST, "--agree", "--who", "Bob")[:2] == (0, f"{FIRST}: accepted\n")
    assert run("review", folder, SECOND, "--return", "--remark", "thumb", "--who", "Bob")[1] == f"{SECOND}: flagged\n"


def test_gold(run, folder):
    run("accept", folder, FIRST, "--who", "Ada")
    assert run("gold", folder, FIRST, "--who", "Ada")[:2] == (0, f"{FIRST}: gold\n")
    with Project.open(folder, who="Bob") as project:
        project.set_state(project.next_hand(gold_every=1), "accepted")
    people = json.loads(run("gold", folder, "--json")[1])["people"]
    assert people[0]["who"] == "Bob" and people[0]["mean_mm"] < 0.001
    assert "Bob: 1 of 1 gold hands accepted" in run("gold", folder)[1]


def test_snapshot(run, folder, tmp_path):
    run("accept", folder, FIRST)
    made = json.loads(run("snapshot", folder, "--out", tmp_path / "copy.db", "--json")[1])
    run("reject", folder, FIRST)
    status = json.loads(run("status", made["file"], "--check", "--json")[1])
    assert status["states"]["accepted"] == 1
    assert run("snapshot", folder, "--out", tmp_path / "copy.db")[0] == 2


def test_check_reads_the_photos_and_photos_finds_them(run, tmp_path, photo_file, make_hand):
    from annotator.project import Provenance

    (tmp_path / "a").mkdir()
    photo = shutil.copy(photo_file, tmp_path / "a" / "hand.jpg")
    with Project.create(tmp_path / "project") as project:
        project.add_proposal(project.add_photo(photo), make_hand(), Provenance("test", "d" * 64))
    folder = project.folder
    assert run("status", folder, "--check")[0] == 0
    shutil.move(photo, tmp_path / "moved.jpg")
    code, _, err = run("status", folder, "--check")
    assert code == 2 and "is not there" in err
    found = json.loads(run("photos", folder, "--find", tmp_path, "--json")[1])
    assert found["missing"] == [] and list(found["found"].values()) == [str(tmp_path / "moved.jpg")]
    assert json.loads(run("photos", folder, "--copy", "--json")[1])["copied"] == 1
    (tmp_path / "moved.jpg").unlink()
    assert run("status", folder, "--check")[0] == 0


def test_export_of_hands_that_no_person_accepted_says_so(run, folder, tmp_path):
    run("accept", folder, FIRST, "--who", "Ada")
    code, out, _ = run("export", folder, "--out", tmp_path / "s", "--state", "accepted", "--state", "proposed")
    assert code == 0 and "1 of them no person accepted" in out
    about = json.loads((tmp_path / "s" / "provenance.json").read_text())["hands"]
    assert [(hand["state"], hand["provenance"]["accepted_by"]) for hand in about] == [
        ("accepted", "Ada"), ("proposed", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("url", ["mysql://u@h/db", "https://example.org/p", "postgresql:/u@h/db", "s3:/bucket/p"])
@pytest.mark.parametrize("command", ["import", "propose", "status", "accept", "export", "track", "report", "add"])
def test_a_url_never_becomes_a_folder(run, tmp_path, photo_file, monkeypatch, command, url):
    """Also one that lost a slash, as URLs do that a script took for paths; one line says what a project can be."""
    pytest.importorskip("psycopg")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k.csv").write_text("photo\n")
    words = {
        "import": ["k.csv", "--format", "csv", "--project", url], "propose": [photo_file, "--project", url],
        "accept": [url, "x"], "export": [url, "--format", "coco", "--out", "o"], "report": [url, "--out", "r.html"],
        "add": [url, photo_file, "--box", 1, 2, 30, 40],
    }  # fmt: skip
    code, out, err = run(command, *words.get(command, [url]))
    assert (code, out) == (2, "") and err.count("\n") == 1 and ("PostgreSQL" in err or "database's URL" in err)
    assert [path.name for path in tmp_path.iterdir()] == ["k.csv"]


def test_both_names_of_the_database_are_taken():
    pytest.importorskip("psycopg")
    from annotator.project.storage.postgresql import parse

    assert parse("postgres://u@h/db") == parse("postgresql://u@h/db") == parse("postgresql+psycopg://u@h/db")
