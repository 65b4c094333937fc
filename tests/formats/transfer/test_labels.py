"""Labels on their way out and in: set to the last bit, beside what the mesh made of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from annotator.formats import reader, writer
from annotator.formats.core.filters import Filter
from annotator.formats.transfer.from_project import labelled_hands, left_out
from annotator.formats.transfer.record_meshes import fit
from annotator.formats.transfer.to_project import import_records
from annotator.hand.definitions import ANATOMICAL, JointDefinition
from annotator.hand.joints import JOINT_NAMES
from annotator.project import Project

CUT = ("freihand", "ho3d")  # whose photos are cut out, or mirrored for left hands: labels go along


@pytest.fixture
def labelled(project):
    """The project with labels of no short decimal form, one of them of a joint that is hidden."""
    random = np.random.default_rng(5)
    for entry in project.hands("accepted"):
        mesh = project.mesh(entry.id)
        labels = {k: tuple(mesh.keypoints[k] + random.normal(0, 1.5, 2)) for k in (0, 4, 8, 13)}
        project.edit(entry.id, mesh.replace(corrections=labels), {13: "occluded"})
        project.set_state(entry.id, "accepted")
    return project


@pytest.mark.parametrize("name", ["freihand", "ho3d", "coco-wholebody", "hamer-npz", "hamer-tar", "parquet"])
def test_labels_come_back_to_the_last_bit(labelled, tmp_path, name):
    writer(name).write(labelled_hands(labelled), tmp_path / "set")
    unpacked = {"photos": tmp_path / "photos"} if name in ("hamer-tar", "parquet") else {}
    records = list(reader(name).read(tmp_path / "set", **unpacked))
    assert len(records) == 3
    with Project.create(tmp_path / "new") as other:
        done = import_records(other, records, "test", lambda: None)
        assert done.hands == done.own_mesh == 3
        for record, entry in zip(records, other.hands(), strict=True):
            hand, labels = labelled.hand(record.id), other.hand(entry.id).corrections
            assert set(labels) == set(hand.corrections) == {0, 4, 8, 13}
            for joint, place in hand.corrections.items():
                said = record.provenance["labels"][JOINT_NAMES[joint]]
                assert tuple(said["set"]) == place
                assert said["mesh"] == pytest.approx(hand.keypoints[joint], abs=1e-9)
                assert said["apart_px"] == pytest.approx(np.linalg.norm(hand.keypoints[joint] - place))
                assert labels[joint] == tuple(record.keypoints[joint])
                if name not in CUT:
                    assert labels[joint] == place
            if name in CUT:  # the same places of the photo
                move = record.provenance.get("photo_to_image")
                places = np.array(list(hand.corrections.values()))
                if move is not None:
                    places = places @ np.array(move)[:, :2].T + np.array(move)[:, 2]
                elif record.provenance["mirrored"]:
                    places[:, 0] = labelled.hand(record.id).photo.width - 1 - places[:, 0]
                assert np.allclose(list(labels.values()), places, atol=1e-9)
            assert (record.provenance["definition"], record.provenance["strained"]) == ("anatomical", [])


def test_a_table_of_the_window_comes_back_to_the_last_bit(labelled, tmp_path, model):
    """Of *Save Selected Layers*: the markers, which are the labels where there are some."""
    pytest.importorskip("napari_hand_mesh")
    from napari_hand_mesh.writer import write_keypoints

    from annotator.vision.photos import read_photo

    hand, mesh = next((labelled.hand(e.id), labelled.mesh(e.id)) for e in labelled.hands("accepted"))
    (tmp_path / "photo.jpg").write_bytes(hand.photo.path.read_bytes())
    markers = ANATOMICAL.places(mesh)[:, ::-1]
    write_keypoints(str(tmp_path / "hand.csv"), markers, {"metadata": {"photo": "photo.jpg", "side": hand.side}})
    (record,) = reader("csv").read(tmp_path)
    found = fit(record, read_photo(record.photo), model)
    assert {k: found.corrections[k] for k in hand.corrections} == hand.corrections


def test_keypoints_without_a_label_are_as_the_project_means_them(labelled):
    offsets = np.zeros((21, 3))
    offsets[[0, 5]] = (0.01, 0, 0), (0, 0.006, 0)
    learned = JointDefinition("learned", offsets, np.full(21, 0.004), 20)
    place = labelled.folder / "rounds" / "001"
    place.mkdir(parents=True)
    before = list(labelled_hands(labelled))
    (place / "definition.json").write_text(json.dumps({"definition": learned.as_dict(), "adopted": True}))
    for old, record in zip(before, labelled_hands(labelled), strict=True):
        hand, mesh = labelled.hand(record.id), labelled.mesh(record.id)
        free = [k for k in range(21) if k not in hand.corrections]
        assert np.array_equal(record.keypoints[free], learned.keypoints(mesh)[free])
        assert all(tuple(record.keypoints[k]) == place for k, place in hand.corrections.items())
        assert np.linalg.norm(record.keypoints[5] - old.keypoints[5]) > 1
        assert np.array_equal(record.joints, old.joints)  # they are the mesh's
        label = record.provenance["labels"]["wrist"]
        assert record.provenance["definition"] == "learned"
        assert label["mesh"] == learned.keypoints(mesh)[0].tolist() != old.provenance["labels"]["wrist"]["mesh"]


def test_strained_hands_leave_only_when_asked_for(labelled):
    first, *others = [entry.id for entry in labelled.hands("accepted")]
    mesh = labelled.mesh(first)
    labels = dict(mesh.corrections) | {8: tuple(mesh.keypoints[8] + 150)}
    labelled.edit(first, mesh.replace(corrections=labels))
    labelled.set_state(first, "accepted")
    assert [record.id for record in labelled_hands(labelled)] == others
    everything = list(labelled_hands(labelled, strained=True))
    assert [record.id for record in everything] == [first, *others]
    assert [record.provenance["strained"] for record in everything] == [["index_tip"], [], []]
    assert left_out(labelled, Filter()) == 1 and left_out(labelled, Filter(strained=True)) == 0
    assert left_out(labelled, Filter(min_corrected=21)) == 0  # it would not have been there anyhow
    labelled.edit(first, None, {8: "occluded"})
    labelled.set_state(first, "accepted")
    assert left_out(labelled, Filter()) == 0 and len(list(labelled_hands(labelled))) == 3
