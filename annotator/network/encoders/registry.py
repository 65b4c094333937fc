"""Encoders by name."""

from __future__ import annotations

from annotator.errors import InputError
from annotator.network.encoders.base import Encoder
from annotator.network.encoders.mediapipe import MediaPipeEncoder
from annotator.network.encoders.timm_backbone import TimmEncoder
from annotator.network.encoders.tuned import TunedMediaPipeEncoder


def build_encoder(name: str) -> Encoder:
    """`mediapipe`, `mediapipe-tuned`, or `timm:NAME` for a backbone of timm (its weights are not downloaded)."""
    if name == "mediapipe":
        return MediaPipeEncoder()
    if name == "mediapipe-tuned":
        return TunedMediaPipeEncoder()
    if name.startswith("timm:"):
        return TimmEncoder(name.removeprefix("timm:"))
    raise InputError(f"unknown encoder '{name}': expected 'mediapipe', 'mediapipe-tuned' or 'timm:NAME'")
