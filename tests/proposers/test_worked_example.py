"""The example of docs/bring-your-own-network.md, as it stands there."""

import re
import shutil
from pathlib import Path

from annotator.project import Project

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bring-your-own-network.md"


def test_it_runs(tmp_path, monkeypatch, photo_file):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    shutil.copy(photo_file, tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    said: dict = {}
    exec(compile(example, str(PAGE), "exec"), said)
    hand, fixed = said["hand"], said["fixed"]
    assert (
        abs(hand.joints[0] - said["model"].propose(said["photo"])[0].joints[0]).max() < 1e-3
    )  # the fine displacements are not in the file
    before, after = (abs(one.keypoints[8] - said["tip"]).max() for one in (hand, fixed))
    assert tuple(fixed.corrections[8]) == tuple(said["tip"]) and after < before
    with Project.open(tmp_path / "my-project") as project:
        assert [entry.state for entry in project.hands()] == ["accepted"] and project.verify() == []
