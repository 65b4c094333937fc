"""What a round does, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from annotator.errors import InputError


@dataclass(frozen=True)
class RoundSettings:
    """steps, batch, learning_rate, encoder_learning_rate, warmup, ema_decay: of the fine-tuning, see
    `learning.trainer.TrainSettings`.

    drift: by how much the error on what was known may grow in one round's training: the round goes from the parent's
    weights toward the fine-tuned ones only as far as that allows (see `training.blended`).
    replay: share of every batch from what the model knew before; replayed: how many such photos there are; looks: crops
    of each accepted hand (moved, turned, recoloured); least: accepted hands with a keypoint set by a person that a
    round needs; least_gold: held-out hands that a decision needs; held: one accepted hand in so many is held out where
    there are fewer gold hands than that; confidence: of the paired bootstrap (one-sided) that the error fell;
    forgotten: by how much the error on half of the `old` replayed photos, which no round learns from, may grow (the
    other half measures `drift`); contradicted: share of the accepted hands that may contradict what the others and the
    held-out ones teach (see `judging.contradicting`), checked: how many of them are looked at; pictures: before and
    after, how many; seed: of all.
    """

    steps: int = 200
    batch: int = 32
    learning_rate: float = 1e-4
    encoder_learning_rate: float = 3e-5
    warmup: int = 20
    ema_decay: float = 0.98
    drift: float = 0.01
    replay: float = 0.5
    replayed: int = 1500
    old: int = 300
    looks: int = 4
    least: int = 1
    least_gold: int = 10
    held: int = 5
    confidence: float = 0.95
    forgotten: float = 0.03
    contradicted: float = 0.15
    checked: int = 300
    pictures: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (field.name in ("steps", "batch", "looks", "replayed", "old", "held") and value < 1):
                raise InputError(f"round setting {field.name} is {value}")
        if not 0 < self.replay < 1 or not 0.5 <= self.confidence < 1:
            raise InputError("round settings: replay must be within 0..1 and confidence within 0.5..1")
        if self.old < 2:
            raise InputError(f"round setting old is {self.old}: at least 2 are needed")
        if self.batch < 4:
            raise InputError(f"round setting batch is {self.batch}: at least 4 are needed")
