"""MANO's parameters in data sets' files: what their readers make of ours by smplx, and what we make of theirs."""

from __future__ import annotations

import json
from dataclasses import replace

import mano_like
import numpy as np
import pytest
from by_smplx import smplx_hand, smplx_vertices

from annotator.errors import InputError
from annotator.formats.core.base import ManoLabel
from annotator.formats.mano.mano_file import parameters_of
from annotator.formats.mano.mano_joints import mano_joints
from annotator.hand import load_hand, rotation_matrices
from annotator.hand.mesh import HandParameters

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize("side", ["right", "left"])
def test_joints_by_definition(posed, tmp_path, side):
    """HaMeR's keypoints_3d are smplx's 21 joints of the pose, shape and side that stand beside them."""
    from annotator.formats import writer

    record, _, joints = posed[side]
    np.testing.assert_allclose(mano_joints(load_hand("mano"), record.parameters, side), joints, atol=1e-6)
    writer("hamer-npz").write([record], tmp_path / "set")
    with np.load(tmp_path / "set" / "annotations.npz", allow_pickle=False) as data:
        np.testing.assert_allclose(data["hand_keypoints_3d"][0, :, :3], joints, atol=1e-6)
        again = smplx_hand(side, mano_like.arrays(side), data["hand_pose"][0], data["betas"][0], np.zeros(3))[1]
        np.testing.assert_allclose(again - again[0], joints - joints[0], atol=1e-5)


@pytest.mark.parametrize("side", ["right", "left"])
def test_ho3d_as_its_readers_run_mano(posed, tmp_path, side):
    """handPose, handBeta and handTrans through smplx give handVerts and handJoints3D, in OpenGL axes; and come back."""
    from annotator.files.serialization import safe_pickle
    from annotator.formats import reader, writer
    from annotator.hand.joints import MANO_TIP_VERTICES

    record, vertices, _ = posed[side]
    writer("ho3d").write([record], tmp_path / "set")
    meta = safe_pickle.load_file(tmp_path / "set" / "train" / "hands0000" / "meta" / "0000.pkl")
    mesh, joints = smplx_hand("right", mano_like.arrays(), *(meta[f"hand{n}"] for n in ("Pose", "Beta", "Trans")))
    np.testing.assert_allclose(meta["handVerts"], mesh, atol=1e-6)
    joints = joints[[0, 5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3]]  # MANO's order
    tips = mesh[list(MANO_TIP_VERTICES["ho3d"])]
    np.testing.assert_allclose(meta["handJoints3D"], np.concatenate([joints, tips]), atol=1e-6)
    (tmp_path / "set" / "details.json").unlink()
    (hand,) = reader("ho3d").read(tmp_path / "set")
    again = parameters_of(hand.mano, "right", load_hand("mano"))
    np.testing.assert_allclose(again.translation, record.parameters.translation, atol=1e-9)
    back = load_hand("mano").vertices(again) * ((-1, 1, 1) if side == "left" else (1, 1, 1))
    np.testing.assert_allclose(back, vertices, atol=1e-6)


@pytest.mark.parametrize("side", ["right", "left"])
def test_interhand_as_its_readers_run_mano(posed, tmp_path, side):
    """pose, shape and trans through smplx give the mesh in the world's frame, which the camera sees as ours."""

    from annotator.formats import writer
    from annotator.formats.mano.mano_file import pose_space

    record, vertices, _ = posed[side]
    turn, shift = rotation_matrices(np.array([0.2, -0.7, 0.4])), np.array([0.1, -0.2, 0.3])
    rig = {"rig": "r", "instant": "m", "camera": "a", "R": turn.tolist(), "t": shift.tolist()}
    writer("interhand").write([replace(record, provenance={"rig": rig})], tmp_path / "set")
    path = tmp_path / "set" / "annotations" / "train" / "InterHand2.6M_train_MANO_NeuralAnnot.json"
    mano = json.loads(path.read_text())["0"]["0"]
    pose, other = np.array(mano[side]["pose"]), "left" if side == "right" else "right"
    pose[3:] += pose_space(side)[0]
    mesh, _ = smplx_hand(side, mano_like.arrays(side), pose, mano[side]["shape"], mano[side]["trans"])
    assert mano[other] is None
    np.testing.assert_allclose(mesh @ turn.T + shift, vertices, atol=1e-6)


