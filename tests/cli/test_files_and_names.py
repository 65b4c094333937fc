"""Files as they lie on people's disks: odd names, metadata edited since, places in exports, other encodings."""

from __future__ import annotations

import io
import json
import os
import shutil
import struct
import subprocess
import sys

import pytest
from PIL import Image

from annotator.cli import main
from annotator.errors import InputError
from annotator.files.photo_paths import photo_files
from annotator.formats import WRITERS, reader
from annotator.project import Project, Provenance
from annotator.vision.photos import photo_hash


def two_hands(folder, make_hand, photo_file):
    """A project of two accepted hands on two photos; (its folder, the photos)."""
    exif = Image.Exif()
    exif[0x13B] = "Somebody"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (1.0, 2.0, 3.0), "E", (4.0, 5.0, 6.0)
    photos = [folder / "photos" / f"{name}.jpg" for name in "ab"]
    photos[0].parent.mkdir()
    with Image.open(photo_file) as image:
        image.save(photos[0], quality=92, exif=exif, comment=b"a comment")
        exif[0x112] = 3
        image.transpose(Image.Transpose.ROTATE_180).save(photos[1], quality=91, exif=exif)
    with Project.create(folder / "p") as project:
        for number, photo in enumerate(photos):
            made = make_hand(number, "left" if number else "right")
            hand = project.add_proposal(project.add_photo(photo), made, Provenance("test", "d" * 64))
            project.set_state(hand, "accepted")
    return folder / "p", photos


@pytest.fixture
def two(tmp_path, make_hand, photo_file):
    return two_hands(tmp_path, make_hand, photo_file)


@pytest.fixture(scope="module")
def kept(tmp_path_factory, make_hand, photo_file):
    """The same for tests that only read it."""
    return two_hands(tmp_path_factory.mktemp("two"), make_hand, photo_file)


def rate(path, text=b"5 stars"):
    """As photo managers do: a comment in the file, the picture untouched."""
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:])


def run(capfd, *arguments):
    code = main([str(argument) for argument in arguments])
    return code, *capfd.readouterr()


def test_a_rated_photo_is_the_same_photo(two, tmp_path, capfd):
    place, (a, _) = two
    before = photo_hash(a)
    rate(a)
    assert photo_hash(a) != before
    assert run(capfd, "export", place, "--out", tmp_path / "e", "--format", "coco-wholebody")[0] == 0
    with Project.open(place) as project:
        assert project.verify() == [] and project.known_as(a) == before
        assert project.has_photo(project.known_as(a), "d" * 64)  # a model that looked at it need not again
        assert project.add_photo(a) == project.photos()[0].id and len(project.photos()) == 2


def test_a_rated_and_renamed_photo_is_found(two, tmp_path, capfd):
    place, (a, _) = two
    rate(a)
    a.rename(tmp_path / "photos" / "other name.jpeg")
    code, out, _ = run(capfd, "photos", place, "--find", tmp_path / "photos", "--json")
    assert code == 0 and list(json.loads(out)["found"].values()) == [str(tmp_path / "photos" / "other name.jpeg")]
    assert run(capfd, "export", place, "--out", tmp_path / "e", "--format", "hamer-npz")[0] == 0


def test_photos_of_older_projects_are_looked_at(two, capfd):
    place, (a, _) = two
    with Project.open(place) as project, project._database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM meta WHERE key LIKE 'picture of %' OR key LIKE 'shown by %'")
    with Project.open(place) as project:
        rate(a.with_name("b.jpg"))
        assert not project.is_same_photo(project.photos()[1])  # nothing was kept of it
    assert run(capfd, "photos", place, "--find", a.parent)[0] == 0
    rate(a)
    with Project.open(place) as project:
        assert project.is_same_photo(project.photos()[0])


def test_a_photo_that_shows_something_else_is_said(two, tmp_path, capfd):
    place, (a, _) = two
    Image.new("RGB", (620, 1080)).save(a)
    code, _, err = run(capfd, "export", place, "--out", tmp_path / "e")
    assert code == 2 and "hand a-1: photo" in err and "a.jpg is not the one any more" in err and "--skip-changed" in err
    code, out, err = run(capfd, "export", place, "--out", tmp_path / "e", "--skip-changed", "--json")
    assert code == 0 and json.loads(out)["hands"] == 1 and "a-1" in json.loads(out)["changed"][0]
    code, out, _ = run(capfd, "photos", place, "--check", "--json")
    assert code == 0 and list(json.loads(out)["changed"]) == [str(a)]
    code, out, _ = run(capfd, "photos", place, "--check")
    assert "a.jpg is not the one any more" in out and "2 photos, 0 missing" in out and "1 changed" in out
    assert "changed" not in run(capfd, "photos", place)[1]
    assert "left out: hand a-1: photo" in err and len(list(reader("freihand").read(tmp_path / "e"))) == 1


