"""HaMeR's own data sets and MANO on exports of ours: evaluation files (`ImageDataset`) and training shards."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from smplx.utils import Struct
from torch.utils.data import DataLoader

from annotator.formats import writer
from published.mano_hands import ManoHands, mano_hands
from published.stand_ins import imported, loaded

SIZE, SHAPE = 256, (192, 256)  # px and proportions of its crops, as its model has them
NEEDED = ("opencv-python-headless", "yacs", "braceexpand")


def installed() -> str:
    """What its code needs and we do not, with versions; SystemExit where it is not here."""
    try:
        return ", ".join(f"{name} {version(name)}" for name in NEEDED)
    except ModuleNotFoundError as error:
        raise SystemExit(f"HaMeR's code needs {', '.join(NEEDED)} in this environment: {error}") from None


def npz(code: Path, records: list, folder: Path) -> str:
    """Its `ImageDataset` through torch's `DataLoader`, on hands of the free hand and of MANO."""
    installed()
    module: Any = imported(code, "hamer.datasets.image_dataset")
    with mano_hands(folder) as mano:
        hands = [*records, *mano.records]
        writer("hamer-npz").write(hands, folder / "hamer-npz")
    data = module.ImageDataset(
        _settings(code), str(folder / "hamer-npz" / "annotations.npz"), str(folder / "hamer-npz" / "images"),
        train=False, rescale_factor=-1,
    )  # fmt: skip
    with np.load(folder / "hamer-npz" / "annotations.npz") as file:
        photos = dict(zip(file["imgname"].tolist(), hands, strict=False))
    items = [item for batch in DataLoader(data, batch_size=4) for item in _apart(batch)]
    assert {item["imgname_rel"] for item in items} == set(photos)
    for item in items:
        np.testing.assert_allclose(item["orig_keypoints_2d"][:, :2], hands[int(item["idx"])].keypoints, rtol=1e-6)
    return _compared(code, items, hands, mano)


def tar(code: Path, records: list, folder: Path) -> str:
    """Its `ImageDataset.load_tars_as_webdataset`, as for training but without random changes, on the same hands."""
    installed()
    module: Any = imported(code, "hamer.datasets.image_dataset")
    place = folder / "hamer-shards"
    with mano_hands(folder) as mano:
        hands = [*records, *mano.records]
        writer("hamer-tar").write(hands, place)
    shards = sorted(map(str, place.glob("*.tar")))
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # of webdataset's own parameters
        items = list(module.ImageDataset.load_tars_as_webdataset(_settings(code), shards, train=False))

    def apart(item: dict, record: Any) -> float:
        return float(np.abs(item["orig_keypoints_2d"][:, :2] - record.keypoints).max())

    order = [min(items, key=lambda item, record=record: apart(item, record)) for record in hands]
    assert len(items) == len(hands) == len({id(item) for item in order}), (len(items), len(hands))
    return _compared(code, order, hands, mano)


def _settings(code: Path) -> Any:
    """Its default configuration with its model's crops, and no filter of hands."""
    cfg = imported(code, "hamer.configs").default_config()
    cfg.MODEL.IMAGE_SIZE, cfg.MODEL.BBOX_SHAPE = SIZE, list(SHAPE)
    cfg.MODEL.IMAGE_MEAN, cfg.MODEL.IMAGE_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    cfg.MANO = type(cfg)(new_allowed=True)
    cfg.MANO.NUM_HAND_JOINTS = 15
    cfg.DATASETS.FILTER_NUM_KP = 0
    return cfg


def _apart(batch: dict) -> Iterable[dict]:
    """A batch's samples, in numpy."""
    for n in range(len(batch["idx"])):
        yield {key: _nth(value, n) for key, value in batch.items()}


def _nth(value: Any, n: int) -> Any:
    if isinstance(value, dict):
        return {key: _nth(inner, n) for key, inner in value.items()}
    return value[n].numpy() if isinstance(value, torch.Tensor) else value[n]


def _compared(code: Path, items: list[dict], hands: list, mano: ManoHands) -> str:
    """In words: its crops' keypoints, joints and MANO beside the records'. It turns left hands to right ones."""
    pixels = metres = skinned = 0.0
    wrapper: Any = loaded(code / "hamer" / "models" / "mano_wrapper.py", "hamer_mano_wrapper")
    arrays = mano.arrays["right"]
    arrays = arrays | {name: arrays[name].astype(np.int64) for name in ("f", "kintree_table")}
    with contextlib.redirect_stdout(io.StringIO()):  # of ten shape coefficients
        layer = wrapper.MANO("x", data_struct=Struct(**arrays), num_hand_joints=15, create_body_pose=False)
    for item, record in zip(items, hands, strict=True):
        turn = np.array([1.0 if record.side == "right" else -1.0, 1.0])
        width, height = record.box[2:] - record.box[:2]
        size = max(width, height, max(width, height) * SHAPE[1] / SHAPE[0])
        middle = (record.box[:2] + record.box[2:]) / 2
        assert np.abs(item["box_center"] - middle).max() < 1e-3 and abs(item["box_size"] - size) < 1e-3
        expected = turn * (record.keypoints - middle) / size
        pixels = max(pixels, SIZE * float(np.abs(item["keypoints_2d"][:, :2] - expected).max()))
        given = item["has_mano_params"]
        is_mano = any(record is one for one in mano.records)
        assert all(bool(value) == is_mano for value in given.values()), given
        joints = item["keypoints_3d"][:, :3]
        assert item["img"].shape[-2:] == (SIZE, SIZE)
        if not is_mano:
            metres = max(metres, float(np.abs(joints - record.joints * (*turn, 1)).max()))
            continue
        pose = {key: torch.tensor(np.asarray(value, np.float32)) for key, value in item["mano_params"].items()}
        rotations = {key: _matrices(pose[key]) for key in ("global_orient", "hand_pose")}
        made = layer(betas=pose["betas"][None], **rotations)
        found, vertices = made.joints[0].numpy(), made.vertices[0].numpy()
        skinned = max(skinned, float(np.abs((found - found[0]) - (joints - joints[0])).max()))
        mesh = record.vertices * (*turn, 1)
        skinned = max(skinned, float(np.abs((vertices - found[0]) - (mesh - joints[0])).max()))
    sides = [record.side for record in hands]
    return (
        f"{len(items)} hands ({sides.count('left')} left, {len(mano.records)} of a MANO-like file): keypoints within "
        f"{pixels:.0e} px of its {SIZE} px crops, joints within {metres:.0e} m, and its MANO of the parameters gives "
        f"joints and mesh within {skinned:.0e} m"
    )


def _matrices(vectors: torch.Tensor) -> torch.Tensor:
    """(1,N,3,3) rotations of axis-angle vectors in one row."""
    from smplx.lbs import batch_rodrigues

    return batch_rodrigues(vectors.reshape(-1, 3)).reshape(1, -1, 3, 3)
