"""Official metrics against independent oracles, joints by each set's tips, predictions in the official form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import KDTree

from annotator.errors import InputError
from annotator.evaluation import metrics, protocols
from annotator.hand.joints import FINGERS, JOINT_NAMES, MANO_JOINT_NAMES, MANO_TIP_VERTICES


def oracle_align(points, target):
    """As FreiHAND's scorer, with SciPy."""
    p, t = points - points.mean(0), target - target.mean(0)
    a, b = np.linalg.norm(p), np.linalg.norm(t)
    turn, scale = orthogonal_procrustes(t / b, p / a)
    return (p / a) @ turn.T * scale * b + target.mean(0)


def oracle_auc(errors):
    thresholds = np.linspace(0, 0.05, 100)
    areas = []
    for k in range(errors.shape[1]):
        curve = (errors[:, k, None] <= thresholds).mean(0)
        areas.append(np.sum((curve[1:] + curve[:-1]) / 2 * np.diff(thresholds)) / 0.05)
    return np.mean(areas)


def oracle_f(points, target, threshold):
    precision = (KDTree(target).query(points)[0] < threshold).mean()
    recall = (KDTree(points).query(target)[0] < threshold).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def hands(seed, count, points, noise, mirror=False):
    random = np.random.default_rng(seed)
    true = random.normal(0, 0.05, (count, points, 3)) + (0, 0, 0.6)
    found = true + random.normal(0, noise, true.shape)
    return (found * (-1, 1, 1) if mirror else found), true


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), noise=st.sampled_from([0.001, 0.01, 0.05]), mirror=st.booleans())
def test_metrics_equal_the_oracles(seed, noise, mirror):
    joints, true_joints = hands(seed, 4, 21, noise, mirror)
    vertices, true_vertices = hands(seed + 1, 4, 60, noise, mirror)
    found = protocols.score("freihand", joints, true_joints, vertices, true_vertices)
    moved = np.array([oracle_align(a, b) for a, b in zip(joints, true_joints, strict=True)])
    errors = np.linalg.norm(moved - true_joints, axis=-1)
    assert found["pa_mpjpe_mm"] == pytest.approx(1000 * errors.mean(), abs=1e-6)
    assert found["auc_joints"] == pytest.approx(oracle_auc(errors), abs=1e-6)
    surfaces = np.array([oracle_align(a, b) for a, b in zip(vertices, true_vertices, strict=True)])
    assert found["pa_mpvpe_mm"] == pytest.approx(
        1000 * np.linalg.norm(surfaces - true_vertices, axis=-1).mean(), abs=1e-6
    )
    for name, threshold in (("f_5mm", 0.005), ("f_15mm", 0.015)):
        aligned = np.mean([oracle_f(a, b, threshold) for a, b in zip(surfaces, true_vertices, strict=True)])
        as_is = np.mean([oracle_f(a, b, threshold) for a, b in zip(vertices, true_vertices, strict=True)])
        assert found[name] == pytest.approx(aligned, abs=1e-6)
        assert found[f"{name}_unaligned"] == pytest.approx(as_is, abs=1e-6)
    assert found["mpjpe_mm"] == pytest.approx(1000 * np.linalg.norm(joints - true_joints, axis=-1).mean(), abs=1e-6)


def test_a_mirrored_hand_scores_zero_only_officially():
    joints, true = hands(0, 3, 21, 0.0, mirror=True)
    found = protocols.score("freihand", joints, true)
    assert found["pa_mpjpe_mm"] < 1e-6 and found["pa_mpjpe_rotation_only_mm"] > 5
    for a, b in zip(joints, true, strict=True):  # the best proper rotation, by an exhaustive sign: Kabsch
        p, t = a - a.mean(0), b - b.mean(0)
        u, s, vt = np.linalg.svd(p.T @ t)
        turn = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
        scale = np.sum(p @ turn * t) / np.sum(p * p)
        np.testing.assert_allclose(metrics.aligned(a, b), scale * p @ turn + b.mean(0), atol=1e-9)


