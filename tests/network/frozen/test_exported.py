"""Exported networks say what the plain ones say, whatever is beside a picture and however many threads are at work."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest
import torch

import annotator
from annotator.detection import hand_detector
from annotator.detection.palms.exported_palm import exported_palms
from annotator.detection.palms.palm_detector import INPUT, PalmDetector
from annotator.network.checkpoint import load_checkpoint
from annotator.network.encoders.base import Encoder
from annotator.network.encoders.exported_hand import ExportedHand, exported_encoder, exported_hand
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.network.frozen import exported
from annotator.vision.crops import Crop, brighter_left, extract_all
from annotator.vision.photos import read_photo

needed = pytest.mark.skipif(not exported.available(), reason="OpenVINO is not for this machine")


@pytest.fixture(scope="module")
def crops(photo_file):
    photo = read_photo(photo_file)
    return extract_all(photo, [Crop(310, 540, 500), Crop(290, 560, 600, 0.2), Crop(310, 540, 450, 0.1, True)])


@needed
@torch.inference_mode()
def test_the_hand_network(crops):
    network = load_mediapipe_hand()
    assert isinstance(exported_hand(network), ExportedHand)
    plain, quick, bfloat16 = network(crops), exported_hand(network)(crops), exported_hand(network, bfloat16=True)(crops)
    assert (plain.landmarks - quick.landmarks).abs().max() < 2e-3  # crop px
    for name in ("presence", "right", "world"):
        assert (getattr(plain, name) - getattr(quick, name)).abs().max() < 1e-5
    # bfloat16, where there is, has three digits
    assert (plain.landmarks - bfloat16.landmarks)[..., :2].norm(dim=-1).mean() < 1.0
    for name in ("presence", "right"):
        assert (getattr(plain, name) - getattr(bfloat16, name)).abs().max() < 0.1


@needed
@torch.inference_mode()
def test_the_encoder_of_the_shipped_model(crops):
    encoder = load_checkpoint()[0].encoder
    plain, quick, bfloat16 = (
        one(crops) for one in (encoder, exported_encoder(encoder), exported_encoder(encoder, True))
    )
    for a, b in zip((*plain.maps, *tuple(plain)[1:]), (*quick.maps, *tuple(quick)[1:]), strict=True):  # outline, too
        assert torch.allclose(a, b, atol=2e-3, rtol=1e-4)
    assert (plain.landmarks - bfloat16.landmarks).norm(dim=-1).mean() < 1.0
    for a, b in zip(plain.maps, bfloat16.maps, strict=True):
        assert (a - b).std() < 0.1 * a.std()


@needed
@torch.inference_mode()
def test_the_palm_network_on_pictures_of_any_size(photo_file):
    network = PalmDetector().network
    square = extract_all(read_photo(photo_file), [Crop(310, 540, 1080), Crop(200, 400, 700, 1.0)], INPUT)
    for pictures in (square, square[:, :, 32:160], torch.cat([square, square], dim=3)):
        rows, logits = network(pictures)
        own_rows, own_logits = exported_palms(network)(pictures)
        assert torch.allclose(rows, own_rows, atol=2e-3, rtol=1e-4) and torch.allclose(
            logits, own_logits, atol=2e-3, rtol=1e-4
        )
        own_rows, own_logits = exported_palms(network, bfloat16=True)(pictures)
        likely = torch.sigmoid(logits) > 0.3
        assert (torch.sigmoid(logits) - torch.sigmoid(own_logits)).abs().max() < 0.1
        assert (rows - own_rows)[likely].abs().max() < 3  # px


@needed
@torch.inference_mode()
def test_an_answer_depends_on_no_other_picture(crops, photo_file):
    many = torch.cat([crops] * 5)  # passes of 8, 4, 2 and 1
    for network in (exported_hand(load_mediapipe_hand()), exported_encoder(load_checkpoint()[0].encoder)):
        together = network(many)
        for number, row in ((0, 6), (1, 13), (2, 14)):
            alone = network(crops[number : number + 1])
            assert torch.equal(alone.landmarks[0], together.landmarks[row])
            assert torch.equal(alone.pooled[0], together.pooled[row])
    palms = exported_palms(PalmDetector().network)
    square = extract_all(read_photo(photo_file), [Crop(310, 540, 1080), Crop(200, 400, 700, 1.0)], INPUT)
    for alone, together in zip(palms(square[1:]), palms(torch.cat([square] * 4)), strict=True):
        assert torch.equal(alone[0], together[7])


@needed
@torch.inference_mode()
def test_an_answer_does_not_depend_on_threads(crops):
    before, at_work, said = torch.get_num_threads(), [], []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            graph = exported_hand(load_mediapipe_hand()).graph
            at_work.append(graph._compiled.get_property("INFERENCE_NUM_THREADS"))
            said.append(graph(crops[:2])[0])
    finally:
        torch.set_num_threads(before)
    assert at_work[0] == 1 and at_work == sorted(at_work)  # no more than there are cores
    assert said[0].numel() > 100 and torch.equal(said[0], said[1]) and torch.equal(said[0], said[2])


@needed
@torch.inference_mode()
def test_several_threads_may_ask_at_once(crops):
    network = exported_hand(load_mediapipe_hand())
    right, wrong = network(crops).pooled, []

    def ask():
        with torch.inference_mode():
            for _ in range(5):
                wrong.extend([0] if torch.equal(network(crops).pooled, right) else [1])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 20 and not any(wrong)


def test_without_openvino_the_same_hands_to_rounding(model, photo_file, monkeypatch):
    (with_it,) = model.propose(read_photo(photo_file))
    monkeypatch.setattr(exported, "_core", lambda: None)
    network = load_mediapipe_hand()
    assert exported_hand(network) is network and not exported.available() and not exported.available("cuda")
    other = Encoder()  # of no trunks that are known
    assert exported_encoder(other) is other
    plain = annotator.load_model(device="cpu")
    (without,) = plain.propose(read_photo(photo_file))
    assert np.abs(with_it.vertices - without.vertices).max() < 1e-4
    assert plain.finder.landmark_network() is plain.finder.locator


def test_a_finder_can_be_copied_after_use(model, photo_file):
    photo = read_photo(photo_file)
    ((hand,), features) = model.finder.find([photo], [None], [None])[0]
    for other in (copy.deepcopy(model.finder), pickle.loads(pickle.dumps(model.finder))):
        ((again,), same) = other.find([photo], [None], [None])[0]
        assert again.crop == hand.crop and torch.equal(same.pooled, features.pooled)


def test_a_photo_of_many_boxes_is_encoded_in_several_passes(model, photo_file, monkeypatch):
    assert hand_detector.AT_ONCE <= 32
    monkeypatch.setattr(hand_detector, "AT_ONCE", 4)  # fewer boxes, of which each is searched for long, show the same
    passes = []
    encoder = model.finder.encoder()
    forward = type(encoder).forward
    monkeypatch.setattr(type(encoder), "forward", lambda self, x: passes.append(len(x)) or forward(self, x))
    rng = np.random.default_rng(0)
    boxes = [(x, y, x + 200, y + 200) for x, y in rng.uniform(0, 380, (6, 2))]
    ((hands, features),) = model.finder.find([read_photo(photo_file)], [boxes], [None])
    assert len(hands) == len(features.pooled) == 6 and passes[-2:] == [4, 2] and max(passes) <= 4


def test_of_a_picture_and_its_mirror_image_one_is_brighter_left():
    for picture in np.random.default_rng(0).random((20, 30, 31, 3)).astype(np.float32):
        for one in (picture, (255 * picture).astype(np.uint8)):
            assert brighter_left(one) != brighter_left(one[:, ::-1])
