"""Annotation tools' files: what they hold by themselves, and what comes back from a tool."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from same import assert_same

from annotator.errors import InputError
from annotator.formats import LabelledHand, reader, writer
from annotator.formats.conventions.remarks import remarking
from annotator.formats.core.base import joint_weights, visibility
from annotator.hand.joint_states import BY_A_PERSON, CONFIRMED, JOINT_STATES, OCCLUDED, OUT_OF_FRAME, PROPOSED
from annotator.hand.joints import JOINT_NAMES

TOOLS = ("coco", "cvat", "label-studio", "yolo-pose", "deeplabcut", "sleap")
SIZES = {"a.png": (90, 70), "b.jpg": (120, 80)}  # width, height
SETTINGS = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def hand(seed: int, photo: Path, side: str, states, size) -> LabelledHand:
    """A hand inside its photo as a project has it: places of every state, weights and visibility by the states."""
    random = np.random.default_rng(seed)
    keypoints = random.uniform(1, np.array(size) - 2, (21, 2))
    low, high = keypoints.min(0), keypoints.max(0)
    return LabelledHand(
        id=f"{photo.stem}-{seed}", photo=photo, side=side, box=np.concatenate([low, high]), K=None,
        keypoints=keypoints, visible=visibility(states), states=states, weights=joint_weights(states, 0.8),
        provenance={"confidence": 0.8},
    )  # fmt: skip


@st.composite
def projects(draw):
    """Photos and hands on them: (photo's name, side, states of the keypoints, seed)."""
    state = st.sampled_from(JOINT_STATES)
    mixed = st.lists(state, min_size=21, max_size=21)
    untouched = st.just([PROPOSED] * 20 + [OCCLUDED])
    one = st.tuples(st.sampled_from(sorted(SIZES)), st.sampled_from(["left", "right"]), st.one_of(mixed, untouched))
    rows = draw(st.lists(one, min_size=1, max_size=5))
    first = draw(st.integers(0, 10**6))
    rows = [(name, side, states, first + n) for n, (name, side, states) in enumerate(rows)]
    # a hand of which nothing is to be seen has nothing that a tool could show
    return [row for row in rows if any(s not in (OUT_OF_FRAME, OCCLUDED) for s in row[2])] or [
        ("a.png", "left", [CONFIRMED] * 21, first)
    ]


def placed(rows, folder: Path) -> list[LabelledHand]:
    for name, size in SIZES.items():
        Image.new("RGB", size, "teal").save(folder / name)
    return [hand(seed, folder / name, side, tuple(states), SIZES[name]) for name, side, states, seed in rows]


def nearest(record: LabelledHand, read: list[LabelledHand]) -> LabelledHand:
    """The read hand that has the record's places, of the same photo's size."""
    with Image.open(record.photo) as photo:
        size = photo.size
    known = np.array([state not in (OUT_OF_FRAME, OCCLUDED) for state in record.states])

    def apart(one):
        with Image.open(one.photo) as photo:
            other = photo.size != size
        return np.abs(one.keypoints - record.keypoints)[known].max() + 1e6 * other

    return min(read, key=apart)


def expected_state(name: str, state: str, record: LabelledHand) -> set[str]:
    """What a format can say of a keypoint's state by its own fields; a set of words that are right."""
    if name == "coco" or name == "cvat":
        return {state}
    if state == OUT_OF_FRAME:
        return {OCCLUDED}  # no label at all
    if name == "label-studio":
        return {state}
    if name == "deeplabcut":
        return {CONFIRMED}
    if name == "sleap":
        return {CONFIRMED} if state in BY_A_PERSON else {OCCLUDED} if state == OCCLUDED else {PROPOSED}
    return {OCCLUDED} if state == OCCLUDED else {CONFIRMED}  # yolo-pose


@pytest.mark.parametrize("name", TOOLS)
@SETTINGS
@given(rows=projects())
def test_labels_states_sides_and_sizes_without_our_details(name, rows):
    """The tool's own file, alone: what anybody's reader finds in it."""
    with tempfile.TemporaryDirectory() as folder:
        records = placed(rows, Path(folder))
        out = Path(folder) / "set"
        writer(name).write(records, out)
        (out / "details.json").unlink()
        read = list(reader(name).read(out))
        assert len(read) == len(records)
        for record in records:
            found = nearest(record, read)
            labelled = np.array([state != OUT_OF_FRAME for state in record.states])
            np.testing.assert_array_equal(found.weights > 0, labelled)
            np.testing.assert_allclose(found.keypoints[labelled], record.keypoints[labelled], atol=1e-6)
            assert found.side == record.side and found.provenance["side_known"]
            for state, word in zip(record.states, found.states, strict=True):
                assert word in expected_state(name, state, record), (state, word)
            if name in ("coco", "label-studio", "yolo-pose"):
                np.testing.assert_allclose(found.box, record.box, atol=1e-6)
            with Image.open(found.photo) as photo:
                assert photo.size == SIZES[record.photo.name]


@pytest.mark.parametrize("name", TOOLS)
@SETTINGS
@given(rows=projects())
def test_what_nobody_touched_comes_back_whole(name, rows):
    with tempfile.TemporaryDirectory() as folder:
        records = placed(rows, Path(folder))
        writer(name).write(records, Path(folder) / "set")
        read = {one.id: one for one in reader(name).read(Path(folder) / "set")}
        assert set(read) == {record.id for record in records}
        for record in records:
            assert_same(read[record.id], record, tolerance=0)


# -- back from the tool ------------------------------------------------------------------------------------------
STATES = (PROPOSED,) * 8 + ("corrected", CONFIRMED) + (OCCLUDED,) + (PROPOSED,) * 10
MOVED, BY = 4, np.array([3.0, -2.0])  # thumb tip


def in_json(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def move_coco(out, old, new):
    def edit(content):
        points = content["annotations"][0]["keypoints"]
        points[3 * MOVED : 3 * MOVED + 2] = new.tolist()
        content["annotations"] = content["annotations"][::-1]

    in_json(out / "annotations.json", edit)


def move_cvat(out, old, new):
    """As CVAT writes it: hundredths, other quotes of our own making gone."""
    text = (out / "annotations.xml").read_text()
    text = re.sub(r'points="([\d.]+),([\d.]+)"', lambda m: f'points="{float(m[1]):.2f},{float(m[2]):.2f}"', text)
    was, now = (f"{x + 0.5:.2f},{y + 0.5:.2f}" for x, y in (old, new))
    assert text.count(was) == 1
    (out / "annotations.xml").write_text(text.replace(was, now))


def move_label_studio(out, old, new):
    def edit(tasks):
        for one in tasks[0]["annotations"][0]["result"]:
            if one["type"] == "keypointlabels" and one["value"]["keypointlabels"] == [JOINT_NAMES[MOVED]]:
                size = np.array([one["original_width"], one["original_height"]])
                one["value"]["x"], one["value"]["y"] = ((new + 0.5) * 100 / size).tolist()
                return

    in_json(out / "tasks.json", edit)
    (out / "tasks.json").rename(out / "project-3-at-2026-01-01.json")
    return out / "project-3-at-2026-01-01.json"


def move_yolo(out, old, new):
    path = out / "labels" / "00000000.txt"
    cells = path.read_text().split("\n")[0].split()
    cells[5 + 3 * MOVED : 7 + 3 * MOVED] = [f"{n:.6f}" for n in (new + 0.5) / SIZES["a.png"]]
    path.write_text("\n".join([" ".join(cells), *path.read_text().split("\n")[1:]]))


def move_deeplabcut(out, old, new):
    path = next(out.glob("labeled-data/hands/*.csv"))
    was, now = (",".join(map(repr, place.tolist())) for place in (old, new))
    assert path.read_text().count(was) == 1
    path.write_text(path.read_text().replace(was, now))


def move_sleap(out, old, new):
    import sleap_io

    labels = sleap_io.load_slp(str(out / "labels.slp"), open_videos=False)
    points = labels[0].instances[0].points
    points["xy"][MOVED], points["complete"][MOVED] = new, True
    sleap_io.save_slp(labels, str(out / "labels.slp"), embed=False, verbose=False)


MOVES = {"coco": move_coco, "cvat": move_cvat, "label-studio": move_label_studio, "yolo-pose": move_yolo,
         "deeplabcut": move_deeplabcut, "sleap": move_sleap}  # fmt: skip


@pytest.mark.parametrize("name", TOOLS)
def test_a_point_that_was_moved_in_the_tool_is_a_correction(tmp_path, name):
    """The rest of that hand keeps its states, its mesh is of the old labels and goes; the other hand is untouched."""
    records = placed([("a.png", "left", STATES, 1), ("b.jpg", "right", STATES, 2)], tmp_path)
    out = tmp_path / "set"
    writer(name).write(records, out)
    new = records[0].keypoints[MOVED] + BY
    source = MOVES[name](out, records[0].keypoints[MOVED], new) or out
    with remarking() as remarks:
        read = {one.id: one for one in reader(name).read(source)}
    assert_same(read[records[1].id], records[1], tolerance=0)
    found = read[records[0].id]
    assert found.states == tuple("corrected" if k == MOVED else s for k, s in enumerate(STATES))
    np.testing.assert_allclose(found.keypoints[MOVED], new, atol=0.01)
    np.testing.assert_array_equal(np.delete(found.keypoints, MOVED, 0), np.delete(records[0].keypoints, MOVED, 0))
    assert found.weights[MOVED] == 1 and found.parameters is None and found.state == ""
    assert found.provenance["edited"] == [MOVED] and list(found.provenance["corrections"]) == [str(MOVED)]
    assert remarks["hand that was edited in the tool since it was exported"] == 1


def test_states_sides_and_points_that_were_changed_in_cvat(tmp_path):
    records = placed([("a.png", "left", STATES, 1)], tmp_path)
    out = tmp_path / "set"
    writer("cvat").write(records, out)
    text = (out / "annotations.xml").read_text().replace('<attribute name="side">left', '<attribute name="side">right')
    lines = text.splitlines()
    for joint, change in {
        "wrist": (">proposed<", ">confirmed<"),
        "thumb_mcp": ('outside="0"', 'outside="1"'),
        "thumb_tip": ('occluded="0"', 'occluded="1"'),
    }.items():
        (row,) = [n for n, line in enumerate(lines) if f'<points label="{joint}"' in line]
        lines[row] = lines[row].replace(*change)
    (out / "annotations.xml").write_text("\n".join(lines))
    (found,) = reader("cvat").read(out)
    names = dict(zip(JOINT_NAMES, zip(found.states, found.weights, strict=True), strict=True))
    assert found.side == "right" and found.id == records[0].id
    assert names["wrist"] == (CONFIRMED, 1) and names["thumb_mcp"] == (OCCLUDED, 0)
    assert names["thumb_tip"] == (OCCLUDED, 0.25) and names["little_tip"][0] == PROPOSED


def test_hands_that_were_added_and_taken_away(tmp_path):
    records = placed([("a.png", "left", STATES, 1), ("a.png", "right", STATES, 2)], tmp_path)
    out = tmp_path / "set"
    writer("yolo-pose").write(records, out)
    path = out / "labels" / "00000000.txt"
    _, second = path.read_text().splitlines()
    cells = second.split()
    cells[5:] = [str(float(c) * 0.2) if n % 3 < 2 else c for n, c in enumerate(cells[5:])]
    path.write_text("\n".join([second, " ".join(cells)]))
    kept, added = reader("yolo-pose").read(out)
    assert_same(kept, records[1], tolerance=0)
    assert added.id == "00000000-1" and "confidence" not in added.provenance


def test_a_broken_word_of_ours_is_named(tmp_path):
    records = placed([("a.png", "left", STATES, 1)], tmp_path)
    writer("cvat").write(records, tmp_path / "set")
    in_json(tmp_path / "set" / "details.json", lambda rows: rows[0].update(sent={"file": "x"}))
    with pytest.raises(InputError, match="details.json, index 0: 'points' is missing"):
        list(reader("cvat").read(tmp_path / "set"))


def test_a_deeplabcut_table_by_its_own_name_is_still_the_exports(tmp_path):
    records = placed([("a.png", "left", STATES, 1)], tmp_path)
    writer("deeplabcut").write(records, tmp_path / "set")
    (table,) = (tmp_path / "set").rglob("CollectedData_*.csv")
    for place in (table, table.parent):
        (found,) = reader("deeplabcut").read(place)
        assert_same(found, records[0], tolerance=0)


def test_two_hands_at_one_place_keep_their_order(tmp_path):
    (record,) = placed([("a.png", "left", STATES, 1)], tmp_path)
    writer("sleap").write([record, replace(record, id="other")], tmp_path / "set")
    assert [one.id for one in reader("sleap").read(tmp_path / "set")] == [record.id, "other"]
