"""FreiHAND's geometry is exact for right and left hands: projection, mirror, parameters, pictures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from freihand_files import load

from annotator.errors import InputError
from annotator.formats import freihand, reader, writer
from annotator.formats.freihand.writer import to_sample
from annotator.formats.transfer.from_project import labelled_hands
from annotator.hand import rotation_matrices
from annotator.hand.joints import MANO_TO_KEYPOINTS
from annotator.vision.photos import read_photo


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


def official_mesh(row, K, mano, mean):
    """What FreiHAND's own code makes of a row of training_mano.json: the pose from MANO's mean, joints regressed
    from the posed mesh, the knuckle of the middle finger where a scaled orthographic camera puts it."""
    row = np.array(row)[0]
    pose, shape, root, scale = row[:48].reshape(16, 3), row[48:58], row[58:60], row[60]
    focal, centre = (K[0, 0] + K[1, 1]) / 2, K[:2, 2]
    place = np.append(root - centre, focal) / scale
    rotations = rotation_matrices(np.concatenate([pose[:1], pose[1:] + mean]))
    vertices = mano.skin(rotations, shape)
    joints = np.concatenate([mano.joint_regressor @ vertices, vertices[[744, 320, 443, 555, 672]]])[
        list(MANO_TO_KEYPOINTS)
    ]
    return vertices - joints[9] + place, joints - joints[9] + place


def test_parameters_of_mano(project, tmp_path, with_mano):
    """With a MANO of the user's own training_mano.json is filled, and FreiHAND's own formula gives the written mesh."""

    from annotator.formats.mano.mano_file import pose_space
    from annotator.hand import load_hand
    from annotator.hand.mesh import HandParameters

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
