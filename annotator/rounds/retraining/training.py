"""Fine-tuning on a round's samples and replay: banks of the encoder's fixed part, then some hundred steps.

The same few lines serve a project's round and the experiments: whoever has two banks of features (new hands, replay)
gets a network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from annotator.learning.data.bank import FeatureBank
from annotator.learning.data.sources import BankSource, CropSet, CropSource, Source, in_batches
from annotator.learning.losses import LossWeights
from annotator.learning.trainer import Trainer, TrainSettings
from annotator.network.checkpoint import resolve_device
from annotator.network.glfnet import GLFNet
from annotator.rounds.settings import RoundSettings

# as in the recipe of the shipped model (learning/configs/default.toml)
LOSSES = LossWeights(keypoints=8.0, shape=0.05)
SHARES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15)


def train_settings(settings: RoundSettings) -> TrainSettings:
    """The trainer's settings of a round; what is hidden and spoilt is as in the shipped model's recipe."""
    return TrainSettings(
        steps=settings.steps, batch=settings.batch, learning_rate=settings.learning_rate,
        encoder_learning_rate=settings.encoder_learning_rate,
        warmup=settings.warmup, ema_decay=settings.ema_decay, simulated=0.8, drop_landmarks=0.1, drop_image=0.1,
        mixed_styles=0.3, seed=settings.seed, save_every=60.0,
    )  # fmt: skip


def source_of(
    network: GLFNet,
    new: CropSet,
    replay: CropSet,
    settings: RoundSettings,
    folder: Path,
    replay_folder: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Source:
    """Batches of both, `settings.replay` of each from replay. Where the encoder's stem never learns, from banks on disk
    (those that are there are used), else from crops."""
    shares = [1 - settings.replay, settings.replay]
    if settings.encoder_learning_rate > 0 and not network.encoder.kept_stem:
        return CropSource([new, replay], shares)
    network.encoder.eval()
    wanted = [(new, folder, len(new) * settings.looks), (replay, replay_folder, len(replay))]
    total, done, banks = sum(count for *_, count in wanted), 0, []
    for crops, place, count in wanted:
        if not FeatureBank.there(place):

            def told(batches, before=done):
                at = before
                for crops_of_batch, labels in batches:
                    if progress is not None and at:
                        progress(at, total)
                    yield crops_of_batch, labels
                    at = min(at + len(crops_of_batch), total)

            FeatureBank.build(place, network.encoder.stem, told(in_batches(crops, count, seed=settings.seed)), count)
        banks.append(FeatureBank(place))
        done += count
        if progress is not None:
            progress(done, total)
    return BankSource(banks, shares)


def fine_tune(
    network: GLFNet,
    source: Source,
    folder: Path,
    settings: RoundSettings,
    device: torch.device | str | None = None,
    card: dict | None = None,
    progress: Callable[[int, int, dict], None] | None = None,
) -> GLFNet:
    """Trains `network` in place (its averaged weights are what comes back, in evaluation mode); goes on in `folder`
    where an interrupted run stopped. Ctrl-C saves first."""
    network.train()
    trainer = Trainer(network, source, folder, train_settings(settings), LOSSES, resolve_device(device), card)
    trainer.resume()
    return trainer.run(progress).eval()


@torch.no_grad()
def blended(network: GLFNet, start: GLFNet, error: Callable[[GLFNet], float], drift: float) -> float:
    """Draws `network` toward the weights it had at the `start`, as little as needed for `error` (on what was known
    before) to grow by at most `drift`; the share of the fine-tuned weights that is left, the last of `SHARES` if none
    is enough.

    Weights in between keep most of what is new and nearly all of what was known (Wortsman et al. 2022, 'Robust
    fine-tuning of zero-shot models').
    """
    allowed = error(start) * (1 + drift)
    old = dict(start.named_parameters())
    tuned = {name: value.detach().clone() for name, value in network.named_parameters()}
    for share in SHARES:
        for name, value in network.named_parameters():
            value.copy_(torch.lerp(old[name].to(value), tuned[name], share))
        if error(network) <= allowed:
            break
    return share
