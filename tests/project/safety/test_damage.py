"""Damaged project files: noticed before anything built on them leaves, and what is whole is saved."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats.transfer.from_project import labelled_hands
from annotator.project import Project
from annotator.project.safety.repairing import repair, whole_hands
from annotator.project.safety.salvaging import Found, found_in
from annotator.project.storage.pages import Pages
from annotator.project.storage.sqlite import FILE

HANDS = 24


@pytest.fixture(scope="module")
def healthy(tmp_path_factory, sample_photos, make_hand):
    """A project with edits, undone ones, reviews and gold; its folder, closed."""
    from annotator.project import Provenance

    source = Provenance(model="test checkpoint", model_digest="d" * 64)
    folder = tmp_path_factory.mktemp("healthy") / "project"
    with Project.create(folder, who="Ada") as project:
        photos = [project.add_photo(path) for path in sample_photos[:6]]
        for k in range(HANDS):
            hand = project.add_proposal(photos[k % 6], make_hand(k), source)
            for joint in range(k % 5):
                project.edit(hand, joint_states={joint: "occluded"}, note={"remark": "x" * 300 * joint})
            if k % 4 == 1 and k % 5:
                project.undo(hand)
            project.set_state(hand, "flagged" if k % 8 == 7 else "accepted")
        first = project.hands("accepted")[0].id
        project.make_gold(first)
    with Project.open(folder, who="Bob") as project:
        project.review(first, True, "good")
    return folder


def content(folder: Path) -> dict[str, tuple]:
    """Everything of every hand that has an id."""
    with Project.open(folder) as project:
        return {entry.id: all_of(project, entry.id) for entry in project.each_hand()}


def all_of(project: Project, hand: str) -> tuple:
    stored, at = project.hand(hand), [event.at for event in project.history(hand)]
    return stored.version, stored.state, project.mesh(hand).vertices.tobytes(), at


@pytest.fixture(scope="module")
def truth(healthy):
    return content(healthy)


@pytest.fixture
def damaged(healthy, tmp_path):
    """damaged(change) -> the folder of a copy whose file's bytes went through change(bytearray)."""

    def make(change) -> Path:
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        data = bytearray((healthy / FILE).read_bytes())
        data = change(data) or data
        (folder / FILE).write_bytes(data)
        return folder

    return make


