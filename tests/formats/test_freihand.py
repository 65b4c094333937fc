"""FreiHAND's layout: what is written is what is read, and the geometry is exact for right and left hands."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from annotator.errors import InputError
from annotator.formats import LabelledHand, freihand, reader, writer
from annotator.formats.freihand.writer import to_sample
from annotator.formats.transfer.from_project import labelled_hands
from annotator.hand import rotation_matrices
from annotator.hand.joints import MANO_TO_KEYPOINTS
from annotator.vision.photos import read_photo


def load(folder, name):
    return json.loads((folder / f"training_{name}.json").read_text())


@pytest.fixture
def written(project, tmp_path):
    folder = tmp_path / "export" / "freihand"
    assert writer("freihand").write(labelled_hands(project), folder)["hands"] == 3
    return folder


def test_read_gives_what_was_written(project, written):
    expected = [to_sample(r, written / f"training/rgb/{k:08d}.jpg")[0] for k, r in enumerate(labelled_hands(project))]
    assert list(reader("freihand").read(written)) == expected
    assert len(expected) == 3 and {hand.side for hand in expected} == {"right"}


def test_it_projects_onto_the_stored_keypoints(project, written):
    """Only with the files themselves, as somebody else's code would read them."""
    hands = [project.hand(entry.id) for entry in project.hands("accepted")]
    about = json.loads((written / "provenance.json").read_text())["hands"]
    assert [hand.side for hand in hands] == [a["provenance"]["side"] for a in about] == ["left", "left", "right"]
    for hand, xyz, K, verts, scale, entry in zip(
        hands,
        load(written, "xyz"),
        load(written, "K"),
        load(written, "verts"),
        load(written, "scale"),
        about,
        strict=True,
    ):
        xyz, K, verts = np.array(xyz), np.array(K), np.array(verts)
        pixels = xyz @ K.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        to_image = np.array(entry["provenance"]["photo_to_image"])
        expected = np.c_[hand.keypoints, np.ones(21)] @ to_image.T
        assert np.abs(pixels - expected).max() < 1e-3
        assert ((pixels > 0) & (pixels < 223)).all()
        assert scale == pytest.approx(np.linalg.norm(xyz[9] - xyz[10]))
        regressed = project.mesh(hand.id).vertices
        assert np.abs(np.abs(verts) - np.abs(regressed)).max() < 1e-9


def test_left_hands_become_right_hands(project, written, hand_model):
    faces = np.array(load(written, "faces"))
    np.testing.assert_array_equal(faces, hand_model.faces)
    for verts, xyz in zip(load(written, "verts"), load(written, "xyz"), strict=True):
        verts, xyz = np.array(verts), np.array(xyz)
        a, b, c = verts[faces[:, 0]], verts[faces[:, 1]], verts[faces[:, 2]]
        assert (np.cross(b - a, c - a) * a).sum() > 0  # a closed surface seen from outside encloses a positive volume
        np.testing.assert_allclose(hand_model.joints(verts), xyz, atol=1e-12)


def test_parameters_give_the_written_mesh(written, hand_model):
    for record in freihand.read(written):
        rebuilt = hand_model.vertices(record.parameters, "right")
        assert np.abs(rebuilt - record.vertices).max() < 1e-9


def test_images_show_what_the_map_says(project, written):
    about = json.loads((written / "provenance.json").read_text())["hands"]
    for entry, hand in zip(about, project.hands("accepted"), strict=True):
        image = read_photo(written / entry["image"])
        assert image.shape == (224, 224, 3)
        photo = read_photo(project.hand(hand.id).photo.path).astype(float)
        matrix = np.vstack([entry["provenance"]["photo_to_image"], (0, 0, 1)])
        grid = np.stack(np.meshgrid(np.arange(20, 204, 4), np.arange(20, 204, 4)), -1).reshape(-1, 2)
        places = np.c_[grid, np.ones(len(grid))] @ np.linalg.inv(matrix).T
        x, y = np.rint(places[:, 0]).astype(int), np.rint(places[:, 1]).astype(int)
        inside = (x >= 0) & (y >= 0) & (x < photo.shape[1]) & (y < photo.shape[0])
        difference = np.abs(image[grid[inside, 1], grid[inside, 0]] - photo[y[inside], x[inside]])
        assert inside.sum() > 500 and np.median(difference) < 8


def test_only_accepted_hands_leave_unless_asked(project, written, tmp_path):
    assert {record.state for record in freihand.read(written)} == {"accepted"}
    everything = tmp_path / "everything"
    freihand.write(labelled_hands(project, ("proposed", "accepted")), everything)
    assert [record.state for record in freihand.read(everything)] == ["proposed"] + ["accepted"] * 3