@pytest.mark.parametrize("name", sorted(WRITERS))
@pytest.mark.parametrize("keep", [False, True])
def test_exports_carry_no_places(kept, tmp_path, capfd, name, keep):
    """Nothing of place, artist or comment is anywhere in the data set's bytes, unless it is asked for."""
    place, _ = kept
    options = ["--keep-metadata"] if keep else []
    assert run(capfd, "export", place, "--out", tmp_path / "e", "--format", name, *options)[0] == 0
    data = b"".join(path.read_bytes() for path in (tmp_path / "e").rglob("*") if path.is_file())
    assert (b"Somebody" in data) == keep
    photos = [path for path in (tmp_path / "e").rglob("*.jpg")]
    for path in photos:
        with Image.open(path) as image:
            assert image.getexif().get(0x112, 1) == 1
            assert bool(image.getexif().get_ifd(0x8825)) == keep


def test_colour_profiles_stay(tmp_path, photo_file):
    from annotator.formats.core.photo_files import portable

    for turn in (1, 6):
        exif = Image.Exif()
        exif[0x112] = turn
        with Image.open(photo_file) as image:
            image.save(tmp_path / "a.jpg", exif=exif, icc_profile=b"profile" * 30)
        with Image.open(io.BytesIO(portable(tmp_path / "a.jpg")[1])) as image:
            assert image.info["icc_profile"] == b"profile" * 30 and not image.getexif()


def test_folders_say_what_they_leave_out(tmp_path, photo_file):
    for name in ("a.jpg", "b.mpo", "c.jfif"):
        shutil.copy(photo_file, tmp_path / name)
    with Image.open(photo_file) as image:
        image.save(tmp_path / "d.jp2")
    for name in ("v.MP4", "w.mov", "r.CR2", "notes.txt", ".hidden.mp4"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(photo_file.parent)
    files, said = photo_files([tmp_path])
    assert [file.name for file in files] == ["a.jpg", "b.mpo", "c.jfif", "d.jp2", "v.MP4", "w.mov"]
    text = " ".join(why for _, why in said)
    for word in ("1 .cr2 files", "1 links to folders"):
        assert word in text
    assert "notes" not in text and ".txt" not in text and ".mp4" not in text


def annotator(*arguments, cwd, **environment):
    command = [sys.executable, "-m", "annotator.cli", *arguments]
    return subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True)


def test_names_of_every_kind(two, tmp_path, capfd, loaded, monkeypatch):
    """`~name`, a name that is no UTF-8, and output into a pipe of another encoding: work, or one line and code 2."""
    place, (a, _) = two
    shutil.copy(a, tmp_path / "~nobody-of-that-name.jpg")
    files, empty = photo_files(["~nobody-of-that-name.jpg", "~nobody-of-that-name/x.jpg"])
    assert [file.name for file in files] == ["~nobody-of-that-name.jpg", "x.jpg"] and not empty
    (tmp_path / "odd").mkdir()
    shutil.copy(a, os.fsencode(tmp_path / "odd") + b"/H\xe4nd.jpg")
    with monkeypatch.context() as there:
        there.chdir(tmp_path)
        code, _, err = run(capfd, "propose", "odd", "--project", "q")
    assert code == 2 and "no UTF-8 text" in err and "Traceback" not in err
    with Project.open(place) as project:
        project.add_photo(shutil.copy(a.with_name("b.jpg"), tmp_path / "unused.jpg"))
    hand = "\u624b"
    os.rename(a, a.with_name(f"{hand}.jpg"))
    with Project.open(place) as project:
        project.find_photos(a.parent)
    for options in ((), ("--json",)):
        done = annotator("status", str(place), *options, cwd=tmp_path, PYTHONIOENCODING="cp1252")
        assert done.returncode == 0 and b"Traceback" not in done.stderr
        assert done.stdout.isascii()
        if options:
            assert hand in json.loads(done.stdout)["hands"][0]["photo"]


@pytest.mark.parametrize("name", ["[" * 5000, "1" * 300])
def test_a_name_longer_than_any_files_is_one_short_line(name, tmp_path, capsys):
    import annotator

    for read in (annotator.load_hand, annotator.read_photo):
        with pytest.raises(InputError, match="no such hand model file|does not exist"):
            read(name)
    assert main(["export", str(tmp_path), "--out", str(tmp_path / "set"), "--hand", name]) == 2
    assert main(["propose", name]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("annotator: error: ") and len(line) < 2100 for line in lines)
