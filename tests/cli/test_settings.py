"""What one always says (files, environment), what a shell completes, and progress that looks alike."""

from __future__ import annotations

import io
import itertools
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.cli import main
from annotator.cli.support.settings import FILE, user_file
from annotator.cli.support.stages import Stages, progress

SAYS = {"user": 5, "project": 4, "environment": 3, "environment of the command": 2, "command line": 1}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The user's own file; write into it."""
    path = tmp_path / "user.toml"
    monkeypatch.setenv("ANNOTATOR_SETTINGS", str(path))
    return path


def listed(run, folder, *more) -> int:
    code, out, err = run("status", folder, "--json", *more)
    assert code == 0, err
    return len(json.loads(out)["hands"])


@pytest.fixture
def six(folder, make_hand):
    """The project with six hands."""
    from annotator.project import Project, Provenance

    with Project.open(folder) as project:
        project.add_proposals(1, [make_hand(k) for k in range(4)], Provenance("test", "e" * 64))
    return folder


@pytest.mark.parametrize("said", [one for n in range(6) for one in itertools.combinations(SAYS, n)], ids=" ".join)
def test_the_nearest_word_counts(run, six, own, monkeypatch, said):
    more = ()
    for place in said:
        value = SAYS[place]
        if place == "user":
            own.write_text(f"limit = {value}\n")
        elif place == "project":
            (six / FILE).write_text(f"[status]\nlimit = {value}\n")
        elif place == "command line":
            more = ("--limit", value)
        else:
            name = "ANNOTATOR_LIMIT" if place == "environment" else "ANNOTATOR_STATUS_LIMIT"
            monkeypatch.setenv(name, str(value))
    assert listed(run, six, *more) == min((SAYS[place] for place in said), default=6)


def test_a_file_speaks_to_all_commands_that_have_the_option(run, six, own):
    own.write_text('who = "Ada"\nmin-confidence = 0.0\n[status]\nstate = ["proposed"]\nby-photo = true\n')
    run("accept", six, "signing-0153-1")
    assert "accepted by Ada" in run("undo", six)[1]
    assert "by_photo" in json.loads(run("status", six, "--json")[1])
    run("reject", six, "signing-0153-2", "--who", "Bea")
    assert "rejected by Bea" in run("history", six)[1]
    code, out, _ = run("config", six, "--json")
    said = json.loads(out)
    assert code == 0 and [one["there"] for one in said["files"]] == [False, True]
    assert {"command": "undo", "option": "who", "value": "Ada", "source": str(own)} in said["settings"]
    assert "status: by_photo = True" in run("config")[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("limit = [", "is not TOML"),
        ("limt = 3", "did you mean 'limit'?"),
        ("[status]\nlimt = 3", "[status] has no option 'limt'"),
        ("[status]\nlimit = 'many'", "limit = 'many'"),
        ("[status]\nlimit = -1", "limit = -1"),
        ("[status]\nlimit = true", "not true or false"),
        ("[status]\nlimit = [1]", "expected one value"),
        ("[status]\nstate = 'proposed'", "expected a list"),
        ("status = 3", "is a command"),
        ("limit = 3\n[status.more]\nx = 1", "[status] has no option 'more'"),
        ("[[status]]\nlimit = 1", "is a command"),
    ],
)
def test_what_cannot_be_is_one_line_that_names_the_file(run, six, own, text, words):
    own.write_text(text)
    code, out, err = run("status", six)
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert words in err and str(own) in err
    own.write_text("[stauts]\nlimit = 1")
    assert run("status", six)[0] == 0 and "no command 'stauts'" in run("config")[2]


def test_help_and_other_commands_do_not_fall_over_a_bad_file(run, own):
    own.write_bytes(b"\xff\xfe\x00")
    assert run("status", "--help")[0] == 0 and run("--version")[0] == 0
    code, _, err = run("status", "nowhere")
    assert code == 2 and str(own) in err


def test_the_users_file_lies_where_settings_lie(monkeypatch, tmp_path):
    monkeypatch.delenv("ANNOTATOR_SETTINGS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_file() is not None and user_file().name == FILE
    monkeypatch.setenv("ANNOTATOR_SETTINGS", "")
    assert user_file() is None


@given(st.text(max_size=40))
def test_any_file_is_read_or_refused(text):
    import os
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.toml")
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        before = os.environ["ANNOTATOR_SETTINGS"]
        os.environ["ANNOTATOR_SETTINGS"] = path
        try:
            assert main(["config"]) in (0, 2)
        finally:
            os.environ["ANNOTATOR_SETTINGS"] = before


@pytest.fixture
def completed(run, monkeypatch):
    """completed(words, place): what a shell is told, which asks by the environment."""

    def ask(words: str, place: int) -> list[str]:
        told = {"_ANNOTATOR_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)}
        with monkeypatch.context() as asked:
            for name, value in told.items():
                asked.setenv(name, value)
            code, out, _ = run()
        assert code == 0
        return out.split()

    return ask


def test_a_shell_completes_commands_options_and_hands(folder, completed):
    assert completed("annotator ac", 1) == ["accept"]
    assert completed("annotator accept --min", 2) == ["--min-confidence"]
    assert completed(f"annotator accept {folder} signing", 3) == ["signing-0153-1", "signing-0153-2"]
    assert completed("annotator show nowhere x", 3) == []
    assert completed("annotator export p --format ho", 4) == ["ho3d"]
    assert completed("annotator import p --format hi", 4) == ["hint"]
    assert completed("annotator import p --units p", 4) == ["px", "percent"]
    assert completed("annotator import p --order w", 4) == ["wrist-last"]


def test_the_completion_script_is_shown(run, monkeypatch):
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: ("bash", "/bin/bash"))  # tests may have no shell above
    code, out, _ = run("--show-completion", "bash")
    assert code == 0 and "complete -o default -F _annotator_completion annotator" in out


def test_progress_is_lines_where_nobody_looks(monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    assert list(progress("abc", "work", 5, done=2)) == list("abc")
    with Stages() as stages:
        stages("train", 1, 2, {"pixels": 3.0, "seconds": 1.0})
        stages("train", 2, 2, {"pixels": 2.5})
        stages("read", 1, None)
        stages("read", 2, None)
    assert said.getvalue().splitlines() == [
        "work 3/5", "work 5/5", "train 1/2 pixels=3.00", "train 2/2 pixels=2.50", "read 1", "read 2",
    ]  # fmt: skip