@pytest.mark.parametrize("side", ["right", "left"])
def test_dexycb_as_its_readers_run_mano(posed, tmp_path, side):
    """pose_m, in components of MANO's pose space, and mano.yml give the mesh; and joint_3d has manopth's tips."""
    from annotator.formats import reader, writer
    from annotator.formats.mano.mano_file import full_pose

    record, vertices, _ = posed[side]
    writer("dexycb").write([record], tmp_path / "set")
    (tmp_path / "set" / "details.json").unlink()
    (hand,) = reader("dexycb").read(tmp_path / "set")
    pose = full_pose(hand.mano, side).ravel()
    mesh, joints = smplx_hand(side, mano_like.arrays(side), pose, hand.mano.shape, hand.mano.translation)
    np.testing.assert_allclose(mesh, vertices, atol=1e-5)  # float32
    np.testing.assert_allclose(hand.joints[[0, 5, 9, 13, 17]], joints[[0, 5, 9, 13, 17]], atol=1e-5)
    tips = [745, 317, 444 if side == "right" else 445, 556, 673]  # manopth's `ManoLayer.forward`
    np.testing.assert_allclose(hand.joints[[4, 8, 12, 16, 20]], mesh[tips], atol=1e-5)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("form", ["full", "from mean", "components"])
def test_other_sets_parameters(with_mano, side, form):
    """Every form of pose, with MANO's own translation, gives the mesh that smplx gives."""
    model, values = load_hand("mano"), mano_like.arrays(side)
    random = np.random.default_rng(5)
    pose, shape, moved = random.normal(0, 0.3, (16, 3)), random.normal(size=10), np.array([0.1, -0.05, 0.6])
    bent = pose[1:].ravel()
    if form != "full":
        bent = bent - values["hands_mean"]
    if form == "components":
        bent = np.linalg.solve(values["hands_components"].T, bent)
    label = ManoLabel(np.concatenate([pose[0], bent]), shape, moved, form)
    wrist = (values["J_regressor"] @ (values["v_template"] + values["shapedirs"] @ shape))[0]
    expected = smplx_vertices(values, pose, shape, side == "right") + wrist + moved
    found = model.vertices(parameters_of(label, side, model), side)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    if form == "full":
        with pytest.raises(InputError, match="without a place"):
            parameters_of(ManoLabel(label.pose, shape), side, model)


def test_hands_of_ones_own_mano(with_mano, tmp_path, photo_file):
    """HO3D's parameters become a hand of the user's MANO, exactly; wrong ones are refused."""

    from annotator.formats.core.base import LabelledHand, ManoLabel, box_of
    from annotator.formats.transfer.to_project import import_records
    from annotator.project import Project
    from annotator.vision.camera import default_camera, project

    model, random = load_hand("mano"), np.random.default_rng(6)
    values = HandParameters(random.normal(0, 0.1, (16, 3)), random.normal(size=10), (0, 0, 0.7), np.zeros((98, 3)))
    rest = model.joint_regressor[0] @ (model.template + model.shape_directions @ values.shape)
    vertices = model.vertices(values)
    joints, K = model.joints(vertices), default_camera(1080, 620)
    keypoints = project(joints, K)
    record = LabelledHand(
        id="0",
        photo=photo_file,
        side="right",
        box=box_of(keypoints),
        K=K,
        keypoints=keypoints,
        visible=np.ones(21, bool),
        states=("confirmed",) * 21,
        weights=np.ones(21),
        joints=joints,
        provenance={"data_set": "HO3D"},
        mano=ManoLabel(values.pose.ravel(), values.shape, values.translation - rest),
    )
    with Project.create(tmp_path / "new") as project_:
        done = import_records(project_, [record], "ho3d", lambda: None, accept=True, mano=model)
        assert done.hands == done.own_mesh == 1
        (entry,) = project_.hands("accepted")
        np.testing.assert_allclose(project_.mesh(entry.id).vertices, vertices, atol=1e-6)
    far = replace(record, mano=replace(record.mano, translation=record.mano.translation + 0.1))
    with Project.create(tmp_path / "other") as project_:
        done = import_records(project_, [far], "ho3d", lambda: None, mano=model)
        assert not done.hands and "mm from the labelled" in done.left_out[0][1]


@pytest.mark.parametrize("form", ["full", "from mean", "components"])
def test_a_label_in_the_mirror(with_mano, form):
    """A left hand's parameters and those of the right hand that its mirror image shows are the same hand here."""
    model, random = load_hand("mano"), np.random.default_rng(5)
    label = ManoLabel(random.normal(0, 0.4, 48), random.normal(size=10), random.normal(size=3), form)
    ours, theirs = parameters_of(label, "left", model), parameters_of(label.mirrored(), "right", model)
    for name in ("pose", "shape", "translation"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-12)
    assert label.mirrored().mirrored() == label
