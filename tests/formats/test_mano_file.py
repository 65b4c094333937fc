"""A MANO-like file of our own making: imported without being run, found by load_hand, equal to smplx's own skinning."""

from __future__ import annotations

import json
import os

import mano_like
import numpy as np
import pytest
import torch

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats.core.base import ManoLabel
from annotator.formats.mano.mano_file import TIPS, import_mano, parameters_of
from annotator.formats.mano.mano_joints import mano_joints
from annotator.hand import load_hand, rotation_matrices, user_hand_file
from annotator.hand.joints import MANO_TO_KEYPOINTS
from annotator.hand.mesh import HandParameters


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def right(tmp_path):
    return mano_like.write(tmp_path / "MANO_RIGHT.pkl", mano_like.arrays())


def test_it_is_found(right, home, capsys):
    with pytest.raises(InputError, match="annotator hand import"):
        load_hand("mano")
    assert main(["hand", "import", str(right), "--json"]) == 0
    kept = json.loads(capsys.readouterr().out)
    assert kept["name"] == "mano" and kept["path"] == str(user_hand_file("mano")) and kept["path"].startswith(str(home))
    model = load_hand("mano")
    assert len(model.template) == 778 and len(model.faces) == 1538 and model.digest == kept["digest"]
    assert main(["hand", "info", "mano"]) == 0
    assert [p.name for p in user_hand_file("mano").parent.iterdir()] == ["mano.npz"]


def test_levels_and_keypoints(right):
    import_mano(right)
    model, values = load_hand("mano"), mano_like.arrays()
    assert [len(level.indices) for level in model.levels] == [49, 98, 195, 389]
    for level in model.levels:
        assert {*TIPS["freihand"], *range(16)} <= set(level.indices.tolist())  # tips and the wrist's rim
    joints = np.concatenate(
        [values["J_regressor"] @ values["v_template"], values["v_template"][list(TIPS["freihand"])]]
    )
    np.testing.assert_allclose(model.joints(model.template), joints[list(MANO_TO_KEYPOINTS)], atol=1e-12)


def smplx_vertices(values, pose, shape, is_right=True):
    from smplx import MANO
    from smplx.utils import Struct

    layer = MANO(
        "x",
        data_struct=Struct(
            **(values | {"f": values["f"].astype(np.int64), "kintree_table": values["kintree_table"].astype(np.int64)})
        ),
        is_rhand=is_right,
        use_pca=False,
        flat_hand_mean=True,
        dtype=torch.float64,
    )

    def one(a):
        return torch.tensor(a, dtype=torch.float64)[None]

    out = layer(betas=one(shape), global_orient=one(pose[0]), hand_pose=one(pose[1:].ravel()), transl=one(np.zeros(3)))
    wrist = (values["J_regressor"] @ (values["v_template"] + values["shapedirs"] @ shape))[0]
    return out.vertices[0].detach().numpy() - wrist


@pytest.mark.parametrize("side", ["right", "left"])
def test_it_skins_as_smplx_does(tmp_path, side):
    values = mano_like.arrays(side)
    import_mano(mano_like.write(tmp_path / "file.pkl", values))
    model = load_hand("mano" if side == "right" else "mano_left")
    random = np.random.default_rng(3)
    pose, shape = random.normal(0, 0.3, (16, 3)), random.normal(size=10)
    expected = smplx_vertices(values, pose, shape, side == "right")
    own = pose * ((1, -1, -1) if side == "left" else (1, 1, 1))
    found = model.skin(rotation_matrices(own), shape) * ((-1, 1, 1) if side == "left" else (1, 1, 1))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    parameters = HandParameters(own, shape, np.zeros(3), np.zeros((model.offset_count, 3)))
    np.testing.assert_allclose(model.vertices(parameters, side), expected, atol=1e-6)


def smplx_hand(side, values, pose, shape, translation):
    """(vertices, joints in our order) by smplx itself: its 16 joints, then its own tips."""
    from smplx import MANO
    from smplx.utils import Struct
    from smplx.vertex_ids import vertex_ids

    arrays = values | {name: values[name].astype(np.int64) for name in ("f", "kintree_table")}
    layer = MANO("x", data_struct=Struct(**arrays), is_rhand=side == "right", use_pca=False, flat_hand_mean=True,
                 dtype=torch.float64)  # fmt: skip
    pose, shape, place = (torch.tensor(a, dtype=torch.float64).reshape(1, -1) for a in (pose, shape, translation))
    out = layer(betas=shape, global_orient=pose[:, :3], hand_pose=pose[:, 3:], transl=place)
    vertices, joints = out.vertices[0].detach().numpy(), out.joints[0].detach().numpy()[:16]
    tips = vertices[[vertex_ids["mano"][name] for name in ("thumb", "index", "middle", "ring", "pinky")]]
    return vertices, np.concatenate([joints, tips])[list(MANO_TO_KEYPOINTS)]


