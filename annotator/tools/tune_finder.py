"""Teaches the finder gloves and hands that hold things, on rendered hands over backgrounds (docs/model-card.md).

python -m annotator.tools.tune_finder bank RENDERS --count 6300
python -m annotator.tools.tune_finder palms RENDERS dressed_palms.safetensors --photos DATA
python -m annotator.tools.tune_finder presence RENDERS dressed_presence.safetensors --photos DATA
python -m annotator.tools.tune_finder judge RENDERS answered_judge.safetensors --photos DATA

The judge is fitted to the trunk of the shipped network, and asks the palm networks that are in place.
DATA: photos and videos with bare hands that may be trained on; places without hands are the medians of its videos by a
camera that stands still.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save_file

import annotator
from annotator.detection.palms.palm_detector import PalmDetector
from annotator.learning.detection import judging
from annotator.learning.detection.bank import KINDS, read_bank, write_bank
from annotator.learning.detection.palms import tuned
from annotator.learning.detection.pictures import Pictures
from annotator.learning.detection.presence import fitted, looks
from annotator.network.encoders.exported_hand import exported_hand
from annotator.network.encoders.mediapipe_hand import load_mediapipe_hand
from annotator.vision.photos import read_photo
from annotator.vision.video import open_video

STEP, MOST = 8, 47  # frames: every so many of a video, and how many of it
EVERY = 3  # photos: one of so many
AGAIN = 5  # of what was drawn so, what the judge is shown: one of so many


def frames(video: Path) -> list[np.ndarray]:
    source = open_video(video)
    return [source.read(int(number)) for number in source.numbers[::STEP][:MOST]]


def shown(folder: Path | None, still: str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The photos, frames of videos among them, and the medians of videos whose name holds `still`."""
    if folder is None:
        return [], []
    videos = sorted(folder.rglob("*.mp4"))
    clips = {video: frames(video) for video in videos}
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    photos = [np.array(read_photo(file)) for file in files[::EVERY]]
    places = [np.median(np.stack(own), 0).astype(np.uint8) for video, own in clips.items() if still in video.name]
    return photos + [frame for own in clips.values() for frame in own], places


def told(step: int, value: float) -> None:
    if step % 40 == 0:
        print(f"step {step}: loss {value:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    bank = kinds.add_parser("bank", help="renders hands")
    bank.add_argument("--count", type=int, default=6300)
    palms = kinds.add_parser("palms", help="tunes the palm network")
    presence = kinds.add_parser("presence", help="fits the presence")
    judge = kinds.add_parser("judge", help="fits what judges crops")
    for one in (bank, palms, presence, judge):
        one.add_argument("renders", type=Path)
        one.add_argument("--seed", type=int, default=1)
    palms.add_argument("--minutes", type=float, default=17)
    presence.add_argument("--count", type=int, default=2800)
    judge.add_argument("--count", type=int, default=4000)
    for one in (palms, presence, judge):
        one.add_argument("out", type=Path)
        one.add_argument("--photos", type=Path)
        one.add_argument("--still", default="cam", help="what names of videos with a standing camera hold")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.kind == "bank":
        write_bank(options.renders, options.count, options.seed)
        return
    rng = np.random.default_rng(options.seed)
    cutouts = read_bank(options.renders, tuple(KINDS))
    photos, places = shown(options.photos, options.still)
    if options.kind == "palms":
        teacher = PalmDetector().network
        learned = tuned(teacher, Pictures(rng, cutouts, photos, places), 60 * options.minutes, told)
        weights = learned.state_dict()
        save_file({name: value.half().contiguous() for name, value in weights.items()}, options.out)
        return
    if options.kind == "judge":
        model = annotator.load_model(device="cpu")
        seen = judging.followed(rng, model.finder, cutouts, photos[::AGAIN], places, options.count)
        save_arrays(judging.fitted(seen, model.network.encoder), options.out)
        return
    network = load_mediapipe_hand()
    layer = fitted(looks(rng, exported_hand(network), cutouts, places, options.count), network)
    save_file({name: value.contiguous() for name, value in layer.state_dict().items()}, options.out)


if __name__ == "__main__":
    main()
