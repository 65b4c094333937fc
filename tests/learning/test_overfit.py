"""Ten real photos, 21 keypoints each, no mesh: the whole network must be able to learn them by heart."""

from __future__ import annotations

import numpy as np
import torch
from annotator.sample_data import photos

from annotator.hand import load_hand
from annotator.hand.layer import HandLayer
from annotator.learning.bank import FeatureBank
from annotator.learning.evaluation import answers, scores
from annotator.learning.photos import KeypointPhotos
from annotator.learning.real_sets import UNKNOWN, row, table_of, teach_photo
from annotator.learning.sources import in_batches
from annotator.learning.supervision import LossWeights
from annotator.learning.trainer import Trainer, TrainSettings
from annotator.network.glfnet import GLFNet
from annotator.network.mediapipe_hand import load_mediapipe_hand
from annotator.vision.camera import default_camera
from annotator.vision.palm import PalmDetector
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
        rows.append(row(str(path), taught[0], UNKNOWN, taught[1], False, path.name, 0.0))
        rows[-1]["weight"] = np.ones(21)
        if len(rows) == 10:
            break
    table_of(rows).save(tmp_path)
    crops = KeypointPhotos(tmp_path, jitter=False)
    glfnet = GLFNet()
    before = scores(answers(glfnet, crops))[-2]
    assert before["error_over_box"] > 0.1  # an untrained network does not know where the hands are
    bank = FeatureBank.build(tmp_path / "bank", glfnet.encoder, in_batches(crops, len(crops)), len(crops))
    settings = TrainSettings(steps=450, batch=10, rate=1e-3, warmup=40, average=0.9, prompts=False)
    weights = LossWeights(joints=0.0)
    Trainer(glfnet, AllOfThem(bank), tmp_path / "run", settings, weights).run()
    run = answers(glfnet, crops)
    pixels = np.linalg.norm(run.estimates[-1].keypoints - run.labels.keypoints.numpy(), axis=-1)
    assert pixels.mean() < 2.0, f"mean error {pixels.mean():.2f} px of 224"
    # and what was learned is a hand: no bone has been stretched to reach a keypoint
    joints = run.estimates[-1].joints
    bones = np.linalg.norm(joints[:, 5] - joints[:, 0], axis=-1)
    model = load_hand()
    rest = HandLayer(model).joints(torch.tensor(model.template.copy())[None].float())[0].numpy()
    expected = np.linalg.norm(rest[5] - rest[0])
    assert (bones > 0.7 * expected).all() and (bones < 1.4 * expected).all()
