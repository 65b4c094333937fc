"""Encoders by name. A package adds its own by an entry point of the group `annotator.encoders`: an `EncoderKind`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from annotator.errors import InputError
from annotator.network.encoders.base import Encoder
from annotator.network.encoders.mediapipe import MediaPipeEncoder
from annotator.network.encoders.timm_backbone import TimmEncoder
from annotator.network.encoders.tuned import TunedMediaPipeEncoder
from annotator.registry import Registry


@dataclass(frozen=True)
class EncoderKind:
    """name: as in a configuration, before any colon. summary: one line. build: makes it; argument: called with what is
    behind the colon in `name:ARGUMENT`, else with nothing. What an encoder can do it says itself (see `Encoder`)."""

    name: str
    summary: str
    build: Callable[..., Encoder]
    argument: bool = False


ENCODERS = Registry[EncoderKind](
    "encoder",
    "annotator.encoders",
    (
        EncoderKind("mediapipe", "MediaPipe's hand landmark network; all of it learns", MediaPipeEncoder),
        EncoderKind(
            "mediapipe-tuned",
            "the same with a second trunk that learns; its landmarks stay (shipped)",
            TunedMediaPipeEncoder,
        ),
        EncoderKind("timm", "`timm:NAME`, a backbone of timm; its weights are not downloaded", TimmEncoder, True),
    ),
)


def build_encoder(name: str) -> Encoder:
    """The encoder of this name, `NAME` or `NAME:ARGUMENT`; InputError if there is none."""
    kind, colon, argument = name.partition(":")
    if kind not in ENCODERS or ENCODERS[kind].argument != bool(colon):
        expected = [f"'{one.name}:NAME'" if one.argument else f"'{one.name}'" for one in ENCODERS]
        raise InputError(f"unknown encoder '{name}': expected {', '.join(expected[:-1])} or {expected[-1]}")
    return ENCODERS[kind].build(argument) if colon else ENCODERS[kind].build()