def oracle_ho3d(joints, true_joints, vertices, true_vertices):
    """HO3D's rule read from its published scorer, hand by hand and point by point, in its own joint order."""
    order = [JOINT_NAMES.index(name) for name in (*MANO_JOINT_NAMES, *(f"{f}_tip" for f in FINGERS))]
    errors = {name: [] for name in ("xyz", "xyz_procrustes_al", "xyz_scale_trans_al", "mesh", "mesh_al")}
    f = {name: [] for name in ("f_score_5", "f_score_15", "f_al_score_5", "f_al_score_15")}
    for a, b, v, w in zip(joints[:, order], true_joints[:, order], vertices, true_vertices, strict=True):
        scale = np.sqrt(((b[4] - b[0]) ** 2).sum()) / np.sqrt(((a[4] - a[0]) ** 2).sum())
        scaled = np.array([(p - a[0]) * scale + b[0] for p in a])
        pairs = [(a, b), (oracle_align(a, b), b), (scaled, b), (v, w), (oracle_align(v, w), w)]
        for name, (p, q) in zip(errors, pairs, strict=True):
            errors[name].append(np.sqrt(((p - q) ** 2).sum(1)))
        for name, p, threshold in (("f_score_5", v, 0.005), ("f_score_15", v, 0.015),
                                   ("f_al_score_5", oracle_align(v, w), 0.005),
                                   ("f_al_score_15", oracle_align(v, w), 0.015)):  # fmt: skip
            f[name].append(oracle_f(p, w, threshold))
    errors = {name: np.array(rows) for name, rows in errors.items()}
    scores = {f"{name}_mean3d": 100 * rows.mean() for name, rows in errors.items()}
    scores |= {f"{name}_auc3d": oracle_auc(rows) for name, rows in errors.items()}
    curves = {n: [np.mean(rows <= t) for t in np.linspace(0, 0.05, 100)] for n, rows in errors.items()}
    return scores | {name: np.mean(rows) for name, rows in f.items()}, curves


PERTURBATIONS = {
    "noise": lambda random, p: p + random.normal(0, 0.004, p.shape),
    "much noise": lambda random, p: p + random.normal(0, 0.03, p.shape),
    "moved": lambda random, p: p + (0.02, -0.01, 0.05) + random.normal(0, 0.002, p.shape),
    "small": lambda random, p: 0.8 * p + random.normal(0, 0.002, p.shape),
    "turned": lambda random, p: p @ ROTATION + random.normal(0, 0.002, p.shape),
    "mirrored": lambda random, p: p * (-1, 1, 1) + random.normal(0, 0.002, p.shape),
    "farther": lambda random, p: p * (1, 1, 1.4),
    "nearly right": lambda random, p: p + random.normal(0, 0.0002, p.shape),
}
ROTATION = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_ho3d_is_the_official_rule(kind):
    """All lines of scores.txt and all curves, 778 vertices: MPJPE of absolute places, ST by the bone 0 to 4."""
    random = np.random.default_rng(3)
    joints, vertices = (hands(seed, 3, count, 0.0)[1] for seed, count in ((0, 21), (1, 778)))
    moved = [PERTURBATIONS[kind](random, points) for points in (joints, vertices)]
    scores, curves = oracle_ho3d(moved[0], joints, moved[1], vertices)
    found = protocols.compare("ho3d", moved[0], joints, moved[1], vertices)
    assert found.scores() == pytest.approx(scores, abs=1e-6)
    for name, shares in curves.items():
        np.testing.assert_allclose(found.curves()[name]["share"], shares, atol=1e-6, err_msg=name)
    row = protocols.score("ho3d", moved[0], joints, moved[1], vertices)
    assert row["mpjpe_mm"] == pytest.approx(10 * scores["xyz_mean3d"], abs=1e-6)
    assert row["st_mpjpe_mm"] == pytest.approx(10 * scores["xyz_scale_trans_al_mean3d"], abs=1e-6)
    assert row["auc_st"] == pytest.approx(scores["xyz_scale_trans_al_auc3d"], abs=1e-6)
    assert row["f_5mm_unaligned"] == pytest.approx(scores["f_score_5"], abs=1e-6)
    assert f"xyz_mean3d: {scores['xyz_mean3d']:f}\n" in found.text()


