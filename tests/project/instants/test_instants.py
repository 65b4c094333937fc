"""Rigs, instants and hands that are one mesh, in a project: kept, moved as one, undone as one, whole after a repair."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from small_rigs import proposal, rig_of

from annotator.correcting.views import join, refine_views
from annotator.errors import InputError
from annotator.hand.mesh import HandParameters
from annotator.project import Project, Provenance

FROM = Provenance("test", "m" * 64)


@pytest.fixture
def rig():
    return rig_of(3)


@pytest.fixture
def photos(tmp_path, rig):
    """moment -> camera -> file."""
    found = {}
    for k, moment in enumerate(("one", "two")):
        found[moment] = {}
        for c, name in enumerate(rig):
            path = tmp_path / "photos" / f"{moment}-{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((480, 640, 3), 90 * k + 20 * c, np.uint8)).save(path)
            found[moment][name] = path
    return found


def hands(rig, model, seed):
    random = np.random.default_rng(seed)
    pose = random.normal(0, 0.12, (16, 3))
    first = HandParameters(pose, np.zeros(10), np.zeros(3), np.zeros((model.offset_count, 3)))
    world = model.joints(model.vertices(first))
    world -= world.mean(axis=0)
    there = {n: [proposal(rig[n], model, world, pose, np.zeros(10), "right", random, 2.0)] for n in rig}
    return join(there, rig, model, dict.fromkeys(rig, (480, 640))), there


@pytest.fixture
def project(tmp_path, rig, photos, hand_model):
    with Project.create(tmp_path / "project", "Ada") as opened:
        opened.add_rig(rig, "studio")
        ids = {m: {n: opened.add_photo(path) for n, path in of.items()} for m, of in photos.items()}
        opened.set_instants("studio", ids)
        yield opened


@pytest.fixture
def made(project, rig, hand_model):
    """(project, the instant's hand, what makes it one)."""
    (first, _) = project.instants("studio")
    found, _ = hands(rig, hand_model, 1)
    (one,) = project.add_instant(first, found, FROM)
    return project, found[0], one


def test_rigs_and_instants_are_kept(project, rig, tmp_path):
    again = Project.open(tmp_path / "project")
    assert again.rigs()["studio"].as_dict() == rig.as_dict() | {"name": "studio"}
    one, two = again.instants()
    assert (one.rig, one.moment, two.moment) == ("studio", "one", "two") and not one.proposed
    assert {name: photo.path.name for name, photo in one.photos.items()} == {n: f"one-{n}.png" for n in rig}
    again.close()


def test_a_hand_in_each_photo_with_the_same_mesh(made, rig, hand_model):
    project, hand, one = made
    assert set(one.hands) == set(rig) and project.one_mesh(one.hands["cam1"]) == one
    for name, hand_id in one.hands.items():
        mesh = project.mesh(hand_id)
        np.testing.assert_allclose(rig[name].to_world(mesh.vertices), hand.vertices, atol=1e-4)
        assert project.hand(hand_id).photo.path.name == f"one-{name}.png"
    assert project.instants()[0].proposed and project.add_instant(project.instants()[0], [hand], FROM) == []
    assert project.verify() == [] and project.one_meshes() == [one]


def corrected(project, hand, one, model):
    place = tuple(hand.views["cam0"].keypoints[8] + [25.0, -10.0])
    fixed = refine_views(hand, model, {"cam0": {8: place}})
    meshes = {one.hands[name]: view for name, view in fixed.views.items()}
    project.edit_instant(meshes, {}, {}, {"joint": "index_tip"})
    return fixed


def places(project, one):
    return {name: project.mesh(hand_id).vertices for name, hand_id in one.hands.items()}


@pytest.mark.parametrize("asked", ["cam0", "cam2", None])
def test_a_step_is_undone_and_redone_in_all_photos(made, hand_model, asked):
    project, hand, one = made
    before = places(project, one)
    corrected(project, hand, one, hand_model)
    after = places(project, one)
    assert all(np.abs(after[name] - before[name]).max() > 1e-3 for name in before)
    assert {project.hand(h).state for h in one.hands.values()} == {"in work"}
    assert [project.hand(one.hands[n]).joint_states[8] for n in ("cam0", "cam1")] == ["corrected", "proposed"]
    project.undo(asked and one.hands[asked])
    assert all(np.array_equal(places(project, one)[name], before[name]) for name in before)
    project.redo(asked and one.hands[asked])
    assert all(np.array_equal(places(project, one)[name], after[name]) for name in before)
    assert project.verify() == []


def test_what_came_after_in_one_photo_stays(made, hand_model):
    project, hand, one = made
    before = places(project, one)
    corrected(project, hand, one, hand_model)
    project.set_state(one.hands["cam1"], "accepted")
    project.undo(one.hands["cam0"])  # cam1's newest step is the acceptance: it is not touched
    assert project.hand(one.hands["cam1"]).state == "accepted"
    assert np.array_equal(places(project, one)["cam2"], before["cam2"])
    assert project.verify() == []


def test_nothing_is_stored_half(made, hand_model):
    project, hand, one = made
    before = places(project, one)
    other = Project.open(project.folder, "Bob")
    other.lease(one.hands["cam2"])
    with pytest.raises(InputError, match="in work by Bob"):
        corrected(project, hand, one, hand_model)
    assert all(np.array_equal(places(project, one)[name], before[name]) for name in before)
    other.release(one.hands["cam2"])
    view = {one.hands["cam0"]: hand.views["cam0"]}
    with pytest.raises(InputError, match="changed meanwhile"):
        project.edit_instant(view, {}, {one.hands["cam0"]: 7}, {})
    corrected(project, hand, one, hand_model)
    with pytest.raises(InputError, match="in work by Ada"):
        project.lease(one.hands["cam1"])
        other.undo(one.hands["cam0"])
    other.close()


def test_single_proposals_take_the_mesh_and_peoples_work_stays(project, rig, hand_model):
    instant = project.instants()[0]
    found, there = hands(rig, hand_model, 2)
    ids = {name: project.add_proposal(instant.photos[name].id, there[name][0], FROM) for name in ("cam0", "cam1")}
    project.set_state(ids["cam1"], "accepted")
    kept = project.mesh(ids["cam1"]).vertices
    (one,) = project.add_instant(instant, found, FROM)
    assert one.hands["cam0"] == ids["cam0"] and "cam1" not in one.hands
    assert len(project.hands(photo=instant.photos["cam0"].id)) == 1
    assert np.array_equal(project.mesh(ids["cam1"]).vertices, kept)
    np.testing.assert_allclose(rig["cam0"].to_world(project.mesh(ids["cam0"]).vertices), found[0].vertices, atol=1e-4)
    assert project.verify() == []


def test_photos_of_another_size_or_instant_are_refused(project, rig, tmp_path):
    path = tmp_path / "small.png"
    Image.fromarray(np.zeros((100, 100, 3), np.uint8)).save(path)
    photo = project.add_photo(path)
    with pytest.raises(InputError, match=r"small.png: the photo is 100 x 100 px, camera 'cam0' is calibrated"):
        project.set_instants("studio", {"three": {"cam0": photo}})
    taken = project.instants()[0].photos["cam1"]
    with pytest.raises(InputError, match="of instant 'one' of rig 'studio' already"):
        project.set_instants("studio", {"three": {"cam1": taken.id}})
    with pytest.raises(InputError, match="no rig 'attic'"):
        project.set_instants("attic", {})
    assert [one.moment for one in project.instants()] == ["one", "two"]


def test_a_snapshot_and_a_repaired_project_have_them_all(made, tmp_path, hand_model):
    from annotator.project.safety.repairing import repair

    project, hand, one = made
    corrected(project, hand, one, hand_model)
    copy = Project.open(project.snapshot())
    assert copy.one_meshes() == [one] and list(copy.rigs()) == ["studio"] and len(copy.instants()) == 2
    copy.close()
    repair(project.folder, tmp_path / "new")
    whole = Project.open(tmp_path / "new")
    assert whole.one_meshes() == [one] and [i.moment for i in whole.instants()] == ["one", "two"]
    whole.undo(one.hands["cam1"])
    assert {whole.hand(h).version for h in one.hands.values()} == {3}
    whole.close()


STEPS = """
import sys
from annotator.project import Project
project = Project.open(sys.argv[1], "Eve")
one = project.one_meshes()[0]
for step in range(10**6):
    meshes = {}
    for hand in one.hands.values():
        mesh = project.mesh(hand)
        place = tuple(float(v) for v in mesh.keypoints[8] + step % 7)
        meshes[hand] = mesh.replace(corrections={8: place})
    project.edit_instant(meshes, {}, {}, {"step": step})
    if step % 3 == 2:
        project.undo(one.hands["cam1"])
    print(step, flush=True)
"""


def test_a_kill_leaves_all_photos_at_the_same_step(made, tmp_path):
    project, _, one = made
    for kill in range(5):
        work = subprocess.Popen([sys.executable, "-c", STEPS, str(project.folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(3 + 2 * kill):
            assert work.stdout.readline()
        work.kill()
        work.wait()
        work.stdout.close()
        stored = [project.hand(hand) for hand in one.hands.values()]
        assert len({hand.version for hand in stored}) == 1  # each step is one event in each photo
        last = [project.history(hand)[-1] for hand in one.hands.values()]
        assert len({(event.kind, event.note.get("step")) for event in last}) == 1
        assert project.verify() == []


def test_no_table_is_needed(made):
    """All of rigs and instants lies in `meta`: no program needs a newer schema for them."""
    project, _, one = made
    with sqlite3.connect(project.folder / "project.db") as connection:
        rows = dict(connection.execute("select key, value from meta"))
    assert json.loads(rows[f"one mesh {one.hands['cam0']}"])["moment"] == "one"
    assert {key.split()[0] for key in rows} >= {"rig", "instant", "moment", "one"}
