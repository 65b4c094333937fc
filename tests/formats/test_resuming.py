"""An interrupted export goes on where it was, in every format; what comes out is what an undisturbed one gives."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotator.cli import main
from annotator.errors import InputError
from annotator.files import resuming
from annotator.files.resuming import STATE, Resumable
from annotator.formats import WRITERS, writer
from annotator.formats.hamer import tar as hamer_tar
from annotator.formats.others import parquet
from annotator.project import Project


@pytest.fixture
def many(records):
    """Seven hands in four photos, which follow each other and come again."""
    order = [1, 2, 0, 0, 1, 2, 0]
    return [replace(records[n], id=f"{k}-{records[n].id}") for k, n in enumerate(order)]


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """A mark at every record, shards and files of one photo."""
    monkeypatch.setattr(resuming, "SECONDS", 0.0)
    monkeypatch.setattr(hamer_tar, "PHOTOS_A_SHARD", 1)
    monkeypatch.setattr(parquet, "ROWS_A_FILE", 2)


def resumable(records, stop=None, drawn=None, error=KeyboardInterrupt):
    """The records, which end with `error` where `stop` of them were drawn."""

    def draw(place):
        first = 0 if place is None else place + 1
        for number in range(first, len(records)):
            if number == stop:
                raise error
            if drawn is not None:
                drawn.append(number)
            yield number, records[number]

    return Resumable("these", draw)


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def known():
    """Format -> what `straight` gave: the records are the same in every test, so each format is written once."""
    return {}


@pytest.fixture
def straight(many, tmp_path, known, often):
    """straight(format) -> the content of an undisturbed export of `many`, which from a list is the same."""

    def undisturbed(name: str) -> dict[str, bytes]:
        if name not in known:
            writer(name).write(resumable(many), tmp_path / "straight")
            writer(name).write(many, tmp_path / "from a list")
            known[name] = content(tmp_path / "straight")
            assert content(tmp_path / "from a list") == known[name]
        return known[name]

    return undisturbed


@pytest.mark.parametrize("name", sorted(WRITERS))
@pytest.mark.parametrize("stop", [1, 3, 6])
def test_interrupted_and_undisturbed_are_the_same(many, tmp_path, name, stop, straight):
    out = tmp_path / "out" / "set"
    with pytest.raises(KeyboardInterrupt):
        writer(name).write(resumable(many, stop), out)
    assert not out.exists()
    drawn = []
    assert writer(name).write(resumable(many, drawn=drawn), out)["hands"] == 7
    assert content(out) == straight(name)
    assert [path.name for path in out.parent.iterdir()] == ["set"] and not any(p.startswith(".") for p in content(out))
    if stop == 6:
        assert drawn[0] >= 3  # what was there is not made again


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_interrupted_again_and_again(many, tmp_path, name, straight):
    for stop in (2, 2, 4, 5):
        with pytest.raises(KeyboardInterrupt):
            writer(name).write(resumable(many, stop), tmp_path / "out" / "set")
    writer(name).write(resumable(many), tmp_path / "out" / "set")
    assert content(tmp_path / "out" / "set") == straight(name)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_interrupted_at_its_very_end(many, tmp_path, name, monkeypatch, straight):
    """All is written, checksums are not: that can take long."""
    out = tmp_path / "out" / "set"
    with monkeypatch.context() as patch:
        patch.setattr("hashlib.file_digest", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            writer(name).write(resumable(many), out)
    drawn = []
    writer(name).write(resumable(many, drawn=drawn), out)
    assert content(out) == straight(name) and len(drawn) <= 3


def test_other_records_begin_anew(many, tmp_path):
    out = tmp_path / "out" / "set"
    with pytest.raises(InputError, match="gone"):
        writer("coco-wholebody").write(resumable(many, 4, error=InputError("gone")), out)
    drawn = []
    others = replace(resumable(many[::-1], drawn=drawn), key="others")
    writer("coco-wholebody").write(others, out)
    assert drawn[0] == 0 and [path.name for path in out.parent.iterdir()] == ["set"]
    writer("coco-wholebody").write(many[::-1], tmp_path / "straight")
    assert content(out) == content(tmp_path / "straight")


def test_a_full_disk_leaves_nothing(many, tmp_path):
    out = tmp_path / "out" / "set"
    with pytest.raises(InputError, match="nothing was left"):
        writer("coco-wholebody").write(resumable(many, 4, error=OSError(28, "No space left on device")), out)
    assert list(out.parent.iterdir()) == []


def test_a_file_that_was_cut_is_named(many, tmp_path):
    out = tmp_path / "out" / "set"
    with pytest.raises(KeyboardInterrupt):
        writer("coco-wholebody").write(resumable(many, 4), out)
    (left,) = out.parent.iterdir()
    assert (left / STATE).is_file()
    (left / "details.json").write_text("[")
    with pytest.raises(InputError, match="details.json of an interrupted export is cut short"):
        writer("coco-wholebody").write(resumable(many), out)


KILLED = """
import sys
from annotator.files import resuming
from annotator.formats.hamer import tar as hamer_tar
from annotator.formats.others import parquet
resuming.SECONDS, hamer_tar.PHOTOS_A_SHARD, parquet.ROWS_A_FILE = 0.0, 1, 2
from annotator.cli import main
sys.exit(main(sys.argv[1:]))
"""


def hands(project: Project, make_hand, count: int) -> None:
    from annotator.project import Provenance

    photo = project.add_photos([entry.path for entry in project.photos()][:1])[0]
    made = [make_hand(9 + n, ("right", "left")[n % 2], move=(0.02 * n, 0)) for n in range(count)]
    for hand_id in project.add_proposals(photo, made, Provenance("test checkpoint", "d" * 64)):
        project.set_state(hand_id, "accepted")


@pytest.mark.parametrize("name", ["freihand", "coco-wholebody", "parquet"])
def test_a_killed_command(project, make_hand, tmp_path, name, capfd):
    """SIGKILL in the middle; a second start of the same command finishes it, the same as an undisturbed one."""
    hands(project, make_hand, 12)
    arguments = ["export", str(project.folder), "--format", name, "--licence", "CC0"]
    assert main([*arguments, "--out", str(tmp_path / "straight")]) == 0
    out = tmp_path / "out" / "set"
    process = subprocess.Popen([sys.executable, "-c", KILLED, *arguments, "--out", str(out)], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while process.poll() is None and not list(out.parent.glob(f".set.partial-*/{STATE}")):
        assert time.monotonic() < until
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if not out.exists():  # it may have been quicker
        assert len(list(out.parent.glob(".set.partial-*"))) == 1
        assert main([*arguments, "--out", str(out)]) == 0
    assert content(out) == content(tmp_path / "straight")
    assert [path.name for path in out.parent.iterdir()] == ["set"]


def test_the_command_goes_on_and_counts_all(project, make_hand, tmp_path, capfd, monkeypatch):
    """Ctrl-C in the middle: 130, and the second start writes the rest; a changed hand begins it anew."""
    from annotator.formats.coco import wholebody as coco_wholebody

    hands(project, make_hand, 4)
    arguments = [
        "export",
        str(project.folder),
        "--format",
        "coco-wholebody",
        "--state",
        "accepted",
        "--state",
        "proposed",
    ]
    real, written = coco_wholebody._annotation, []

    def annotate(record, number, image):
        written.append(record.id)
        if len(written) == 5:
            raise KeyboardInterrupt
        return real(record, number, image)

    monkeypatch.setattr(coco_wholebody, "_annotation", annotate)
    out = tmp_path / "out" / "set"
    assert main([*arguments, "--out", str(out)]) == 130 and not out.exists()
    assert main([*arguments, "--out", str(out), "--json"]) == 0
    assert len(set(written)) == 8 and len(written) == 9  # the one that was interrupted twice, no other
    capfd.readouterr()
    assert main([*arguments, "--out", str(tmp_path / "straight"), "--json"]) == 0
    assert '"unaccepted": 1' in capfd.readouterr().out
    assert content(out) == content(tmp_path / "straight")
    written.clear()
    assert main([*arguments, "--out", str(tmp_path / "other")]) == 130
    project.set_state(project.hands("accepted")[0].id, "rejected")
    assert main([*arguments, "--out", str(tmp_path / "other")]) == 0
    assert len(written) == 5 + 7


def test_memory_does_not_hold_the_photos(tmp_path):
    """The list of photos is in a file: what a photo folder holds in memory is one number."""
    from PIL import Image

    from annotator.files.resuming import Marks
    from annotator.formats.core.photo_files import PhotoFolder

    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for n, path in enumerate(paths):
        Image.fromarray(np.full((4, 5, 3), n, np.uint8)).save(path)
    with PhotoFolder(tmp_path / "set", Marks(tmp_path, "")) as photos:
        found = [photos.add(path) for path in (*paths, *paths)]
    assert [one[0] for one in found] == [0, 1, 2, 0, 1, 2] and [one[3] for one in found] == [True] * 3 + [False] * 3
    assert found[0][2] == (4, 5)
