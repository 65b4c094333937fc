"""`annotator rig`, and `correct` on a hand that is one mesh in two photos: the sample photos' two cameras."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from annotator.sample_data import FOLDER

from annotator.formats import reader
from annotator.project import Project
from annotator.vision.rigs import Rig

NAMES = [f"two-camera-{moment}-cam{camera}.jpg" for moment in ("0196", "0224") for camera in (0, 1)]
PATTERN = "{instant}-{camera}.jpg"


@pytest.fixture
def two(tmp_path):
    """(project, folder with the photos and cameras.json)."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(FOLDER / "photos" / name, folder)
    shutil.copy(FOLDER / "cameras.json", folder)
    return tmp_path / "project", folder


@pytest.fixture
def proposed(run, loaded, two):
    project, folder = two
    code, out, err = run(
        "rig", project, folder / "cameras.json", "--photos", folder, "--pattern", PATTERN, "--propose", "--json"
    )
    assert code == 0, err
    return project, folder, json.loads(out)


def test_a_two_camera_project_from_photos_to_exports(run, proposed, tmp_path):
    project, _, said = proposed
    assert said["made"]["instants"] == 2 and said["made"]["hands"] == 2 and said["made"]["views"] == 4
    (rig,) = said["rigs"]
    assert rig["instants"] == rig["proposed"] == 2 and 0.03 < rig["unit"] < 0.05 and not said["moved"]
    with Project.open(project) as opened:
        (one, _) = opened.one_meshes()
        before = {camera: opened.mesh(hand) for camera, hand in one.hands.items()}
        place = before["cam0"].keypoints[8] + [12, -9]
    code, out, err = run("correct", project, one.hands["cam0"], "index_tip", *place, "--json")
    assert code == 0, err
    assert json.loads(out)["moved"] == sorted(one.hands.values())
    with Project.open(project) as opened:
        world = opened.rigs()["rig"].metric()
        after = {camera: opened.mesh(hand) for camera, hand in one.hands.items()}
        for camera in after:
            assert np.abs(after[camera].vertices - before[camera].vertices).max() > 1e-3
        places = [world[camera].to_world(mesh.vertices) for camera, mesh in after.items()]
        np.testing.assert_allclose(*places, atol=1e-4)
        assert opened.hand(one.hands["cam1"]).corrections == {} and opened.verify() == []
    code, out, _ = run("undo", project)
    with Project.open(project) as opened:
        for camera, hand in one.hands.items():
            assert np.array_equal(opened.mesh(hand).vertices, before[camera].vertices)
    assert run("accept", project, *one.hands.values())[0] == 0
    for name in ("freihand", "hamer-npz", "hamer-tar", "parquet"):
        code, _, err = run("export", project, "--format", name, "--out", tmp_path / name)
        assert code == 0, err
        records = list(reader(name).read(tmp_path / name))
        assert len(records) == 2
        seen = []
        for record in records:
            about = record.provenance["rig"]
            assert about["instant"] == "two-camera-0196" and about["hands"] == dict(one.hands)
            seen.append((record.vertices - about["t"]) @ np.array(about["R"]))
            assert len(about["dist"]) == 5 and about["camera"] in ("cam0", "cam1")
        np.testing.assert_allclose(*seen, atol=1e-4)  # the same mesh in the world of the rig


def test_listing_again_and_single_proposals_first(run, loaded, two):
    project, folder = two
    assert run("propose", folder / NAMES[0], folder / NAMES[1], "--project", project)[0] == 0
    code, out, err = run("rig", project, folder / "cameras.json", "--pattern", PATTERN, "--propose", "--json")
    assert code == 0, err
    with Project.open(project) as opened:
        assert len(opened.hands()) == 2 and len(opened.one_meshes()) == 1
    code, out, _ = run("rig", project, "--propose")
    assert code == 0 and "0 hands of 0 instants" in out and "1 instants, 1 proposed" in out
    assert run("rig", project, "--json")[0] == 0


def test_propose_with_a_rig(run, loaded, two):
    project, folder = two
    (folder / NAMES[3]).unlink()  # its instant has one photo left, which is proposed by itself
    told = ("--rig", folder / "cameras.json", "--pattern", PATTERN)
    code, out, err = run("propose", folder, "--project", project, *told, "--json")
    assert code == 0, err
    assert (json.loads(out)["photos"], json.loads(out)["hands"], json.loads(out)["skipped"]) == (3, 3, 0)
    with Project.open(project) as opened:
        (one,) = opened.one_meshes()
        assert set(one.hands) == {"cam0", "cam1"} and len(opened.hands()) == 3
    code, out, _ = run("propose", folder, "--project", project, *told, "--json")
    assert code == 0 and (json.loads(out)["hands"], json.loads(out)["skipped"]) == (0, 3)
    code, _, err = run("propose", folder, "--project", project, "--rig", folder / "cameras.json")
    assert code == 2 and "--rig and --pattern go together" in err


def test_by_a_table(run, two):
    project, folder = two
    table = folder / "instants.csv"
    rows = [f"{name[11:15]},{name[16:20]},{name}" for name in NAMES]
    table.write_text("\n".join(["instant,camera,photo", *rows]) + "\n")
    code, out, err = run(
        "rig", project, folder / "cameras.json", "--photos", folder, "--table", table, "--unit", "0.04"
    )
    assert code == 0, err
    with Project.open(project) as opened:
        assert [one.moment for one in opened.instants()] == ["0196", "0224"]
        assert opened.rigs()["rig"].unit == 0.04


