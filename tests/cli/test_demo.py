"""`annotator demo`: the whole road once, and what it leaves behind."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from annotator.cli import main
from annotator.cli.apps import demo
from annotator.cli.support.stand_in import MOST, SecondOpinion, next_correction, verdict
from annotator.errors import InputError
from annotator.formats import reader
from annotator.project import Project
from annotator.reporting.pictures import PIXELS
from annotator.vision.camera import project as to_pixels
from annotator.vision.drawing.visibility import in_sight


class Page(HTMLParser):
    """The pictures, captions and tags of a report."""

    def __init__(self, path):
        super().__init__()
        self.pictures, self.captions, self.tags, self.open = [], [], set(), []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag == "img":
            self.pictures.append(dict(attributes)["src"])
        if tag not in ("img", "meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["figcaption"]:
            self.captions.append(data)


def picture(source):
    kind, data = source.split(",", 1)
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data, validate=True))))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder, the JSON it printed) of one run with the shipped model."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    result = demo.run(folder, device="cpu")
    return folder, result


def test_it_finds_and_exports_hands(made, sample_photos):
    folder, result = made
    assert result["photos"] == len(sample_photos) >= 24
    assert result["photos_with_hand"] >= 0.9 * result["photos"]
    assert result["hands"] >= result["photos_with_hand"] and result["failed"] == []
    assert result["exported"] == result["accepted"] >= 20
    assert result["accepted"] + result["rejected"] == result["hands"]
    assert set(result["seconds"]) == {"load", "propose", "correct", "export", "report"}
    assert json.loads((folder / "demo.json").read_text()) == result


def test_the_project_tells_what_was_done(made):
    folder, result = made
    with Project.open(folder / "project") as project:
        assert project.verify() == []
        entries = project.hands()
        assert len(entries) == result["hands"]
        assert sum(entry.corrections for entry in entries) == result["corrections"] > 0
        corrected = [project.hand(entry.id) for entry in entries if entry.corrections]
        for hand in corrected:
            assert len(hand.corrections) <= MOST
            assert all(hand.joint_states[joint] == "corrected" for joint in hand.corrections)
            kinds = [event.kind for event in project.history(hand.id)]
            assert kinds == ["propose", *["edit"] * len(hand.corrections), "state"]
        off = [
            np.linalg.norm(hand.keypoints[joint] - place) / hand.crop[2]
            for hand in corrected
            for joint, place in hand.corrections.items()
        ]
        assert np.median(off) < 0.02  # labels are evidence: the mesh comes near to where they were set


def test_the_exported_set_reads_back_as_the_project_has_it(made):
    folder, result = made
    exported = list(reader("freihand").read(folder / "export" / "freihand"))
    with Project.open(folder / "project") as project:
        assert [hand.id for hand in exported] == [entry.id for entry in project.hands("accepted")]
        for hand in exported:
            mesh = project.mesh(hand.id)
            mirror = [-1, 1, 1] if mesh.side == "left" else [1, 1, 1]
            assert np.abs(hand.vertices * mirror - mesh.vertices).max() < 1e-6
            told = [state == "corrected" for state in hand.states]  # those leave where they were set
            off = np.abs(to_pixels(hand.joints, hand.K) - hand.keypoints)
            assert off[np.logical_not(told)].max() < 1e-3


def test_the_report_shows_every_hand(made):
    folder, result = made
    path = folder / "report.html"
    assert path.stat().st_size < 15e6
    page = Page(path)
    assert page.open == [] and not page.tags & {"link", "iframe"}
    with Project.open(folder / "project") as project:
        entries = project.hands()
    text = path.read_text(encoding="utf-8")
    assert all(f"<h2>{entry.id} <span" in text for entry in entries)
    meshes = [picture(s) for s, c in zip(page.pictures, page.captions, strict=True) if c == "mesh"]
    photos = [picture(s) for s, c in zip(page.pictures, page.captions, strict=True) if c == "photo"]
    assert len(meshes) == len(photos) == len(entries)
    for photo, mesh in zip(photos, meshes, strict=True):
        assert photo.shape == (PIXELS, PIXELS, 3)
        changed = np.abs(photo.astype(int) - mesh).max(2) > 40
        assert 0.02 < changed.mean() < 0.9
    after = sum(caption.startswith("keypoints after") for caption in page.captions)
    assert after == sum(entry.corrections > 0 for entry in entries)


def test_an_earlier_demo_is_replaced_and_nothing_else(tmp_path, capfd):
    mine = tmp_path / "mine"
    (mine / "project").mkdir(parents=True)
    (mine / "project" / "thesis.txt").write_text("years of work")
    assert main(["demo", "--out", str(mine)]) == 2
    out, err = capfd.readouterr()
    assert out == "" and "not an earlier demo" in err and err.count("\n") == 1
    assert (mine / "project" / "thesis.txt").exists()
    with pytest.raises(InputError, match="cannot write"):
        demo.clear(mine / "project" / "thesis.txt")

    old = tmp_path / "old"
    demo.clear(old)
    for part in ("project", "export"):
        (old / part).mkdir()
        (old / part / "file").write_text("old")
    (old / "report.html").write_text("old")
    (old / "notes.txt").write_text("mine")
    demo.clear(old)
    assert sorted(path.name for path in old.iterdir()) == ["demo.json", "notes.txt"]


# -- the stand-in ----------
def opinion_on(hand, moves, trusted=None):
    """The hand's own keypoints but for `moves`: joint -> by how much of the hand's size."""
    size = float(np.ptp(hand.keypoints, axis=0).max())
    places = hand.keypoints.copy()
    for joint, share in moves.items():
        places[joint] += [share * size, 0]
    return SecondOpinion(places, np.ones(21, bool) if trusted is None else trusted, np.zeros(21), size)


@pytest.fixture(scope="module")
def flat(hand_model):
    """A flat hand that shows its palm: nothing hides anything."""
    from annotator.hand.mesh import HandMesh, HandParameters

    pose = np.zeros((16, 3))
    pose[0] = [np.pi / 2, 0, 0]
    parameters = HandParameters(pose, np.zeros(10), [0.09, 0, 0.6], np.zeros((hand_model.offset_count, 3)))
    vertices, K = hand_model.vertices(parameters), np.array([[700.0, 0, 200], [0, 700, 200], [0, 0, 1]])
    joints = hand_model.joints(vertices)
    return HandMesh(
        side="right", camera=K, crop_center=[200, 200], crop_size=400.0, crop_angle=0.0, vertices=vertices,
        faces=hand_model.faces, joints=joints, keypoints=to_pixels(joints, K), keypoint_sigma=np.ones(21),
        vertex_sigma=np.full(len(vertices), 0.003), confidence=0.9, parameters=parameters,
        hand_model=hand_model.name, parametric=None,
    )  # fmt: skip


def test_the_stand_in_corrects_the_worst_keypoint_it_can_judge(flat):
    assert next_correction(flat, opinion_on(flat, {8: 0.01, 4: 0.018})) is None
    opinion = opinion_on(flat, {8: 0.2, 4: 0.1})
    assert next_correction(flat, opinion) == (8, tuple(opinion.keypoints[8]))
    trusted = np.arange(21) != 8
    assert next_correction(flat, opinion_on(flat, {8: 0.2, 4: 0.1}, trusted))[0] == 4
    uncertain = replace(opinion, spread=np.where(trusted, 0, 0.15 * opinion.size))
    assert next_correction(flat, uncertain)[0] == 4
    corrected = flat.replace(corrections={8: (1, 2)})
    assert next_correction(corrected, opinion)[0] == 4
    assert next_correction(flat, opinion, given_up=[8])[0] == 4
    assert next_correction(flat, opinion_on(flat, {0: 0.2, 1: 0.3})) is None  # no mark on the skin to click on
    enough = flat.replace(corrections={joint: (1, 2) for joint in range(MOST)})
    assert next_correction(enough, opinion) is None


def test_the_stand_in_does_not_place_what_the_hand_hides(flat):
    """A plate before the hand, part of the same mesh: its joints are out of sight."""
    low, high = flat.joints.min(0) - 0.02, flat.joints.max(0) + 0.02
    plate = np.array([[low[0], low[1], 0.5], [high[0], low[1], 0.5], [high[0], high[1], 0.5], [low[0], high[1], 0.5]])
    count = len(flat.vertices)
    hidden = flat.replace(
        vertices=np.vstack([flat.vertices, plate]),
        faces=np.vstack([flat.faces, [[count, count + 1, count + 2], [count, count + 2, count + 3]]]),
        vertex_sigma=np.append(flat.vertex_sigma, [0.003] * 4),
    )
    assert in_sight(flat.vertices, flat.faces, flat.joints, flat.camera)[2:].all()  # the thumb's base lies deep
    assert not in_sight(hidden.vertices, hidden.faces, hidden.joints, hidden.camera).any()
    assert next_correction(hidden, opinion_on(flat, {8: 0.2})) is None


def test_the_stand_in_rejects_what_is_unsure_off_or_found_twice(flat):
    agreed = opinion_on(flat, {})
    assert verdict(flat, agreed)[0] == "accepted"
    assert verdict(flat.replace(confidence=0.2), agreed)[0] == "rejected"
    assert verdict(flat, opinion_on(flat, dict.fromkeys(range(21), 0.2)))[0] == "rejected"
    assert verdict(flat, opinion_on(flat, {}, np.zeros(21, bool)))[0] == "rejected"
    part = flat.replace(keypoints=flat.keypoints.mean(0) + 0.3 * (flat.keypoints - flat.keypoints.mean(0)))
    assert verdict(part, opinion_on(part, {}), [flat])[0] == "rejected"
    assert verdict(flat, agreed, [part])[0] == "accepted"
    beside = flat.replace(keypoints=flat.keypoints * 1.2 + [300, 0])
    assert verdict(flat, agreed, [beside])[0] == "accepted"
