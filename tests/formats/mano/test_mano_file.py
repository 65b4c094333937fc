"""A MANO-like file of our own making: imported without being run, found by load_hand, equal to smplx's own skinning."""

from __future__ import annotations

import json
import os

import mano_like
import numpy as np
import pytest
from by_smplx import smplx_vertices

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats.mano.mano_file import TIPS, import_mano
from annotator.hand import load_hand, rotation_matrices, user_hand_file
from annotator.hand.joints import MANO_TO_KEYPOINTS
from annotator.hand.mesh import HandParameters

pytestmark = pytest.mark.usefixtures("home")


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


def test_levels_and_keypoints(with_mano):
    model, values = load_hand("mano"), mano_like.arrays()
    assert [len(level.indices) for level in model.levels] == [49, 98, 195, 389]
    for level in model.levels:
        assert {*TIPS["freihand"], *range(16)} <= set(level.indices.tolist())  # tips and the wrist's rim
    joints = np.concatenate(
        [values["J_regressor"] @ values["v_template"], values["v_template"][list(TIPS["freihand"])]]
    )
    np.testing.assert_allclose(model.joints(model.template), joints[list(MANO_TO_KEYPOINTS)], atol=1e-12)


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