def test_predictions_in_the_official_form(tmp_path):
    joints = np.array([[k / 100, k / 50, 1.0] for k in range(21)])
    vertices = np.arange(30.0).reshape(10, 3)
    for protocol in protocols.PROTOCOLS:
        path = tmp_path / protocol / "pred.json"
        assert protocols.write_predictions(path, protocol, [(joints, vertices), (joints + 1, vertices)]) == 2
        xyz, verts = json.loads(path.read_text())
        assert np.shape(xyz) == (2, 21, 3) and np.shape(verts) == (2, 10, 3)
        axes = (1, -1, -1) if protocol == "ho3d" else (1, 1, 1)
        np.testing.assert_array_equal(verts[0], vertices * axes)
        if protocol == "freihand":
            np.testing.assert_array_equal(xyz[0], joints)
        else:  # MANO's order: the second is the index finger's MCP, the last the little finger's tip
            np.testing.assert_array_equal(xyz[0][1], joints[JOINT_NAMES.index("index_mcp")] * axes)
            np.testing.assert_array_equal(xyz[0][20], joints[JOINT_NAMES.index("little_tip")] * axes)
        assert [p.name for p in path.parent.iterdir()] == ["pred.json"]


def test_wrong_use():
    joints, true = hands(0, 2, 21, 0.01)
    for arguments in (("other", joints, true), ("freihand", joints[:1], true), ("ho3d", joints[:, :20], true[:, :20])):
        with pytest.raises(InputError):
            protocols.score(*arguments)


def test_joints_of_the_free_hand(hand_model):
    vertices = hand_model.rest_vertices(np.zeros(10))
    np.testing.assert_allclose(
        protocols.protocol_joints(vertices[None], hand_model, "ho3d")[0], hand_model.joints(vertices)
    )


def test_tips_of_mano(tmp_path, monkeypatch):
    from pathlib import Path

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "formats"))
    import mano_like

    from annotator.formats.mano.mano_file import import_mano
    from annotator.hand import load_hand

    import_mano(mano_like.write(tmp_path / "MANO_RIGHT.pkl", mano_like.arrays()))
    mano = load_hand("mano")
    for protocol in protocols.PROTOCOLS:
        joints = protocols.protocol_joints(mano.template, mano, protocol)
        np.testing.assert_array_equal(joints[[4, 8, 12, 16, 20]], mano.template[list(MANO_TIP_VERTICES[protocol])])
        np.testing.assert_allclose(joints[5], mano.joint_regressor[1] @ mano.template)
    from annotator.formats.mano.mano_joints import mano_joints
    from annotator.hand.mesh import HandParameters

    random = np.random.default_rng(0)
    posed = HandParameters(random.normal(0, 0.4, (16, 3)), random.normal(size=10), (0, 0, 0.6), np.zeros((98, 3)))
    for side in ("right", "left"):  # HO3D's labels are of the chain, FreiHAND's of the posed mesh, as its code has them
        for protocol in protocols.PROTOCOLS:
            found = protocols.protocol_joints(mano.vertices(posed, side), mano, protocol, posed, side)
            np.testing.assert_allclose(found, mano_joints(mano, posed, side, protocol), atol=1e-9)
            apart = np.abs(found - protocols.protocol_joints(mano.vertices(posed, side), mano, protocol)).max()
            assert apart > 1e-3 if protocol == "ho3d" else apart < 1e-9
