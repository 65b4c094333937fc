"""Another hand model through a hand's joints and surface: what is left over is small, and it is said."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from annotator.cli import main
from annotator.errors import InputError
from annotator.formats.mano.refit import refit, refit_or_same
from annotator.hand import load_hand, user_hand_file


@pytest.fixture
def other(hand_model, tmp_path, monkeypatch):
    """A hand model that is not ours, kept as the user's `mano`: other proportions, other rest surface."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    template = hand_model.template + hand_model.shape_directions @ np.array([0.8, -0.5, 0.5, 0.3, 0, 0, 0, 0, 0, 0])
    random = np.random.default_rng(0)
    template = template + random.normal(0, 0.0003, template.shape)
    made = replace(hand_model, name="mano", template=template)
    user_hand_file("mano").parent.mkdir(parents=True)
    made.save(user_hand_file("mano"))
    return load_hand("mano")


def test_little_is_left_over(records, other):
    for record in records:
        fitted, joints, surface = refit(record, other)
        assert joints < 1.5 and surface < 4.0  # mm; the distance to the nearest vertex is never 0
        assert fitted.hand_model == other.digest and fitted.side == record.side
        np.testing.assert_allclose(other.vertices(fitted.parameters, record.side), fitted.vertices, atol=1e-9)
        np.testing.assert_array_equal(fitted.keypoints, record.keypoints)
        assert fitted.states == record.states
        assert np.linalg.norm(fitted.joints - record.joints, axis=1).mean() * 1000 == pytest.approx(joints)


def test_without_parameters(records, other):
    fitted, joints, _ = refit(replace(records[0], parameters=None), other)
    assert joints < 6.0
    with pytest.raises(InputError, match="no mesh"):
        refit(replace(records[0], vertices=None), other)


def test_what_is_of_the_model_already_stays(records, other):
    fitted, *_ = refit(records[0], other)
    assert refit_or_same(fitted, other) is fitted and "refit" in fitted.provenance
    assert refit_or_same(records[0], other) == fitted


def test_the_command_says_what_it_costs(project, other, tmp_path, capsys):
    arguments = ["export", str(project.folder), "--format", "hamer-npz", "--out", str(tmp_path / "set")]
    assert main([*arguments, "--hand", "mano", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert 0 < result["refit"]["joints_mm"] < 1.5 and result["hands"] == 3
    with np.load(tmp_path / "set" / "annotations.npz", allow_pickle=False) as data:
        assert data["has_hand_pose"].all() and data["has_betas"].all()
    details = json.loads((tmp_path / "set" / "details.json").read_text())
    found = [one["provenance"]["refit"] for one in details]
    assert result["refit"]["worst_joints_mm"] == pytest.approx(max(one["joints_mm"] for one in found))
    for name in ("joints_mm", "surface_mm"):
        assert result["refit"][name] == pytest.approx(np.mean([one[name] for one in found]))
    assert main([*arguments, "--hand", "nothing"]) == 2
