"""Data sets that are videos come in as videos: frames with numbers and times, hands as tracks, their subjects."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from annotator.formats import reader
from annotator.formats.ho3d.writer import OPENGL, TO_HO3D
from annotator.formats.transfer.from_project import labelled_hands
from annotator.formats.transfer.to_project import import_records
from annotator.project import Project

SIZE = (640, 480)
FRAMES = (7, 8, 9, 12)  # of each sequence: the set's own numbers, with a gap


@pytest.fixture(autouse=True)
def cache(own_cache):
    """Nothing of these videos stays in the user's cache."""


@pytest.fixture
def frames(photo_file, make_hand):
    """(picture, hand) of a frame of a sequence: a hand that wanders a little."""
    picture = np.asarray(Image.open(photo_file).convert("RGB").resize(SIZE))

    def frame(sequence: int, number: int):
        return np.roll(picture, 3 * number + sequence, 1), make_hand(5 + sequence, size=SIZE[::-1])

    return frame


def ho3d(folder, frames, numbers=FRAMES):
    """As its authors lay it out."""
    names = []
    for sequence, name in enumerate(("ABF10", "SM1")):
        for kind in ("rgb", "meta"):
            (folder / "train" / name / kind).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            picture, hand = frames(sequence, number)
            Image.fromarray(picture).save(folder / "train" / name / "rgb" / f"{number:04d}.jpg")
            meta = {"camMat": np.array(hand.camera), "handJoints3D": (hand.joints * OPENGL)[list(TO_HO3D)],
                    "handPose": None, "handBeta": None, "handTrans": None}  # fmt: skip
            (folder / "train" / name / "meta" / f"{number:04d}.pkl").write_bytes(pickle.dumps(meta, 2))
            names.append(f"{name}/{number:04d}")
    (folder / "train.txt").write_text("\n".join(names) + "\n")
    return folder


def dexycb(folder, frames):
    for sequence, name in enumerate(("20200709_141754", "20200709_141841")):
        place = folder / f"20200709-subject-0{sequence + 1}" / name
        for number in FRAMES:
            picture, hand = frames(sequence, number)
            (place / "836212060125").mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place / "836212060125" / f"color_{number:06d}.jpg")
            np.savez(place / "836212060125" / f"labels_{number:06d}.npz", joint_3d=hand.joints[None],
                     joint_2d=hand.keypoints[None])  # fmt: skip
        (place / "meta.yml").write_text("serials: ['836212060125']\nmano_sides: [right]\n")
        camera = {"color": {"fx": hand.camera[0, 0], "fy": hand.camera[1, 1], "ppx": hand.camera[0, 2],
                            "ppy": hand.camera[1, 2]}}  # fmt: skip
        (folder / "calibration" / "intrinsics").mkdir(parents=True, exist_ok=True)
        (folder / "calibration" / "intrinsics" / "836212060125_640x480.yml").write_text(json.dumps(camera))
    return folder


def came_in(project, name, folder, model, **more):
    return import_records(project, reader(name).read(folder), f"{name}:{folder}", lambda: model, **more)


@pytest.mark.parametrize(("name", "make"), [("ho3d", ho3d), ("dexycb", dexycb)])
def test_sequences_become_videos_with_tracks(tmp_path, frames, model, name, make):
    folder = make(tmp_path / "set", frames)
    with Project.create(tmp_path / "project") as project:
        done = came_in(project, name, folder, model, accept=True)
        assert done.hands == 2 * len(FRAMES) and not done.left_out
        tracks = project.tracks()
        assert [(one.hands, one.seen, one.side, one.accepted) for one in tracks] == [(4, 4, "right", 4)] * 2
        assert tracks[0].video != tracks[1].video and tracks[0].track != tracks[1].track
        for one in tracks:
            hands = project.track(one.track)
            assert [hand.frame for hand in hands] == list(FRAMES)
            np.testing.assert_allclose([hand.seconds for hand in hands], (np.array(FRAMES) - FRAMES[0]) / 30)
        assert came_in(project, name, folder, model).hands == 0 and len(project.tracks()) == 2
        said = [record.provenance for record in labelled_hands(project)]
        assert {(one["track"], one["frame"]) for one in said} == {(1 + k, n) for k in range(2) for n in FRAMES}
        if name == "dexycb":
            assert [one["subject"] for one in said] == ["20200709-subject-01"] * 4 + ["20200709-subject-02"] * 4
        assert project.verify() == []


def test_a_track_goes_on_where_an_import_stopped(tmp_path, frames, model):
    folder = ho3d(tmp_path / "set", frames, FRAMES[:2])
    with Project.create(tmp_path / "project") as project:
        came_in(project, "ho3d", folder, model)
        ho3d(folder, frames)
        assert came_in(project, "ho3d", folder, model).hands == 4
        assert [one.hands for one in project.tracks()] == [4, 4]


def test_a_photo_that_was_there_by_itself_stays_one(tmp_path, frames, model):
    folder = ho3d(tmp_path / "set", frames)
    with Project.create(tmp_path / "project") as project:
        project.add_photo(folder / "train" / "SM1" / "rgb" / "0008.jpg")
        came_in(project, "ho3d", folder, model)
        assert [one.hands for one in project.tracks()] == [4, 3]
        assert project.photo(1).frame is None and len(project.hands(photo=1)) == 1
