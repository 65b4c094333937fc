"""`annotator depth`, and depths said with `annotator correct`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator import read_photo
from annotator.hand.depth_labels import depths_from_palm
from annotator.project import Project, Provenance
from annotator.vision.camera import project as projected
from annotator.vision.drawing.raster import rasterise


@pytest.fixture
def proposed(tmp_path, photo_file, loaded, seen):
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_file.read_bytes())
    with Project.create(tmp_path / "project") as project:
        (hand_id,) = project.add_proposals(project.add_photo(path), seen, Provenance("default", loaded.digest))
        mesh = project.mesh(hand_id)
    return tmp_path / "project", hand_id, mesh, read_photo(path).shape[:2]


def test_nearer_farther_and_forgotten(run, proposed):
    folder, hand_id, mesh, _ = proposed
    was = depths_from_palm(mesh.joints)[8]
    code, out, err = run("correct", folder, hand_id, "index_tip", "--nearer", 15, "--json")
    assert code == 0, err
    assert json.loads(out)["depth_labels"]["from_palm_mm"]["index_tip"] == pytest.approx(1000 * was - 15, abs=0.01)
    assert run("correct", folder, hand_id, "index_tip", "--nearer", 5)[0] == 0  # steps add up
    assert run("correct", folder, hand_id, "thumb_tip", "--in-front-of", "wrist")[0] == 0
    with Project.open(folder) as project:
        labels, now = project.hand(hand_id).depth_labels, project.mesh(hand_id)
        assert labels.from_palm[8] == pytest.approx(was - 0.020, abs=1e-5) and labels.in_front == ((4, 0),)
        assert depths_from_palm(now.joints)[8] < was - 0.012
        assert "nearer by, mm" in project.history(hand_id)[1].note
    assert run("correct", folder, hand_id, "index_tip", "--forget-depth")[0] == 0
    with Project.open(folder) as project:
        assert not project.hand(hand_id).depth_labels.from_palm
    code, _, err = run("correct", folder, hand_id, "index_tip", "--forget-depth")
    assert code == 2 and "nobody said anything of the depth of index_tip" in err
    for wrong in (("--nearer", 3, "--farther", 3), ("--nearer", 3, "--forget-depth"), ("--nearer", 900)):
        code, _, err = run("correct", folder, hand_id, "index_tip", *wrong)
        assert code == 2 and err.count("\n") == 1
    assert run("accept", folder, hand_id)[0] == 0
    out, again = folder.parent / "coco", folder.parent / "again"
    assert run("export", folder, "--format", "coco-wholebody", "--out", out)[0] == 0
    assert run("import", out, "--format", "coco-wholebody", "--project", again)[0] == 0
    with Project.open(again) as project:
        assert project.mesh(project.hands()[0].id).depth_labels.in_front == ((4, 0),)
    out = folder.parent / "out"
    assert run("export", folder, "--format", "freihand", "--out", out)[0] == 0
    assert '"in_front": [["thumb_tip", "wrist"]]' in (out / "provenance.json").read_text()


def test_depth_images_renew_untouched_hands(run, proposed, model):
    folder, hand_id, mesh, size = proposed
    moved = mesh.vertices + [0, 0, 0.05]  # the camera measures the hand 5 cm behind where it was thought to be
    image = np.full(size, 1.5)
    seen = rasterise(projected(mesh.vertices, mesh.camera), moved[:, 2], mesh.faces, *size)
    image[seen.rows, seen.columns] = seen.depth
    pattern = "{folder}/{stem}_depth.npy"
    code, _, err = run("depth", folder, "--images", pattern)
    assert code == 2 and "photo_depth.npy does not exist" in err
    np.save(folder.parent / "photo_depth.npy", image[:50])
    code, _, err = run("depth", folder, "--images", pattern)
    assert code == 2 and "photo_depth.npy is" in err and err.count("\n") == 1
    np.save(folder.parent / "photo_depth.npy", image)
    code, out, err = run("depth", folder, "--images", pattern, "--json")
    assert code == 0, err
    (row,) = json.loads(out)["hands"]
    assert row["renewed"] and row["surface_mm"][0] > 30 and row["surface_mm"][1] < 8
    with Project.open(folder) as project:
        now = project.mesh(hand_id)
        assert now.joints[:, 2].mean() - mesh.joints[:, 2].mean() == pytest.approx(0.05, abs=0.015)
        assert project.hand(hand_id).state == "proposed" and project.verify() == []
    assert run("accept", folder, hand_id)[0] == 0
    (row,) = json.loads(run("depth", folder, "--images", pattern, "--json")[1])["hands"]
    assert not row["renewed"] and row["state"] == "accepted"
    for wrong in ("{folder}/depth.png", "{name}_{stem}.png", "{stem"):
        code, _, err = run("depth", folder, "--images", wrong)
        assert code == 2 and err.count("\n") == 1
