"""The converted networks against the outputs of MediaPipe's own files, and what GLFNet needs of the encoder.

data/mediapipe_reference.npz holds three sample photos (100 x 100 px, Apache-2.0,
ardamavi/Sign-Language-Digits-Dataset) and what the .tflite files of the wheel mediapipe 0.10.21 answered, run
by LiteRT, for them and for noise, enlarged to the input size by repeating pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from annotator.detection.palms.palm_detector import PalmDetector
from annotator.errors import InputError
from annotator.network.encoders.mediapipe_hand import MAP_CHANNELS, MediaPipeHand, load_mediapipe_hand
from annotator.network.layers import SameConv, load_weights
from annotator.tools.convert_mediapipe import convert
from annotator.vision.crops import Crop, extract_all
from annotator.vision.photos import read_photo

REFERENCE = Path(__file__).parent / "data" / "mediapipe_reference.npz"


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(REFERENCE, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def network() -> MediaPipeHand:
    return load_mediapipe_hand()


def inputs(reference, size: int) -> torch.Tensor:
    noise = np.random.default_rng(int(reference["noise_seed"])).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    index = np.arange(size) * 100 // size
    pictures = np.stack([photo[index][:, index] for photo in (*reference["photos"], noise)])
    return torch.from_numpy(pictures.astype(np.float32) / 255).permute(0, 3, 1, 2)


def test_hand_network_answers_like_the_original(network, reference):
    with torch.no_grad():
        out = network(inputs(reference, 224))
    original = reference["landmarks"].reshape(-1, 21, 3)
    assert np.abs(out.landmarks[..., :2].numpy() - (original[..., :2] - 0.5)).max() < 5e-4
    assert np.abs(out.landmarks[..., 2].numpy() - original[..., 2]).max() < 5e-4
    assert np.abs(out.world.numpy() - reference["world"].reshape(-1, 21, 3)).max() < 1e-5
    assert np.abs(out.presence.numpy() - reference["presence"]).max() < 1e-5
    assert np.abs(out.right.numpy() - reference["right"]).max() < 2e-5


def test_palm_network_answers_like_the_original(reference):
    with torch.no_grad():
        boxes, logits = PalmDetector().network(inputs(reference, 192))
    assert boxes.shape == (4, 2016, 18)
    assert np.abs(logits.numpy() - reference["palm_logits"]).max() < 1e-3
    top = reference["palm_top"].astype(np.int64)[..., None]
    assert np.abs(np.take_along_axis(boxes.numpy(), top, 1) - reference["palm_boxes"]).max() < 2e-3


def test_the_two_head_outputs_are_not_swapped(network, photo_file):
    """The signing hand is a right hand: its mirror image is a left one, both are hands; a wall is none."""
    photo = read_photo(photo_file)
    found = PalmDetector().detect_in(photo, [Crop(309.5, 539.5, 1080)])
    crop = Crop.from_palm(found[0])
    wall = np.full_like(photo, 120)
    with torch.no_grad():
        out = network(torch.cat([extract_all(photo, [crop, crop.flipped()]), extract_all(wall, [crop])]))
    assert out.right[0] > 0.9 and out.right[1] < 0.1
    assert out.presence[0] > 0.9 and out.presence[1] > 0.9 and out.presence[2] < 0.2


def test_maps_and_pooled_vector_have_their_shapes_and_train(network):
    torch.manual_seed(0)
    student = MediaPipeHand()
    student.load_state_dict(network.state_dict())
    out = student(torch.rand(2, 3, 224, 224))
    for stride, channels in MAP_CHANNELS.items():
        assert out.maps[stride].shape == (2, channels, 224 // stride, 224 // stride)
    assert out.pooled.shape == (2, 1152) and out.pooled.dtype == torch.float32
    (out.landmarks.square().mean() + out.world.square().mean() + out.presence.mean() + out.right.mean()).backward()
    without = [name for name, p in student.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert not without
    assert student.stem.weight.grad.abs().max() > 0
    assert out.maps[8].is_contiguous(memory_format=torch.channels_last)


def test_same_padding_puts_the_odd_pixel_right_and_below():
    layer = SameConv(1, 1, 3, 2, bias=False)
    torch.nn.init.ones_(layer.weight)
    counts = layer(torch.ones(1, 1, 4, 4))[0, 0]
    assert counts.tolist() == [[9, 6], [6, 4]]


def test_wrong_shape_and_wrong_weights_are_named(network, tmp_path):
    with pytest.raises(ValueError, match="expected"):
        network(torch.zeros(1, 3, 192, 192))
    with pytest.raises(InputError, match="nothing.safetensors"):
        load_weights(network, tmp_path / "nothing.safetensors")
    (tmp_path / "text.safetensors").write_text("not a tensor in sight")
    with pytest.raises(InputError, match="text.safetensors"):
        load_weights(network, tmp_path / "text.safetensors")
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="do not fit"):
        load_weights(network, tmp_path / "other.safetensors")


def test_converter_refuses_what_is_no_wheel(tmp_path):
    path = tmp_path / "some.whl"
    path.write_bytes(b"no zip")
    with pytest.raises(InputError, match="some.whl"):
        convert(path, tmp_path / "hand", tmp_path / "palm")
