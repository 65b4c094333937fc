"""Ten real photos, 21 keypoints each, no mesh: the whole network must be able to learn them by heart."""

from __future__ import annotations

import numpy as np
import torch
from annotator.sample_data import photos

from annotator.detection.palms.palm_detector import PalmDetector
from annotator.hand import load_hand
from annotator.hand.joints import BONES
from annotator.learning.data.bank import FeatureBank
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.sources import in_batches
from annotator.learning.real_sets.building import UNKNOWN, row, table_of, teach_photo
from annotator.learning.scoring import answers, scores
from annotator.learning.trainer import Trainer, TrainSettings
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.network.glfnet import GLFNet, GLFNetConfig
from annotator.vision.camera import default_camera
from annotator.vision.photos import read_photo


class AllOfThem:
    """Every step sees all ten hands, with the encoder's features computed once."""

    def __init__(self, bank: FeatureBank):
        self.drawn = bank.batch(torch.arange(len(bank)))

    def draw(self, batch, generator):
        return self.drawn


def test_ten_photos_with_keypoints_alone_are_learned_to_two_pixels(tmp_path):
    torch.manual_seed(0)
    network, detector = load_mediapipe_hand().eval(), PalmDetector()
    rows = []
    for path in [p for p in photos() if p.name.startswith("digit")]:
        photo = read_photo(path)
        taught = teach_photo(photo, default_camera(*photo.shape[:2]), network, detector)
        if taught is None:
            continue
        rows.append(row(str(path), taught[0], UNKNOWN, taught[1], False, path.name, 1.0))
        if len(rows) == 10:
            break
    table_of(rows).save(tmp_path)
    crops = KeypointPhotos(tmp_path, jitter=False)
    glfnet = GLFNet(GLFNetConfig(levels=(0,), strides=(32,)))
    before = scores(answers(glfnet, crops))[-2]
    assert before["error_over_box"] > 0.1  # an untrained network does not know where the hands are
    bank = FeatureBank.build(tmp_path / "bank", glfnet.encoder, in_batches(crops, len(crops)), len(crops))
    settings = TrainSettings(steps=450, batch=10, learning_rate=1.5e-3, warmup=40, ema_decay=0.9, prompts=False)
    Trainer(glfnet, AllOfThem(bank), tmp_path / "run", settings).run()
    run = answers(glfnet, crops)
    pixels = np.linalg.norm(run.estimates[-1].keypoints - run.labels.keypoints.numpy(), axis=-1)
    pixels = pixels[run.labels.keypoint_weight.numpy() > 0.3]  # what the teacher itself believes in
    assert len(pixels) > 150
    assert pixels.mean() < 2.0, f"mean error {pixels.mean():.2f} px of 224"
    # and what was learned is a hand: no bone was stretched against the others to reach a keypoint (size is free)
    joints = run.estimates[-1].joints
    model = load_hand()
    expected = bone_shares(model.joints(model.template)[None])
    assert np.abs(bone_shares(joints) / expected - 1).max() < 0.35


def bone_shares(joints: np.ndarray) -> np.ndarray:
    """Lengths of the 20 bones of hands (N, 21, 3) as shares of their sum."""
    lengths = np.stack([np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) for a, b in BONES], 1)
    return lengths / lengths.sum(1, keepdims=True)