def broken(folder, what):
    """Arguments after PROJECT, and what is said."""
    cameras = folder / "cameras.json"
    plain = [cameras, "--photos", folder, "--pattern", PATTERN]
    if what == "a photo is missing":
        (folder / NAMES[1]).unlink()
        return plain, f"instant 'two-camera-0196' has no photo of cam1 beside {folder / NAMES[0]}"
    if what == "another size":
        shutil.copy(FOLDER / "photos" / "two-hands.jpg", folder / NAMES[1])
        return plain, f"{folder / NAMES[1]}: the photo is"
    if what == "no rotation":
        content = json.loads(cameras.read_text())
        content["cameras"]["cam1"]["R"][0][0] = 0.3
        cameras.write_text(json.dumps(content))
        return plain, f"{cameras}: camera 'cam1': R is not a rotation"
    if what == "same pose":
        content = json.loads(cameras.read_text())
        content["cameras"]["cam1"] |= {k: content["cameras"]["cam0"][k] for k in ("R", "t")}
        cameras.write_text(json.dumps(content))
        return plain, f"{cameras}: cameras 'cam0' and 'cam1' have the same pose"
    if what == "nothing fits":
        return [cameras, "--photos", folder, "--pattern", "x{instant}/{camera}.png"], "no photo is of an instant"
    if what == "two ways":
        return [*plain, "--times", "0.1"], "one of --pattern, --table and --times"
    return [cameras, "--photos", folder], "--pattern, --table or --times says"


@pytest.mark.parametrize(
    "what", ["a photo is missing", "another size", "no rotation", "same pose", "nothing fits", "two ways", "no way"]
)
def test_bad_input_is_one_line_and_nothing_is_stored_half(run, two, what):
    project, folder = two
    arguments, said = broken(folder, what)
    code, out, err = run("rig", project, *arguments)
    assert code == 2 and said in err and err.count("\n") == 1 and out == ""
    if project.exists():
        with Project.open(project) as opened:
            assert opened.instants() == []


def test_no_rig_yet(run, folder):
    code, _, err = run("rig", folder, "--propose")
    assert code == 2 and "has no rig 'rig': read a calibration first" in err
    assert run("rig", folder)[1].strip() == "no rig"


def test_a_model_answers_an_instant(model):
    rig = Rig.read(FOLDER / "cameras.json")
    from annotator.errors import InputError
    from annotator.vision.photos import read_photo

    photos = {f"cam{k}": read_photo(FOLDER / "photos" / NAMES[k]) for k in (0, 1)}
    (hand,) = model.propose_instant(photos, rig)
    assert hand.side == "right" and set(hand.views) == {"cam0", "cam1"} and not hand.left_out
    assert max(hand.reprojection.values()) < 8
    with pytest.raises(InputError, match="photos of two cameras at least"):
        model.propose_instant({"cam0": photos["cam0"]}, rig)
    with pytest.raises(InputError, match="no camera 'cam5'"):
        model.propose_instant({"cam0": photos["cam0"], "cam5": photos["cam1"]}, rig)
    with pytest.raises(InputError, match="photo of cam1: the photo is 300 x 720 px"):
        model.propose_instant({"cam0": photos["cam0"], "cam1": photos["cam1"][:, :300]}, rig)


def test_flip_delete_and_undo_are_of_all_photos(run, proposed):
    project, _, _ = proposed
    with Project.open(project) as opened:
        (one, other) = opened.one_meshes()
        side = opened.hand(one.hands["cam0"]).side
        place = opened.mesh(one.hands["cam1"]).keypoints[8] + [9, 4]
        now = {hand: opened.mesh(hand).vertices for hand in one.hands.values()}

    def sides():
        with Project.open(project) as opened:
            return [opened.hand(hand).side for hand in one.hands.values()]

    assert run("correct", project, one.hands["cam1"], "index_tip", *place)[0] == 0
    code, out, err = run("flip", project, *one.hands.values(), "--json")
    assert code == 0, err
    assert {row["id"] for row in json.loads(out)["hands"]} == set(one.hands.values())
    assert sides() == ["left" if side == "right" else "right"] * 2
    with Project.open(project) as opened:
        world = opened.rigs()["rig"].metric()
        places = [world[camera].to_world(opened.mesh(hand).vertices) for camera, hand in one.hands.items()]
        np.testing.assert_allclose(*places, atol=1e-4)
        assert tuple(opened.mesh(one.hands["cam1"]).corrections[8]) == pytest.approx(tuple(place))
        assert opened.hand(one.hands["cam1"]).joint_states[8] == "corrected"
    assert run("undo", project, one.hands["cam0"])[0] == 0  # one step: in the other photo, too
    assert sides() == [side] * 2
    assert run("undo", project, "--batch")[0] == 0  # the label, likewise
    with Project.open(project) as opened:
        assert all(np.array_equal(opened.mesh(hand).vertices, now[hand]) for hand in now)
    code, out, err = run("delete", project, one.hands["cam1"], other.hands["cam0"], "--json")
    assert code == 0 and len(json.loads(out)["hands"]) == 4, err
    with Project.open(project) as opened:
        states = {hand: opened.hand(hand).state for each in (one, other) for hand in each.hands.values()}
        assert set(states.values()) == {"rejected"}
    code, out, _ = run("undo", project, "--batch", "--json")
    assert code == 0 and {row["id"] for row in json.loads(out)["hands"]} == set(states)
    assert run("redo", project, "--batch")[0] == 0
    assert run("undo", project, other.hands["cam1"])[0] == 0  # of that hand alone
    with Project.open(project) as opened:
        after = {hand: opened.hand(hand).state for hand in states}
        assert {after[hand] for hand in other.hands.values()} == {"proposed"}
        assert {after[hand] for hand in one.hands.values()} == {"rejected"}
        assert opened.verify() == []
