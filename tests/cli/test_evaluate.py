"""`annotator evaluate` on a keypoint table: also by the table's own definition of the joints, learned on its other
half."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.cli import main
from annotator.hand.definitions import JointDefinition
from annotator.learning.data.photos import KeypointTable
from annotator.vision.photos import read_photo

COUNT = 8


@pytest.fixture(scope="module")
def table(model, sample_photos, tmp_path_factory):
    """Hands of sample photos, labelled where the model has them but for wrist, thumb base and knuckles: those 9 mm
    nearer the forearm. Joints in 3-D of every second."""
    folder = tmp_path_factory.mktemp("table")
    offsets = np.zeros((21, 3))
    offsets[[0, 1, 5, 9, 13, 17], 0] = 0.009
    meant = JointDefinition("theirs", offsets, np.full(21, 0.001))
    paths = [path for path in sample_photos if path.name.startswith("digit")]
    hands, names = [], []
    for path in paths:
        found = model.propose(read_photo(path))
        if len(found) == 1:
            hands, names = [*hands, found[0]], [*names, str(path)]
        if len(hands) == COUNT:
            break
    made = KeypointTable(
        photo=np.array(names),
        side=np.array([hand.side for hand in hands]),
        K=np.array([hand.camera for hand in hands]),
        keypoints=np.array([meant.keypoints(hand) for hand in hands]),
        weight=np.ones((COUNT, 21)),
        joints=np.array([meant.joints(hand) for hand in hands]),
        joint_weight=np.repeat(np.arange(COUNT)[:, None] % 2, 21, 1).astype(float),
        metric=np.ones(COUNT),
        held=np.zeros(COUNT, bool),
        group=np.array([f"{k // 2}" for k in range(COUNT)]),
    )
    made.save(folder)
    return folder, made


def evaluated(folder, capsys) -> dict[str, dict]:
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--no-held", "--json"]) == 0
    return {row["estimate"]: row for row in json.loads(capsys.readouterr().out)["rows"]}


def test_a_tables_own_definition_is_learned_on_its_other_half(table, capsys):
    rows = evaluated(table[0], capsys)
    (name,) = (one for one in rows if one.endswith(", definition learned on the other half"))
    last, read = rows[name.partition(",")[0]], rows[name]
    assert name.startswith("retrieval") and list(rows)[-2:] == [name, "encoder"]
    assert read["n"] == last["n"] == COUNT // 2
    assert read["error_over_box"] < 0.8 * last["error_over_box"]
    assert read["pa_mpjpe_mm"] < 0.8 * last["pa_mpjpe_mm"]


def test_of_a_single_photo_there_is_no_other_half(table, tmp_path, capsys):
    table[1].select(np.arange(2)).save(tmp_path)
    assert not any("other half" in name for name in evaluated(tmp_path, capsys))
