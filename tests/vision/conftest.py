"""A small video."""

from __future__ import annotations

import pytest
from small_videos import pictures, video


@pytest.fixture
def clip(tmp_path):
    """Two seconds at ten frames a second."""
    return video(tmp_path / "a hand.mp4", pictures(20))
