"""FreiHAND folders that exist, fail half-way or are broken: safe, and named."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PIL import Image

from annotator.errors import InputError
from annotator.formats import freihand, writer
from annotator.formats.transfer.from_project import labelled_hands


def test_an_existing_folder_is_safe(project, written, tmp_path):
    before = (written / "training_xyz.json").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        freihand.write(labelled_hands(project), written)
    assert (written / "training_xyz.json").read_bytes() == before
    freihand.write(list(labelled_hands(project))[:1], written, overwrite=True)
    assert len(list(freihand.read(written))) == 1
    assert len(list((written / "training" / "rgb").iterdir())) == 1
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "to mother.txt").write_text("dear")
    with pytest.raises(InputError, match="something else"):
        freihand.write(labelled_hands(project), letters, overwrite=True)
    assert [path.name for path in letters.iterdir()] == ["to mother.txt"]


def test_a_failed_export_leaves_nothing(project, tmp_path):
    def failing():
        yield next(labelled_hands(project))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        freihand.write(failing(), tmp_path / "out" / "set")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(InputError, match="no hands"):
        freihand.write([], tmp_path / "out" / "set")
    with pytest.raises(InputError, match="cannot write"):
        freihand.write(labelled_hands(project), project.folder / "project.db" / "set")


def test_what_a_killed_export_left_is_removed(project, tmp_path):
    import socket

    junk = tmp_path / f".set.partial-{socket.gethostname()}-99999999"
    junk.mkdir()
    freihand.write(labelled_hands(project), tmp_path / "set")
    assert not junk.exists()


def test_a_changed_photo_is_not_exported(project, tmp_path, sample_photos):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(sample_photos[0].read_bytes())
    photo_id = project.add_photo(photo)
    mesh = project.mesh(project.hands()[0].id)
    from annotator.project import Provenance

    hand_id = project.add_proposal(photo_id, mesh, Provenance("m", "d"))
    project.set_state(hand_id, "accepted")
    Image.new("RGB", (100, 100)).save(photo)
    with pytest.raises(InputError, match="is not the one"):
        freihand.write(labelled_hands(project), tmp_path / "set")
    photo.unlink()
    with pytest.raises(InputError, match="not there any more"):
        freihand.write(labelled_hands(project), tmp_path / "set")


def broken(name, change):
    def apply(folder):
        path = folder / name
        path.write_text(change(path.read_text()))

    return apply


def with_element(index, value):
    def change(text):
        values = json.loads(text)
        values[index] = value
        return json.dumps(values)

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (broken("training_xyz.json", with_element(1, [[0, 0]] * 21)), "index 1.*shape"),
        (broken("training_xyz.json", with_element(1, [[0, 0, float("nan")]] * 21)), "index 1.*not finite"),
        (broken("training_verts.json", with_element(2, "mesh")), "index 2.*vertices"),
        (broken("training_K.json", with_element(0, [[0, 0, 0]] * 3)), "index 0.*focal"),
        (
            broken("training_K.json", lambda text: json.dumps(json.loads(text)[:1])),
            "training_K.json ends at 1",
        ),
        (
            broken("training_K.json", lambda text: text[: len(text) // 2]),
            "training_K.json is not a JSON list",
        ),
        (broken("training_K.json", lambda text: "{}"), "training_K.json is not a JSON list"),
        (broken("training_K.json", lambda text: "[" * 200000), "training_K.json is not a JSON list"),
        (broken("training_details.json", with_element(0, {})), "index 0.*is missing"),
        (broken("training_details.json", with_element(0, [1])), "index 0"),
        (broken("provenance.json", lambda text: "[]"), "provenance"),
        (lambda folder: (folder / "training_K.json").unlink(), "no training_K.json"),
        (lambda folder: (folder / "training" / "rgb" / "00000001.jpg").unlink(), "index 1.*there is no"),
    ],
)
def test_a_broken_set_is_named(written, damage, message):
    damage(written)
    with pytest.raises(InputError, match=message):
        list(freihand.read(written))


def test_a_record_without_a_mesh_is_refused(project, tmp_path):
    record = next(labelled_hands(project))
    with pytest.raises(InputError, match="has no mesh"):
        freihand.write([replace(record, vertices=None)], tmp_path / "set")
    other = replace(record, faces=record.faces[:-1])
    with pytest.raises(InputError, match="another hand model"):
        freihand.write([record, other], tmp_path / "set")


def test_unknown_formats_are_named():
    with pytest.raises(InputError, match="expected one of .*freihand"):
        writer("xml")