def test_a_file_that_was_cut_is_noticed_at_opening(damaged):
    folder = damaged(lambda data: data[: len(data) // 2])
    with pytest.raises(InputError, match="is damaged: it is cut.*annotator repair"):
        Project.open(folder)


def test_messages_name_the_newest_good_snapshot(healthy, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(healthy, folder)
    with Project.open(folder) as project:
        good, bad = project.snapshot(), project.snapshot()
    data = bytearray(bad.read_bytes())
    data[8192:20480] = bytes(12288)
    bad.write_bytes(data)
    cut = (folder / FILE).read_bytes()[:20_000]
    (folder / FILE).write_bytes(cut)
    with pytest.raises(InputError) as caught:
        Project.open(folder)
    assert f"newest good snapshot is {good}" in str(caught.value) and "\n" not in str(caught.value)


def test_the_newest_events_are_checked_at_opening(healthy, tmp_path):
    for statement in (
        "UPDATE events SET who = 'Eve' WHERE seq = (SELECT max(seq) FROM events)",
        "UPDATE records SET record = zeroblob(length(record)) WHERE hand = (SELECT hand FROM events ORDER BY seq DESC)",
        "DELETE FROM records WHERE hand = (SELECT hand FROM events ORDER BY seq DESC)",
    ):
        folder = tmp_path / str(abs(hash(statement)))
        shutil.copytree(healthy, folder)
        raw = sqlite3.connect(folder / FILE)
        for name in ("events_no_update", "events_no_delete"):
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute(statement)
        raw.commit()
        raw.close()
        with pytest.raises(InputError, match="is damaged: "):
            Project.open(folder)


def flipped(random: random.Random, data: bytearray) -> str:
    for _ in range(random.choice((1, 8, 64))):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return "bits"


def overwritten(random: random.Random, data: bytearray) -> str:
    page = random.randrange(len(data) // 4096) * 4096
    data[page : page + 4096] = random.choice((bytes(4096), random.randbytes(4096), b"\xff" * 4096))
    return "page"


def shuffled(random: random.Random, data: bytearray) -> str:
    """A page in another's place, as a disk that mixes up addresses leaves it."""
    one, other = (random.randrange(len(data) // 4096) * 4096 for _ in range(2))
    data[one : one + 4096] = data[other : other + 4096]
    return "moved page"


def cut(random: random.Random, data: bytearray) -> str:
    del data[random.randrange(4096, len(data)) :]
    return "cut"


DAMAGE = (flipped, overwritten, shuffled, cut)


def used(project: Project) -> list:
    """What leaves a project: the records that an export is made of."""
    project.check_file()
    return [(hand.id, hand.keypoints.tobytes(), hand.vertices.tobytes()) for hand in labelled_hands(project)]


@pytest.mark.parametrize("seed", range(5))
def test_damage_is_noticed_before_anything_built_on_it_leaves(healthy, damaged, truth, tmp_path, seed):
    """Eight damages a seed. Either nothing of it matters, or it is refused, in one line."""
    chance = random.Random(seed)
    with Project.open(healthy) as project:
        expected = used(project)
    for number in range(8):
        folder = damaged(lambda data, kind=DAMAGE[number % 4]: kind(chance, data) and None)
        try:
            with Project.open(folder) as project:
                assert used(project) == expected, f"damage {number} was exported"
                taken = project.snapshot(tmp_path / f"{number}.db")
            with Project.open(taken) as snapshot:
                assert snapshot.verify() == []
        except InputError as error:
            assert "\n" not in str(error)
            assert not (tmp_path / f"{number}.db").exists()


def in_whole_pages(before: Path, after: bytes) -> set[str]:
    """The hands all of whose rows, and those of its photo and source, lie in pages that are as they were."""
    pages, found, places = Pages(before), Found(), {}
    whole = before.read_bytes()
    same = {n + 1 for n in range(pages.count) if whole[n * 4096 : (n + 1) * 4096] == after[n * 4096 : (n + 1) * 4096]}
    for row in pages.rows():
        found.take(row.number, row.values)
        for value in row.values:
            if isinstance(value, str):
                places.setdefault(value, set()).update(row.pages)
    hands = set()
    for hand, row in found.hands.items():
        photo, source = found.photos[row["photo"]], found.sources[row["source"]]
        if places[hand] | places[photo["sha256"]] | places[source["digest"]] <= same:
            hands.add(hand)
    return hands


@pytest.mark.parametrize("seed", range(5))
def test_what_is_in_whole_pages_is_saved(healthy, damaged, truth, tmp_path, seed):
    chance = random.Random(100 + seed)
    for number in range(8):
        folder, out = (
            damaged(lambda data, kind=DAMAGE[number % 4]: kind(chance, data) and None),
            tmp_path / f"new{number}",
        )
        safe = in_whole_pages(healthy / FILE, (folder / FILE).read_bytes())
        try:
            result = repair(folder, out)
        except InputError:
            assert not safe
            continue
        saved = content(out)
        # every hand is saved or named; a flipped bit in a name may add one that never was
        assert set(saved) | set(result["lost"]) >= set(truth) or DAMAGE[number % 4] is not flipped
        assert safe <= set(saved) and all(saved[hand] == truth[hand] for hand in saved)
        with Project.open(out) as project:
            assert project.verify() == []
            assert project.set_state(next(iter(saved)), "rejected") and project.verify() == []


def test_all_of_a_healthy_project_is_saved(healthy, truth, tmp_path, capsys):
    assert main(["repair", str(healthy), "--out", str(tmp_path / "new"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["hands"] == HANDS and result["lost"] == {} and result["events_lost"] == 0
    assert content(tmp_path / "new") == truth
    with Project.open(tmp_path / "new") as new, Project.open(healthy) as old:
        assert new.verify(photos=True) == [] and new.status()["looked_at"] == old.status()["looked_at"]
        raw = "SELECT count(*) FROM reviews"
        with new._database.reading() as a, old._database.reading() as b:
            assert a.exec_driver_sql(raw).scalar() == b.exec_driver_sql(raw).scalar() == 1
    assert main(["repair", str(healthy), "--out", str(tmp_path / "new")]) == 2  # never over another


def test_what_is_lost_is_named(healthy, tmp_path, capsys):
    """The event of one hand is gone: that hand is named, the others are saved."""
    folder = tmp_path / "project"
    shutil.copytree(healthy, folder)
    with Project.open(folder) as project:
        victim = project.hands()[3].id
    raw = sqlite3.connect(folder / FILE)
    raw.execute("DROP TRIGGER events_no_delete")
    raw.execute("PRAGMA secure_delete = ON")
    raw.execute("DELETE FROM events WHERE hand = ? AND version = 2", (victim,))
    raw.commit()
    raw.close()
    assert main(["repair", str(folder), "--out", str(tmp_path / "new")]) == 0
    said = capsys.readouterr().out
    assert f"{HANDS - 1} hands saved" in said and f"lost: hand {victim}: " in said and "of its" in said
    assert victim not in content(tmp_path / "new")
    with Project.open(tmp_path / "new") as project:
        assert project.verify() == []


def test_what_was_written_last_is_read_from_beside_the_file(healthy, truth, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(healthy, folder)
    with Project.open(folder) as project:
        hand = project.hands()[0].id
        project.set_state(hand, "rejected")
        killed = tmp_path / "killed"
        killed.mkdir()
        for ending in ("", "-wal"):
            shutil.copy(folder / f"{FILE}{ending}", killed / f"{FILE}{ending}")
    repair(killed, tmp_path / "new")
    with Project.open(tmp_path / "new") as new:
        assert new.hand(hand).state == "rejected" and new.hand(hand).version == truth[hand][0] + 1


def test_nothing_to_be_saved(tmp_path):
    with pytest.raises(InputError, match="no project in"):
        repair(tmp_path / "none", tmp_path / "new")
    (tmp_path / FILE).write_bytes(b"\x00" * 50_000)
    with pytest.raises(InputError, match="no whole page"):
        repair(tmp_path, tmp_path / "new")
    with pytest.raises(InputError, match="is on a server"):
        repair("postgresql+psycopg://host/name", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_hostile_pages_lead_nowhere(healthy, tmp_path):
    """Random bytes that begin like pages: no endless loop, no error."""
    chance = random.Random(1)
    for number in range(60):
        data = bytearray((healthy / FILE).read_bytes()[:40_960])
        for page in range(1, 10):
            data[page * 4096 : (page + 1) * 4096] = b"\x0d" + chance.randbytes(4095)
        (tmp_path / "file.db").write_bytes(data)
        (tmp_path / "file.db-wal").write_bytes(b"\x37\x7f\x06\x82" + chance.randbytes(number * 100))
        for row in Pages(tmp_path / "file.db").rows():
            Found().take(row.number, row.values)
    with pytest.raises(InputError):
        whole_hands(found_in(tmp_path / "file.db"))[0][0]
