"""The commands on a real project: what they say, to people and to programs, and what they leave behind."""

from __future__ import annotations

import json

import pytest

from annotator.formats import reader
from annotator.project import Project


def test_status_lists_the_hands(run, folder, photo_file):
    code, out, err = run("status", folder, "--json", "--check")
    status = json.loads(out)
    assert code == 0 and err == "" and out.count("\n") == 1
    assert [(hand["id"], hand["photo"], hand["side"], hand["state"]) for hand in status["hands"]] == [
        ("signing-0153-1", str(photo_file), "right", "proposed"),
        ("signing-0153-2", str(photo_file), "left", "proposed"),
    ]
    assert status["states"]["proposed"] == 2 and status["photos"] == 1
    code, out, _ = run("status", folder)
    assert code == 0 and "2 proposed" in out and "signing-0153-2  left" in out
    assert json.loads(run("status", folder, "--json", "--state", "accepted")[1])["hands"] == []


def test_accept_reject_undo_redo(run, folder):
    code, out, _ = run("accept", folder, "signing-0153-1", "signing-0153-2", "--json", "--who", "Grace")
    assert code == 0 and [hand["state"] for hand in json.loads(out)["hands"]] == ["accepted", "accepted"]
    assert run("reject", folder, "signing-0153-2")[:2] == (0, "signing-0153-2: rejected\n")
    code, out, _ = run("undo", folder, "--json")
    assert code == 0 and json.loads(out)["id"] == "signing-0153-2" and json.loads(out)["state"] == "accepted"
    assert json.loads(run("undo", folder, "signing-0153-1", "--json")[1])["state"] == "proposed"
    said = json.loads(run("redo", folder, "--json")[1])
    assert (said["id"], said["state"], said["step"], said["by"]) == ("signing-0153-1", "accepted", "accepted", "Grace")
    code, out, err = run("undo", folder, "nobody")
    assert (code, out) == (2, "") and err.startswith("annotator: error: no hand 'nobody'")
    with Project.open(folder) as project:
        assert [hand.state for hand in project.hands()] == ["accepted", "accepted"]
        assert [event.who for event in project.history("signing-0153-1")][1] == "Grace"


def test_accepting_an_unknown_hand_accepts_none(run, folder):
    assert run("accept", folder, "signing-0153-1", "nobody")[0] == 2
    with Project.open(folder) as project:
        assert {hand.state for hand in project.hands()} == {"proposed"}


def test_export(run, folder, tmp_path):
    out_folder = tmp_path / "set"
    code, out, err = run("export", folder, "--out", out_folder)
    assert code == 2 and "no accepted hands" in err and not out_folder.exists()
    run("accept", folder, "signing-0153-2")
    code, out, err = run("export", folder, "--format", "freihand", "--out", out_folder, "--json")
    assert code == 0 and json.loads(out)["hands"] == 1 and "export" in err
    assert [hand.id for hand in reader("freihand").read(out_folder)] == ["signing-0153-2"]
    code, _, err = run("export", folder, "--out", out_folder)
    assert code == 2 and "exists already" in err
    arguments = ("--state", "proposed", "--state", "accepted", "--overwrite", "--json")
    assert json.loads(run("export", folder, "--out", out_folder, *arguments)[1])["hands"] == 2
    code, _, err = run("export", folder, "--format", "xml", "--out", tmp_path / "x")
    assert code == 2 and "expected one of" in err and "freihand" in err


def test_hand_info(run, hand_model):
    code, out, _ = run("hand", "info", "--json")
    info = json.loads(out)
    assert code == 0 and info["digest"] == hand_model.digest
    assert (info["vertices"], info["faces"]) == (len(hand_model.template), len(hand_model.faces))
    assert info["levels"][-1] == info["vertices"] and len(info["bones_mm"]) == 20
    assert 150 < info["wrist_to_middle_tip_mm"] < 210
    code, _, err = run("hand", "info", "no such file")
    assert code == 2 and "no such file" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "nowhere"],
        ["status", "--nonsense"],
        ["nonsense"],
        ["accept", "nowhere", "hand"],
        ["export", "nowhere", "--out", "x"],
        ["hand"],
        ["hand", "nonsense"],
        ["hand", "info", "a\nb"],
    ],
)
def test_wrong_use_is_one_line_and_exit_2(run, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("annotator: error: ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
