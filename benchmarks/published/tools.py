"""What annotation tools' own libraries make of our exports, and ours of their files; rows for `other_readers.py`.

The libraries run in an interpreter of their own (`--tools PYTHON`): sleap-io, label-studio-sdk, datumaro, ultralytics,
pandas with tables, datasets. Truth is what each export says that it sent (`details.json`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np

from annotator.formats import reader, writer
from annotator.hand.joints import JOINT_NAMES

OURS = "hand-mesh-annotator"
# format, reader's name in tool_readers.py, whose code it is
READ_BY = (
    ("coco", "datumaro-coco", "datumaro `Dataset.import_from(..., 'coco_person_keypoints')`"),
    ("coco", "sleap-coco", "sleap-io `load_coco`"),
    (
        "label-studio",
        "label-studio",
        "label-studio-sdk `LabelInterface.validate_annotation`, `Converter.convert_to_yolo`",
    ),
    ("yolo-pose", "ultralytics", "Ultralytics `check_det_dataset`, `YOLODataset(task='pose')`"),
    ("deeplabcut", "sleap-dlc", "sleap-io `load_dlc_project`"),
    ("sleap", "sleap-slp", "sleap-io `load_slp`, photos opened"),
    ("parquet", "datasets", "Hugging Face `datasets.load_dataset(FOLDER)`"),
)
WRITTEN_BY = (
    ("sleap", "sleap-as-slp", "sleap-io `save_slp`"),
    ("coco", "sleap-as-coco", "sleap-io `save_coco`"),
    ("yolo-pose", "sleap-as-yolo", "sleap-io `save_ultralytics`"),
    ("coco", "datumaro-as-coco", "datumaro `Dataset.export(..., 'coco_person_keypoints')`"),
    ("deeplabcut", "pandas-dlc", "pandas `DataFrame.to_hdf`, as DeepLabCut's `convertcsv2h5` does"),
)


class Tools:
    """The libraries, in their interpreter; sets and what they make of them in `folder`."""

    def __init__(self, python: Path, records: list, folder: Path):
        self.python, self.records, self.folder = python, records, folder

    def rows(self) -> list[tuple[str, str, str, Callable[[], tuple[str, str]]]]:
        """(format, written by, read by, run: the version and what was found)."""
        read = [(name, OURS, whose, lambda n=name, t=tool: self.read_by(n, t)) for name, tool, whose in READ_BY]
        back = [(name, whose, OURS, lambda n=name, t=tool: self.written_by(n, t)) for name, tool, whose in WRITTEN_BY]
        return [*read, *back]

    def read_by(self, name: str, tool: str) -> tuple[str, str]:
        """Their library on our export."""
        folder = self._set(name, tool)
        made = self._run(tool, folder)
        said = compared(_sent(folder) or self._all(), made["hands"])
        if "tasks" in made:
            said += f", {made['tasks']} tasks valid"
        if "shapes" in made:
            said += ", photos open"
        return made["version"], said

    def written_by(self, name: str, tool: str) -> tuple[str, str]:
        """Our reader on the file that their library writes of our export."""
        source = {"sleap": "sleap", "datumaro": "coco", "pandas": "deeplabcut"}[tool.partition("-")[0]]
        folder = self._set(source, tool)
        made = self._run(tool, folder)
        sent = _sent(folder)
        (folder / "details.json").unlink()  # ours is to read theirs, not to remember
        place = Path(made.get("written", folder))
        hands = [
            {
                "photo": "" if made.get("renamed") else record.photo.name,
                "side": record.side if record.provenance["side_known"] else "",
                "points": [
                    p if w > 0 else None for p, w in zip(record.keypoints.tolist(), record.weights, strict=True)
                ],
            }
            for record in reader(name).read(place)
        ]
        return made["version"], compared(sent, hands)

    def _all(self) -> list[dict]:
        """The records as a format that can say all says them; photos have no names in it."""
        points = [np.column_stack([record.keypoints, np.full(21, 2)]) for record in self.records]
        return [{"photo": "", "side": record.side, "points": p} for record, p in zip(self.records, points, strict=True)]

    def _set(self, name: str, tool: str) -> Path:
        place = self.folder / tool
        shutil.rmtree(place, ignore_errors=True)
        writer(name).write(self.records, place / "set")
        return place / "set"

    def _run(self, tool: str, folder: Path) -> dict:
        inherited = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        about = {"KEYPOINTS": json.dumps(JOINT_NAMES), "TORCH": sysconfig.get_path("purelib")}
        script = Path(__file__).parents[1] / "tool_readers.py"
        done = subprocess.run(
            [self.python, "-P", script, tool, folder], capture_output=True, text=True, env=inherited | about,
            cwd=folder.parent,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{tool}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])


def _sent(folder: Path) -> list[dict]:
    """What an export says of its hands: photo, side, points (21, 3); empty where it carries its details inside."""
    rows = json.loads((folder / "details.json").read_text()) if (folder / "details.json").is_file() else []
    return [{"photo": Path(row["sent"]["file"]).name, "side": row["side"], "points": np.array(row["sent"]["points"])}
            for row in rows]  # fmt: skip


def compared(sent: list[dict], found: list[dict]) -> str:
    """In words: how many hands, how far their keypoints are, how many sides are right; stops where one is missing."""
    assert len(found) == len(sent), f"{len(found)} of {len(sent)} hands"
    worst, sides, said = 0.0, 0, 0
    for hand in sent:
        known = hand["points"][:, 2] > 0

        def apart(one, hand=hand, known=known) -> float:
            if one["photo"] not in ("", hand["photo"]) or [p is not None for p in one["points"]] != known.tolist():
                return np.inf
            points = np.array([p for p in one["points"] if p is not None])
            return float(np.abs(points - hand["points"][known, :2]).max())

        nearest = min(found, key=apart)
        assert apart(nearest) < 1, f"a hand of {hand['photo']} is not there"
        worst = max(worst, apart(nearest))
        sides += nearest["side"] == hand["side"]
        said += bool(nearest["side"])
    about = f"sides of {sides}" if said else "sides not said"
    assert sides == said
    return f"{len(sent)} hands, the same keypoints labelled, within {worst:.0e} px, {about}"
