"""COCO's own scorer, and MMPose's reader of COCO-WholeBody, on an export of ours."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import sys
import types
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from annotator.formats import writer


def precision(records: list, folder: Path) -> str:
    """COCOeval's AP of perfect boxes, masks and keypoints."""
    out = folder / "coco"
    writer("coco-wholebody").write(records, out)
    said = []
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(out / "annotations.json"))
        for one in truth.anns.values():  # its keypoint scorer knows one list a person: the hand's
            one["keypoints"] = one["lefthand_kpts"] if one["lefthand_valid"] else one["righthand_kpts"]
            one["num_keypoints"] = int(np.count_nonzero(one["keypoints"][2::3]))
        for kind in ("bbox", "segm", "keypoints"):
            answers = []
            for one in truth.anns.values():
                shown = {"bbox": one["bbox"], "segm": truth.annToRLE(one), "keypoints": one["keypoints"]}[kind]
                name = "segmentation" if kind == "segm" else kind
                answers.append({"image_id": one["image_id"], "category_id": 1, "score": 0.9, name: shown})
            score = COCOeval(truth, truth.loadRes(answers), kind)
            if kind == "keypoints":
                score.params.kpt_oks_sigmas = np.full(21, 0.035)
            score.evaluate()
            score.accumulate()
            score.summarize()
            said.append(f"{kind} {score.stats[0]:.3f}")
    return f"AP of perfect answers: {', '.join(said)} ({len(records)} hands)"


def mmpose(code: Path, records: list, folder: Path) -> str:
    """Every hand as MMPose's own loader has it: side, box, keypoints, outline."""
    out = folder / "mmpose"
    writer("coco-wholebody").write(records, out)

    @contextlib.contextmanager
    def local(path):
        yield path

    class Registry:
        register_module = staticmethod(lambda: lambda kind: kind)

    corners = lambda boxes: np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)  # noqa: E731
    parts = {
        "mmengine.fileio": {"exists": os.path.exists, "get_local_path": local},
        "xtcocotools.coco": {"COCO": COCO},
        "mmpose.registry": {"DATASETS": Registry},
        "mmpose.structures.bbox": {"bbox_xywh2xyxy": corners},
        "standin.datasets.base": {"BaseCocoStyleDataset": object},
    }
    for name, content in parts.items():
        for at in range(1, name.count(".") + 2):
            sys.modules.setdefault(".".join(name.split(".")[:at]), types.ModuleType(name))
        sys.modules[name].__dict__.update(content)
    path = code / "mmpose" / "datasets" / "datasets" / "hand" / "coco_wholebody_hand_dataset.py"
    spec = importlib.util.spec_from_file_location("standin.datasets.hand.reader", path)
    module = importlib.util.module_from_spec(spec)
    module.__package__ = "standin.datasets.hand"
    spec.loader.exec_module(module)
    loader = module.CocoWholeBodyHandDataset.__new__(module.CocoWholeBodyHandDataset)
    loader.ann_file, loader.data_prefix = str(out / "annotations.json"), {"img": str(out / "images")}
    with contextlib.redirect_stdout(io.StringIO()):
        hands, images = loader._load_annotations()
    assert len(hands) == len(records) and all(len(one["segmentation"][0]) >= 6 for one in hands)
    off = max(
        float(np.abs(one["keypoints"][0] - record.keypoints).max())
        for one, record in zip(sorted(hands, key=_place), sorted(records, key=_own_place), strict=True)
    )
    return f"{len(hands)} hands on {len(images)} photos, keypoints within {off:.0e} px, outlines there"


def _place(one: dict) -> tuple:
    return tuple(np.round(one["keypoints"][0, 0], 2).tolist())


def _own_place(record) -> tuple:
    return tuple(np.round(record.keypoints[0].astype(np.float32), 2).tolist())
