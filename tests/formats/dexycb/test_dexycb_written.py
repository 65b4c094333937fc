"""DexYCB's layout, written: what its own fields say, without our details beside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import yaml
from PIL import Image
from two_cameras_set import POSES

from annotator.errors import InputError
from annotator.formats import reader, writer
from annotator.vision.camera import project
from annotator.vision.rigs import Rig


def test_its_own_fields_say_the_same(instants, tmp_path):
    writer("dexycb").write(instants, tmp_path / "set")
    (tmp_path / "set" / "details.json").unlink()
    back = list(reader("dexycb").read(tmp_path / "set"))
    assert len(back) == 8 and {one.photo.stem for one in back} == {"color_000000", "color_000001"}
    left = list(instants)
    for one in back:
        wanted = min(left, key=lambda record: np.abs(record.joints - one.joints).max())
        left = [record for record in left if record is not wanted]
        assert one.side == wanted.side and np.abs(one.joints - wanted.joints).max() < 1e-6  # float32
        assert np.allclose(one.K, wanted.K) and np.abs(one.keypoints - wanted.keypoints).max() < 1e-3


def test_a_sequence_has_one_hand(instants, tmp_path):
    writer("dexycb").write(instants, tmp_path / "set")
    metas = [yaml.safe_load(path.read_text()) for path in sorted((tmp_path / "set").glob("hands/*/meta.yml"))]
    assert [(one["mano_sides"], one["num_frames"], len(one["serials"])) for one in metas] == [
        (["right"], 2, 2), (["left"], 2, 2)
    ]  # fmt: skip
    assert metas[0]["moments"] == ["m0", "m1"]
    (calibration,) = metas[0]["mano_calib"]  # its toolkit opens one for each sequence, whosever the hand is
    betas = yaml.safe_load((tmp_path / "set" / "calibration" / f"mano_{calibration}" / "mano.yml").read_text())["betas"]
    assert betas == [0.0] * 10 and all(hand.mano is None for hand in reader("dexycb").read(tmp_path / "set"))
    again = [replace(one, id=f"again-{one.id}") for one in instants[:2]]
    writer("dexycb").write([*instants, *again], tmp_path / "more")
    assert len(list((tmp_path / "more").rglob("labels_*.npz"))) == 10


def test_the_rig_comes_back(instants, tmp_path):
    writer("dexycb").write(instants, tmp_path / "set")
    rig = Rig.read(tmp_path / "set" / "hands" / "sequence0000" / "meta.yml")
    first, second = (rig[name] for name in rig)
    turn, shift = POSES["right"]
    assert np.allclose(first.R, np.eye(3)) and np.allclose(second.R, turn) and np.allclose(second.t, shift)


def test_photos_of_another_size_are_scaled(records, tmp_path):
    """Keypoints, camera and picture move together: a red dot is where the camera sees its joint."""
    pixels = np.zeros((1000, 700, 3), np.uint8)
    K = np.array([[900.0, 0, 350], [0, 900, 500], [0, 0, 1]])
    record = replace(records[0], K=K, keypoints=project(records[0].joints, K), weights=np.ones(21))
    x, y = np.rint(record.keypoints[8]).astype(int)
    pixels[max(y - 6, 0) : y + 7, max(x - 6, 0) : x + 7, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    writer("dexycb").write([replace(record, photo=tmp_path / "a.png")], tmp_path / "set")
    (tmp_path / "set" / "details.json").unlink()
    (back,) = reader("dexycb").read(tmp_path / "set")
    shown = np.asarray(Image.open(back.photo)).astype(float)
    assert shown.shape == (480, 640, 3)
    rows, columns = np.nonzero(shown[:, :, 0] > 128)
    assert np.abs(np.array([columns.mean(), rows.mean()]) - back.keypoints[8]).max() < 1.0
    assert np.abs(project(back.joints, back.K) - back.keypoints).max() < 1e-3


def test_the_mask_is_the_mesh(records, tmp_path):
    writer("dexycb").write(records, tmp_path / "set")
    for path in (tmp_path / "set").rglob("labels_*.npz"):
        with np.load(path) as label:
            assert label["seg"].shape == (480, 640) and set(np.unique(label["seg"])) == {0, 255}
            assert label["pose_y"].shape == (0, 3, 4) and not label["pose_m"].any()
    with pytest.raises(InputError, match="no joints or no camera"):
        writer("dexycb").write([replace(records[0], joints=None)], tmp_path / "none")
