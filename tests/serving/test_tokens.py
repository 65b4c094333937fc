"""Named tokens: their file, the command that changes it, and what a quota lets through."""

from __future__ import annotations

import json
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="needs the extra [serve]")

from annotator.cli import main  # noqa: E402
from annotator.errors import InputError  # noqa: E402
from annotator.serving.access import tokens  # noqa: E402
from annotator.serving.access.quotas import Quotas  # noqa: E402
from annotator.serving.access.tokens import Client, OneToken, TokenFile  # noqa: E402


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept" / "tokens.json"


def said(capsys, *arguments) -> str:
    assert main(list(map(str, arguments))) == 0
    return capsys.readouterr().out.strip()


def test_the_command_makes_lists_and_revokes(file, capsys):
    token = said(capsys, "token", "add", "ada", "--tokens", file, "--requests", 60, "--seconds", 20.5)
    known = TokenFile(file)
    assert known.find(token) == Client("ada", 60, 20.5, False)
    assert token not in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    other = json.loads(said(capsys, "token", "add", "ben", "--tokens", file, "--read-only", "--json"))["token"]
    assert known.find(other) == Client("ben", read_only=True)  # by the same server, without a restart
    listed = said(capsys, "token", "list", "--tokens", file)
    assert "ada: holds" in listed and "60 requests a minute" in listed and "read-only" in listed
    assert token not in listed
    said(capsys, "token", "revoke", "ada", "--tokens", file)
    assert known.find(token) is None and known.find(other) is not None
    assert "ada: revoked" in said(capsys, "token", "list", "--tokens", file)
    again = said(capsys, "token", "add", "ada", "--tokens", file)  # a lost one is replaced
    assert known.find(again) == Client("ada") and known.find(token) is None


def test_wrong_use_is_one_clear_line(file, capsys):
    said(capsys, "token", "add", "ada", "--tokens", file)
    before = file.read_bytes()
    for arguments, line in (
        (("add", "ada"), "ada has a token"),
        (("add", "a b"), "no name"),
        (("add", ""), "no name"),
        (("add", "ben", "--requests", "0"), "requests a minute"),
        (("add", "ben", "--seconds", "nan"), "seconds a minute"),
        (("add", "ben", "--days", "1e300"), ""),
        (("revoke", "ben"), "ben has no token"),
    ):
        assert main(["token", *arguments, "--tokens", str(file)]) == 2, arguments
        errors = capsys.readouterr().err
        assert line in errors and errors.count("\n") == 1
    assert file.read_bytes() == before
    assert main(["token", "list", "--tokens", str(file.with_name("none"))]) == 2
    assert "no such file" in capsys.readouterr().err


DAMAGES = (
    "",
    "[]",
    '{"format": "other", "tokens": []}',
    '{"format": "annotator-tokens"}',
    '{"format": "annotator-tokens", "tokens": [{"name": "x"}]}',
    "[" * 100_000,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
def test_a_damaged_file(file, damage):
    token = tokens.add(file, "ada")
    known = TokenFile(file)
    file.write_text(damage)
    assert known.find(token) is not None  # a slip of somebody's editor does not stop the team
    with pytest.raises(InputError, match="no file of tokens"):
        TokenFile(file)
    file.unlink()
    assert known.find(token) is None


def test_a_token_ends_with_its_days(file):
    token = tokens.add(file, "ada", days=1)
    known = TokenFile(file)
    assert known.find(token) is not None
    file.write_text(file.read_text().replace('"expires": "20', '"expires": "19'))
    assert known.find(token) is None
    assert known.find("") is None and known.find("hma_x") is None


def test_many_add_at_once(file):
    made: list[str] = []
    threads = [threading.Thread(target=lambda k=k: made.append(tokens.add(file, f"user{k}"))) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = TokenFile(file)
    assert {known.find(token).name for token in made} == {f"user{k}" for k in range(12)}


def test_one_token_for_all_stays():
    assert OneToken("secret").find("secret") == Client() and OneToken("secret").find("") is None
    assert OneToken("").find("whatever") == Client()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    st.floats(0.5, 100),
    st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_requests_of_any_pattern_keep_to_the_quota(limit, waits):
    clock = Clock()
    quotas, client, taken = Quotas(clock), Client("ada", requests=limit), 0
    for wait in waits:
        clock.now += wait
        _, used_up, seconds = quotas.take(client)
        taken += not used_up
        assert taken <= max(limit, 1) + limit * clock.now / 60 + 1e-6
        if used_up:
            assert used_up == "requests" and 0 < seconds < 121
            clock.now += seconds + 1e-6  # what it is told to wait is enough
            assert quotas.take(client)[1] == ""
            taken += 1


@given(st.floats(1, 60), st.lists(st.tuples(st.floats(0, 5), st.floats(0, 30)), min_size=1, max_size=100))
def test_the_models_time_keeps_to_the_quota(limit, asked):
    """One after the other, of whatever length: a debt is waited for."""
    clock = Clock()
    quotas, client, worked = Quotas(clock), Client("ada", seconds=limit), 0.0
    for wait, took in asked:
        clock.now += wait
        held, used_up, seconds = quotas.take(client)
        if used_up:
            assert seconds > 0
            continue
        quotas.settle(client, held, took)
        worked += took
        assert worked <= limit + limit * clock.now / 60 + 30 + 1e-6


def test_many_requests_at_once_do_not_run_up_a_debt():
    clock = Clock()
    quotas, client = Quotas(clock), Client("ada", seconds=10)
    for _ in range(20):
        held, _, _ = quotas.take(client)
        quotas.settle(client, held, 2.0)
        clock.now += 30
    clock.now += 60
    assert sum(not quotas.take(client)[1] for _ in range(100)) in (4, 5)  # 10 s in pieces of about 2


def test_names_do_not_share_and_no_quota_is_none():
    quotas = Quotas(Clock())
    assert quotas.take(Client("ada", requests=1))[1] == "" and quotas.take(Client("ada", requests=1))[1] == "requests"
    assert quotas.take(Client("ben", requests=1))[1] == ""
    assert all(quotas.take(Client("eve"))[1] == "" for _ in range(1000))
