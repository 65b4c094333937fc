"""Settings of training that had other names once: configurations and rounds that were written then are still read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.errors import InputError

# the old name -> the field's term for it
RENAMED = {
    "rate": "learning_rate",
    "encoder_rate": "encoder_learning_rate",
    "average": "ema_decay",
    "blind": "drop_landmarks",
    "unseen": "drop_image",
}


def with_new_names(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Settings by their names of today. InputError, naming `where`, for one that is given under both."""
    twice = [old for old, new in RENAMED.items() if old in values and new in values]
    if twice:
        raise InputError(f"{where}: '{twice[0]}' is the old name of '{RENAMED[twice[0]]}', and both are given")
    return {RENAMED.get(name, name): value for name, value in values.items()}
