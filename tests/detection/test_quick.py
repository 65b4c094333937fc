"""`quick`: fewer looks find the same ordinary hands."""

from __future__ import annotations

import numpy as np
import pytest

import annotator
from annotator import sample_data
from annotator.cli import main
from annotator.project import Project
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def pictures():
    return [read_photo(path) for path in sample_data.photos()[:6]]


@pytest.fixture(scope="module")
def hasty():
    return annotator.load_model(device="cpu", quick=True)


def test_the_same_ordinary_hands_by_fewer_looks(model, hasty, pictures, monkeypatch):
    seen = []
    extract = annotator.vision.crops.Crop.extract
    monkeypatch.setattr(
        annotator.vision.crops.Crop, "extract", lambda crop, *a, **k: seen.append(crop) or extract(crop, *a, **k)
    )
    full = list(model.propose_many(pictures))
    looks = len(seen)
    quick = list(hasty.propose_many(pictures))
    assert len(seen) - looks < 0.6 * looks
    assert [[hand.side for hand in hands] for hands in quick] == [[hand.side for hand in hands] for hands in full]
    for first, second in zip(sum(full, []), sum(quick, []), strict=True):
        assert np.linalg.norm(first.keypoints - second.keypoints, axis=1).mean() < 0.02 * first.crop_size


def test_what_the_encoder_does_not_confirm_gets_the_full_search(model, hasty, pictures, monkeypatch):
    """A mute encoder, as those of timm are, confirms nothing: crops are those of the full search."""
    found = hasty.finder.features

    def mute(crops, bfloat16=False):
        features = found(crops, bfloat16)
        return features._replace(landmarks=features.landmarks * float("nan"))

    monkeypatch.setattr(hasty.finder, "features", mute)
    full = model.finder.find(pictures, [None] * 6, [None] * 6)
    unsure = hasty.finder.find(pictures, [None] * 6, [None] * 6, quick=True)
    assert [[hand.crop for hand in hands] for hands, _ in unsure] == [
        [hand.crop for hand in hands] for hands, _ in full
    ]


def test_boxes_are_looked_at_as_ever(model, hasty, pictures):
    (hand,) = model.propose(pictures[0])[:1]
    box = (*hand.keypoints.min(0), *hand.keypoints.max(0))
    (full,), (quick,) = (one.propose(pictures[0], [box]) for one in (model, hasty))
    assert np.array_equal(full.vertices, quick.vertices)


def test_a_photo_without_a_hand_has_none_in_haste_either(hasty):
    noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    assert hasty.propose(noise) == []


def test_the_command_tells_the_project(tmp_path):
    photo = str(sample_data.photos()[0])
    assert main(["propose", photo, "--project", str(tmp_path / "project"), "--quick"]) == 0
    with Project.open(tmp_path / "project") as project:
        (entry,) = project.hands()
        assert project.hand(entry.id).provenance["quick"] is True
