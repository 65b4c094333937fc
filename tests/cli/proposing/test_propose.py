"""`annotator propose`: photos in, hands in the project; bad photos, resuming, interruption."""

from __future__ import annotations

import json
import shutil
import threading

import numpy as np
import pytest
from PIL import Image

from annotator.cli.support.proposing import propose_photos
from annotator.files.photo_paths import AHEAD, photo_files, read_ahead
from annotator.project import Project


@pytest.fixture
def photos(tmp_path, sample_photos):
    """A folder with two photos of one hand and one of two, in folders."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    names = {
        "digit-3-IMG_4536.jpg": folder,
        "digit-1-IMG_5102.jpg": folder / "more",
        "two-hands.jpg": folder / "more",
    }
    for path in sample_photos:
        if path.name in names:
            shutil.copy(path, names[path.name])
    return folder


def test_hands_are_found_stored_and_not_proposed_twice(run, loaded, photos, tmp_path):
    folder = tmp_path / "project"
    code, out, err = run("propose", photos, "--project", folder, "--json")
    assert code == 0 and out.count("\n") == 1 and "propose" in err
    result = json.loads(out)
    assert (result["photos"], result["photos_with_hand"], result["skipped"], result["failed"]) == (
        3,
        3,
        0,
        [],
    )
    assert result["hands"] == 4 and result["seconds"] > 0
    with Project.open(folder) as project:
        entries = project.hands()
        assert sorted(entry.id for entry in entries) == [
            "digit-1-IMG_5102-1",
            "digit-3-IMG_4536-1",
            "two-hands-1",
            "two-hands-2",
        ]
        assert all(project.hand(entry.id).provenance["model_digest"] == loaded.digest for entry in entries)
        (alone,) = loaded.propose(np.asarray(Image.open(photos / "digit-3-IMG_4536.jpg").convert("RGB")))
        assert np.abs(project.mesh("digit-3-IMG_4536-1").vertices - alone.vertices).max() < 1e-4
        assert project.verify() == []

    # the same again, by a pattern, with one new photo that shows what another file showed, and one without a
    # hand
    shutil.copy(photos / "digit-3-IMG_4536.jpg", photos / "copy.jpg")
    Image.new("RGB", (120, 90), "white").save(photos / "blank.png")
    code, out, _ = run("propose", photos / "**" / "*.*g", photos, "--project", folder, "--json")
    again = json.loads(out)
    assert code == 0 and (again["photos"], again["hands"], again["skipped"]) == (1, 0, 4)
    code, out, _ = run("propose", photos, "--project", folder)
    assert code == 0 and "nothing new" in out and "5 photos were done already" in out
    with Project.open(folder) as project:
        assert len(project.hands()) == 4 and project.status()["looked_at"] == 4


def test_bad_photos_are_named_and_the_others_done(run, loaded, photos, tmp_path):
    (photos / "text.jpg").write_text("no image")
    Image.new("RGB", (1, 1)).save(photos / "tiny.png")
    whole = (photos / "digit-3-IMG_4536.jpg").read_bytes()
    (photos / "half.jpg").write_bytes(whole[: len(whole) // 2])
    code, out, err = run("propose", photos, photos / "gone.jpg", "nothing*.jpg", "--project", tmp_path / "p", "--json")
    result = json.loads(out)
    assert code == 0 and result["photos"] == 3 and result["hands"] == 4
    bad = {failed["photo"].split("/")[-1]: failed["error"] for failed in result["failed"]}
    assert set(bad) == {"text.jpg", "tiny.png", "half.jpg", "gone.jpg", "nothing*.jpg"}
    assert "1 x 1" in bad["tiny.png"] and "does not exist" in bad["gone.jpg"] and "matches" in bad["nothing*.jpg"]
    for name in bad:
        assert sum("skipped" in line and name in line for line in err.splitlines()) == 1


def test_exit_2_only_if_nothing_could_be_done(run, loaded, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    (tmp_path / "empty").mkdir()
    for given, said in (
        ([text], "text.jpg"),
        ([text, tmp_path / "gone.jpg"], "none of 2 photos could be read"),
        ([tmp_path / "empty"], "no image files"),
        ([tmp_path / "*.tiff"], "matches"),
    ):
        code, out, err = run("propose", *given, "--project", tmp_path / "project", "--json")
        assert code == 2 and out == ""
        assert [said in line for line in err.splitlines() if line.startswith("annotator: error")] == [True]


def test_other_kinds_of_images_are_proposed_on(run, loaded, photos, tmp_path):
    photo = Image.open(photos / "digit-3-IMG_4536.jpg").convert("RGB").resize((300, 300))
    kinds = tmp_path / "kinds"
    kinds.mkdir()
    photo.convert("L").save(kinds / "grey.png")
    photo.convert("RGBA").save(kinds / "rgba.png")
    Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257).save(kinds / "deep.png")
    code, out, _ = run("propose", kinds, "--project", tmp_path / "p", "--json")
    result = json.loads(out)
    # grey and 16-bit grey are different files that show the same
    assert code == 0 and (result["photos"], result["hands"], result["failed"]) == (3, 3, [])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "gone.safetensors"], "gone.safetensors"),
        (["--device", "warp"], "warp"),
        (["--batch", "0"], "--batch"),
    ],
)
def test_wrong_options(run, photos, tmp_path, options, said):
    code, out, err = run("propose", photos, "--project", tmp_path / "p", *options)
    assert code == 2 and out == "" and said in err and "Traceback" not in err


def test_an_interrupted_run_goes_on_where_it_stopped(loaded, photos, tmp_path):
    files, _ = photo_files([photos])
    with Project.create(tmp_path / "p") as project:

        def stop(path, ids, hands):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            propose_photos(project, loaded, files, "default", batch=1, stored=stop)
        assert project.status()["looked_at"] == 1 and project.verify() == []
        told = []
        done = propose_photos(
            project, loaded, files, "default", stored=lambda path, ids, hands: told.append((path, ids))
        )
        assert (done.photos, done.skipped) == (2, 1)
        assert [path for path, _ in told] == files[1:]
        assert len(project.hands()) == 4
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read photos")]


def test_files_of_folders_patterns_and_names(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "in/c.webp", ".cache/d.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    files, empty = photo_files([tmp_path])
    assert [file.name for file in files] == ["a.png", "b.JPG", "c.webp"] and empty == []
    files, empty = photo_files([tmp_path / "b.JPG", tmp_path / "*.[jJ]*", tmp_path / "in", tmp_path / "notes.txt"])
    assert [file.name for file in files] == ["b.JPG", "c.webp", "notes.txt"]
    (tmp_path / "a[1].png").touch()  # a name that looks like a pattern
    files, empty = photo_files([str(tmp_path / "a[1].png"), str(tmp_path / "*.gif")])
    assert [file.name for file in files] == ["a[1].png"]
    assert [(name.split("/")[-1], why) for name, why in empty] == [("*.gif", "nothing matches this pattern")]


def test_reading_ahead_keeps_the_order_and_does_not_read_everything():
    asked = []

    def read(path):
        asked.append(path)
        return path * 2

    paths = list(range(100))
    reader = read_ahead(paths, read)
    assert [next(reader) for _ in range(3)] == [0, 2, 4]
    assert len(asked) <= 3 + AHEAD
    reader.close()
    stopped = len(asked)
    assert stopped < 100
    assert list(read_ahead(paths, read)) == [2 * path for path in paths]

    def fail(path):
        raise ZeroDivisionError(path)

    with pytest.raises(ZeroDivisionError):
        next(read_ahead([1], fail))