@pytest.fixture
def posed(tmp_path, records):
    """Per side: (a record of the user's MANO with that side's pose, its vertices and joints by smplx)."""
    from dataclasses import replace

    found, random = {}, np.random.default_rng(8)
    for side in ("right", "left"):
        values = mano_like.arrays(side)
        import_mano(mano_like.write(tmp_path / f"{side}.pkl", values))
        model = load_hand("mano" if side == "right" else "mano_left")
        pose, shape, place = random.normal(0, 0.4, (16, 3)), random.normal(size=10), np.array([0.05, -0.03, 0.6])
        vertices, joints = smplx_hand(side, values, pose, shape, place)
        label = ManoLabel(pose.ravel(), shape, place)
        parameters = parameters_of(label, side, model)
        np.testing.assert_allclose(model.vertices(parameters, side), vertices, atol=1e-6)
        assert np.abs(model.joints(vertices) - joints).max() > 1e-3  # regressed from the posed mesh they are others
        base = next(r for r in records if r.side == side)
        record = replace(base, parameters=parameters, hand_model=model.digest, vertices=vertices,
                         faces=model.faces_of(side), joints=model.joints(vertices), mano=None)  # fmt: skip
        found[side] = record, vertices, joints
    return found


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
    from annotator.files import safe_pickle
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
    from dataclasses import replace

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
    np.testing.assert_allclose(hand.joints[[4, 8, 12, 16, 20]], mesh[list(TIPS["manopth"])], atol=1e-5)


@pytest.mark.parametrize("right_first", [False, True])
def test_the_left_files_sign_error(tmp_path, right, right_first):
    if right_first:
        import_mano(right)
    for error in (False, True):
        path = mano_like.write(tmp_path / "MANO_LEFT.pkl", mano_like.arrays("left", error))
        kept = import_mano(path)
        assert kept["side"] == "left" and kept["sign_corrected"] is error
        np.testing.assert_allclose(load_hand("mano_left").shape_directions, mano_like.arrays()["shapedirs"], atol=1e-12)


class Harm:
    def __reduce__(self):
        return os.system, ("touch victim",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v_template": np.zeros((777, 3))}, "v_template has shape"),
        ({"posedirs": np.full((778, 3, 135), np.nan)}, "posedirs holds values"),
        ({"weights": None}, "weights"),
        ({"weights": "text"}, "weights is not an array"),
        ({"f": np.full((1538, 3), 900)}, "f names vertices"),
        ({"kintree_table": np.zeros((2, 16))}, "kintree_table"),
        ({"bad": Harm()}, "not plain data"),
    ],
)
def test_other_files_are_refused(tmp_path, monkeypatch, capsys, change, message):
    monkeypatch.chdir(tmp_path)
    path = mano_like.write(tmp_path / "MANO_RIGHT.pkl", mano_like.arrays(), **change)
    assert main(["hand", "import", str(path)]) == 2
    said = capsys.readouterr().err
    assert message in said and "MANO_RIGHT.pkl" in said and len(said.strip().splitlines()) == 1
    assert not user_hand_file("mano").exists() and not (tmp_path / "victim").exists()


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        import_mano(tmp_path / "none.pkl")
    (tmp_path / "text.pkl").write_text("MANO")
    with pytest.raises(InputError, match="text.pkl"):
        import_mano(tmp_path / "text.pkl")


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("form", ["full", "from mean", "components"])
def test_other_sets_parameters(right, side, form):
    """Every form of pose, with MANO's own translation, gives the mesh that smplx gives."""
    import_mano(right)
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


def test_hands_of_ones_own_mano(right, tmp_path, photo_file):
    """HO3D's parameters become a hand of the user's MANO, exactly; wrong ones are refused."""
    from dataclasses import replace

    from annotator.formats.core.base import LabelledHand, ManoLabel, box_of
    from annotator.formats.transfer.to_project import import_records
    from annotator.project import Project
    from annotator.vision.camera import default_camera, project

    import_mano(right)
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
def test_a_label_in_the_mirror(right, form):
    """A left hand's parameters and those of the right hand that its mirror image shows are the same hand here."""
    import_mano(right)
    model, random = load_hand("mano"), np.random.default_rng(5)
    label = ManoLabel(random.normal(0, 0.4, 48), random.normal(size=10), random.normal(size=3), form)
    ours, theirs = parameters_of(label, "left", model), parameters_of(label.mirrored(), "right", model)
    for name in ("pose", "shape", "translation"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-12)
    assert label.mirrored().mirrored() == label
