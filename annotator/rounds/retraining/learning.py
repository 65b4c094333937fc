"""The learning of a round, from its samples to its checkpoint: what several processes can share."""

from __future__ import annotations

from pathlib import Path

from annotator.learning import distributed
from annotator.learning.data.photos import KeypointPhotos
from annotator.learning.data.rendered import RenderedCrops
from annotator.network.checkpoint import load_checkpoint, resolve_device, save_checkpoint
from annotator.rounds.retraining import defining, judging
from annotator.rounds.retraining.replay import Part
from annotator.rounds.retraining.training import blended, fine_tune, source_of
from annotator.rounds.settings import RoundSettings
from annotator.rounds.storage import CHECKPOINT


def learn(
    start, folder: Path, replay: Path, own_replay: bool, s: RoundSettings, device, card: dict, tell=None, train=True
):
    """Features of the round's samples and of replay, then, if `train`, fine-tuning and its checkpoint; in every one of
    the processes that train together."""
    tell = tell or (lambda *_: None)
    network = load_checkpoint(start)[0]
    read = folder / defining.READ
    new = KeypointPhotos(read if read.is_dir() else folder / defining.LABELS)  # a round begun before there was reading
    old = Part(RenderedCrops(replay), s.old, s.old + s.replayed)
    # features up to where nothing learns are the same in every round of a project with the same encoder
    kept = folder.parent / f"replay-features-{network.config.encoder.replace(':', '-')}-{s.replayed}"
    kept = folder / "features" / "replay" if own_replay else kept
    prepared = lambda n, all: tell("features", n, all, {})  # noqa: E731
    source = source_of(network, new, old, s, folder / "features" / "new", kept, prepared)
    if not train:
        return
    target = distributed.own_device(resolve_device(device))
    told = lambda n, all, numbers: tell("train", n, all, numbers)  # noqa: E731
    network = fine_tune(network, source, folder / "training", s, target, card, told)
    if distributed.processes().first:
        network, half = network.cpu(), s.old // 2
        known = lambda one: float(judging.old_errors(one, replay, half).mean())  # noqa: E731
        share = blended(network, load_checkpoint(start)[0], known, s.drift)
        save_checkpoint(folder / CHECKPOINT, network, card | {"blend": share})
    distributed.wait()
