"""Gloved hands beside the others: they are added, and nothing that is found without them changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from annotator.detection.dressed import CLOSER, FAINT, SCALES, DressedSearch
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.detection.searching import search
from annotator.network.encoders.exported_hand import exported_hand
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.vision.photos import read_photo


@pytest.fixture(scope="module")
def network():
    return exported_hand(load_mediapipe_hand())


@pytest.fixture(scope="module")
def dressed() -> DressedSearch:
    return DressedSearch()


@pytest.fixture(scope="module")
def photos(sample_photos) -> list[np.ndarray]:
    return [read_photo(path) for path in sample_photos[::3]]


@pytest.fixture(scope="module")
def detector() -> PalmDetector:
    return PalmDetector()


@pytest.fixture(scope="module")
def without(network, detector, photos):
    """What is found by palms alone."""
    return search(photos, network, detector, None)


@pytest.fixture(scope="module")
def palms(dressed, photos):
    return dressed.palms_in(photos)


@pytest.fixture(scope="module")
def alone(network, dressed, photos, palms):
    """What is found by the search for gloved hands where nothing is known."""
    return dressed.looks(network, photos, palms, [[] for _ in photos])


def test_what_is_found_without_stays_first_and_the_same(network, detector, dressed, photos, without):
    beside = search(photos, network, detector, None, dressed)
    assert any(without)
    for before, after in zip(without, beside, strict=True):
        assert len(after) >= len(before)
        for one, other in zip(before, after, strict=False):
            assert one.crop == other.crop and np.array_equal(one.landmarks, other.landmarks)
            assert (one.presence, one.right) == (other.presence, other.right)


def test_alone_it_finds_hands_with_the_landmarks_that_mediapipe_gives(network, photos, alone):
    seen = [k for k, looks in enumerate(alone) if looks]
    assert len(seen) > len(photos) / 2 and all(look.trust >= 0.5 for looks in alone for look in looks)
    photo, looks = photos[seen[0]], alone[seen[0]]
    picture = torch.from_numpy(looks[0].crop.extract(photo)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        plain, mirrored = network(torch.cat([picture, picture.flip(-1)])).landmarks[..., :2].double().numpy()
    for said in (plain, mirrored * (-1, 1) + (picture.shape[-1] - 1, 0)):
        landmarks = looks[0].crop.to_photo(said)
        assert np.linalg.norm(landmarks - looks[0].landmarks, axis=1).mean() < 0.05 * looks[0].crop.size


def test_known_hands_are_not_looked_at_again(network, dressed, photos, without, palms, alone):
    beside = dressed.looks(network, photos, palms, without)
    assert sum(map(len, beside)) < sum(map(len, alone))


def test_both_networks_differ_from_mediapipe_s_where_they_were_tuned_alone(dressed):
    own, first = dressed.palms.network.state_dict(), PalmDetector().network.state_dict()
    frozen = [name for name in own if name.startswith(("stem", "levels.0.", "levels.1."))]
    assert frozen and all(torch.equal(own[name], first[name]) for name in frozen)
    assert not torch.equal(own["score_12.weight"], first["score_12.weight"])
    assert not torch.equal(dressed.presence.weight, load_mediapipe_hand().presence.weight)


def test_nothing_there(network, dressed):
    noise = np.random.default_rng(0).integers(90, 160, (240, 320, 3), dtype=np.uint8)
    assert dressed.palms.at_scales([noise], SCALES, FAINT) == dressed.palms_in([noise]) == [[]]
    assert dressed.looks(network, [noise], [[]], [[]]) == [[]]


def test_closer_where_no_hand_is_large_in_a_photo_that_is_large_enough(network, detector, dressed, photos):
    photo = max(photos, key=lambda one: min(one.shape[:2]))
    ((look, *_),) = search([photo], network, detector, None)
    assert look.crop.size > max(large for _, large, _ in CLOSER) * max(photo.shape) and dressed.palms_closer(
        [photo], [[look]]
    ) == [[]]
    height, width = photo.shape[:2]
    far = np.full((4 * height, 4 * width, 3), photo[0, 0], np.uint8)  # the hand is as small as a tenth of the photo
    far[height : 2 * height, width : 2 * width] = photo
    (palms,) = dressed.palms_closer([far], [[]])
    assert palms and any(
        width < palm.points[0, 0] < 2 * width and height < palm.points[0, 1] < 2 * height for palm in palms
    )
    assert dressed.palms_closer([far[::8, ::8]], [[]]) == [[]]
