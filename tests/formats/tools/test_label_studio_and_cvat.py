"""Label Studio's and CVAT's files as other people write them, and those that cannot be read: one clear line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_tools import photo, places

from annotator.errors import InputError
from annotator.formats import reader
from annotator.formats.conventions.remarks import remarking
from annotator.hand.joint_states import CONFIRMED, OCCLUDED
from annotator.hand.joints import JOINT_NAMES


def dots(task_size=(90, 70), prefix="", **more):
    """Label Studio's keypoint regions of one hand."""
    return [
        {"id": f"{prefix}{name}", "type": "keypointlabels", "original_width": task_size[0],
         "original_height": task_size[1], "image_rotation": 0, **more,
         "value": {"x": (x + 0.5) * 100 / 90, "y": (y + 0.5) * 100 / 70, "width": 0.4, "keypointlabels": [name]}}
        for name, (x, y) in zip(JOINT_NAMES, places().tolist(), strict=True)
    ]  # fmt: skip


def box(name, label, x, y, width, height):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]}
    return {"id": name, "type": "rectanglelabels", "original_width": 90, "original_height": 70, "image_rotation": 0,
            "value": value}  # fmt: skip


def tasks(folder, *results, image="/data/upload/2/0123abcd-hand.png"):
    photo(folder / "images" / "hand.png")
    annotations = [{"result": result, "updated_at": str(n)} for n, result in enumerate(results)]
    (folder / "export.json").write_text(json.dumps([{"data": {"image": image}, "annotations": annotations}]))
    return folder / "export.json"


def test_label_studio_by_relation_by_place_and_without_rectangles(tmp_path):
    rectangle = box("r", "Left", 5, 0, 60, 80)
    relation = [{"type": "relation", "from_id": dot["id"], "to_id": "r"} for dot in dots()]
    for name, result, side in (
        ("relation", [rectangle, *dots(), *relation], "left"),
        ("place", [rectangle, *dots()], "left"),
        ("alone", dots(), None),
    ):
        (found,) = reader("label-studio").read(tasks(tmp_path / name, result))
        np.testing.assert_allclose(found.keypoints, places(), atol=1e-9)
        assert found.provenance["side_known"] == (side is not None) and found.side == (side or "right")
        assert set(found.states) == {CONFIRMED}


def test_label_studio_takes_the_newest_annotation(tmp_path):
    with remarking() as remarks:
        (found,) = reader("label-studio").read(tasks(tmp_path, dots()[:3], dots()))
    assert found.weights.all() and sum(remarks.values()) == 1


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([*dots(), *dots(prefix="b")], "two keypoints 'wrist'"),
        ([box("a", "left", 0, 0, 100, 100), box("b", "right", 0, 0, 100, 100), *dots()], "lies in 2 rectangles"),
        (dots((180, 140)), "labels of another size"),
        (dots(image_rotation=90) and [d | {"image_rotation": 90} for d in dots()], "turned in Label Studio"),
        ([d | {"value": d["value"] | {"keypointlabels": ["elbow"]}} for d in dots()[:1]], "called 'elbow'"),
        ([{"type": "keypointlabels"}], "'id' is missing"),
    ],
)
def test_label_studio_that_cannot_be_read(tmp_path, result, message):
    with pytest.raises(InputError, match=f"export.json, index 0: .*{message}"):
        list(reader("label-studio").read(tasks(tmp_path, result)))


def test_label_studios_other_exports_are_named(tmp_path):
    (tmp_path / "min.json").write_text(json.dumps([{"image": "a.png", "keypoint": []}]))
    with pytest.raises(InputError, match="JSON-MIN"):
        list(reader("label-studio").read(tmp_path / "min.json"))


def cvat(folder, inside, head="<annotations>"):
    photo(folder / "hand.png")
    text = f'{head}<version>1.1</version><image id="0" name="task/hand.png" width="90" height="70">{inside}</image>'
    (folder / "annotations.xml").write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{text}</annotations>')
    return folder


def skeleton(label="left hand", names=JOINT_NAMES):
    points = "".join(
        f'<points label="{name}" outside="0" occluded="{int(k == 2)}" points="{x + 0.5:.2f},{y + 0.5:.2f}"></points>'
        for k, (name, (x, y)) in enumerate(zip(names, places().tolist(), strict=False))
    )
    return f'<skeleton label="{label}" source="manual" z_order="0">{points}</skeleton>'


def test_cvat_of_other_people(tmp_path):
    row = ";".join(f"{x + 0.5},{y + 0.5}" for x, y in places().tolist())
    for name, inside in {
        "skeleton": skeleton(),
        "numbers": skeleton(names=[str(k + 1) for k in range(21)]),
        "points": f'<box label="x" xtl="1"/><points label="hand_l" occluded="0" points="{row}"></points>',
    }.items():
        (found,) = reader("cvat").read(cvat(tmp_path / name, inside))
        np.testing.assert_allclose(found.keypoints, places(), atol=1e-9)
        assert found.side == "left" and (found.states[2] == OCCLUDED) == (name != "points")


@pytest.mark.parametrize(
    ("inside", "head", "message"),
    [
        (skeleton(names=["elbow"]), "<annotations>", "index 0: no keypoint of a hand is called 'elbow'"),
        ('<skeleton label="l"><points label="wrist" points="1"/></skeleton>', "<annotations>", "index 0"),
        ("", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>', "document type"),
        ("", "<annotation>", "begins with <annotation>"),
        ("<skeleton", "<annotations>", "is not XML"),
    ],
)
def test_cvat_that_cannot_be_read(tmp_path, inside, head, message):
    with pytest.raises(InputError, match=message):
        list(reader("cvat").read(cvat(tmp_path, inside, head)))


def test_cvat_in_an_encoding_that_nobody_knows(tmp_path):
    folder = cvat(tmp_path, "")
    path = folder / "annotations.xml"
    path.write_text(path.read_text().replace("utf-8", "nan"))
    assert 'encoding="nan"' in path.read_text()
    with pytest.raises(InputError, match="is not XML: unknown encoding"):
        list(reader("cvat").read(folder))