def test_a_proposal_never_looks_like_a_correction(written):
    _, corrected, _ = freihand.read(written)
    assert corrected.weights[8] == 1 and corrected.states[8] == "corrected"
    assert (corrected.weights[np.array(corrected.states) == "proposed"] <= 0.5).all()
    assert not corrected.visible[20] and corrected.visible[:20].all()
    assert corrected.provenance["corrections"] == {"8": [300.5, 20.25]}


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


def test_the_original_set_is_read(written):
    """Its files alone, without what only our exports have: all of it counts as labelled."""
    expected = list(freihand.read(written))
    for name in ("provenance.json", "training_details.json", "training_faces.json", "training_verts.json"):
        (written / name).unlink()
    for record, ours in zip(freihand.read(written), expected, strict=True):
        assert isinstance(record, LabelledHand) and record.vertices is None and record.faces is None
        np.testing.assert_array_equal(record.joints, ours.joints)
        assert np.abs(record.keypoints - ours.keypoints).max() < 1e-3
        assert record.photo == ours.photo and set(record.weights) == {1.0}


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


def official_mesh(row, K, mano, mean):
    """What FreiHAND's own code makes of a row of training_mano.json: the pose from MANO's mean, the knuckle of the
    middle finger where a scaled orthographic camera puts it."""
    row = np.array(row)[0]
    pose, shape, root, scale = row[:48].reshape(16, 3), row[48:58], row[58:60], row[60]
    focal, centre = (K[0, 0] + K[1, 1]) / 2, K[:2, 2]
    place = np.append(root - centre, focal) / scale
    rotations = rotation_matrices(np.concatenate([pose[:1], pose[1:] + mean]))
    vertices, chain = mano.skin(rotations, shape), mano.bone_transforms(rotations, shape)[2]
    joints = np.concatenate([chain, vertices[[744, 320, 443, 555, 672]]])[list(MANO_TO_KEYPOINTS)]
    return vertices - joints[9] + place, joints - joints[9] + place


def test_parameters_of_mano(project, tmp_path, monkeypatch):
    """With a MANO of the user's own training_mano.json is filled, and FreiHAND's own formula gives the written mesh."""
    import mano_like

    from annotator.formats.mano.mano_file import import_mano, pose_space
    from annotator.hand import load_hand
    from annotator.hand.mesh import HandParameters

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    import_mano(mano_like.write(tmp_path / "MANO_RIGHT.pkl", mano_like.arrays()))
    mano, random, given = load_hand("mano"), np.random.default_rng(0), []
    for record in labelled_hands(project):
        values = HandParameters(
            random.normal(0, 0.2, (16, 3)), random.normal(size=10), (0, 0.02, 0.7), np.zeros((98, 3))
        )
        vertices = mano.vertices(values, record.side)
        given.append(replace(record, parameters=values, hand_model=mano.digest, vertices=vertices,
                             faces=mano.faces_of(record.side), joints=mano.joints(vertices)))  # fmt: skip
    writer("freihand").write(given, tmp_path / "set")
    rows = {name: load(tmp_path / "set", name) for name in ("mano", "verts", "xyz", "K")}
    assert np.shape(rows["mano"]) == (3, 1, 61) and not (tmp_path / "set" / "training_faces.json").exists()
    for n in range(3):  # two left hands, mirrored, and a right one
        mesh, joints = official_mesh(
            rows["mano"][n], np.array(rows["K"][n]), mano, pose_space("right")[0].reshape(15, 3)
        )
        np.testing.assert_allclose(mesh, rows["verts"][n], atol=1e-9)
        np.testing.assert_allclose(joints, rows["xyz"][n], atol=1e-9)
    for ours, theirs in zip(reader("freihand").read(tmp_path / "set"), given, strict=True):
        assert ours == to_sample(theirs, ours.photo)[0]
    for name in ("provenance.json", "training_details.json"):  # as other people read it
        (tmp_path / "set" / name).unlink()
    for ours, row in zip(reader("freihand").read(tmp_path / "set"), rows["mano"], strict=True):
        assert ours.mano.form == "from mean"
        np.testing.assert_array_equal(ours.mano.pose, row[0][:48])
    mixed = [given[0], *list(labelled_hands(project))[1:]]
    with pytest.raises(InputError, match="another hand model"):
        writer("freihand").write(mixed, tmp_path / "mixed")


def test_without_mano_there_are_no_parameters(written):
    assert not (written / "training_mano.json").exists() and (written / "training_faces.json").is_file()


def test_details_name_the_hand(records, written):
    """By training_details.json alone: which hand, which side, whether its picture is mirrored, whose topology."""
    for entry, record in zip(load(written, "details"), records, strict=True):
        assert entry["id"] == record.id and entry["side"] == record.side and entry["hand_model"] == record.hand_model
        assert entry["mirrored"] == (record.side == "left")
