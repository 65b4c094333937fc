"""Real photos of hands that come with the library, for the demo, the first try and the tests.

Where each photo is from and under which licence: README.md in this folder.
"""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def photos() -> list[Path]:
    """The sample photos (39 files with 40 hands), sorted by name."""
    return sorted((FOLDER / "photos").glob("*.jpg"))


def cameras() -> dict[str, dict]:
    """The two calibrated cameras of the two-camera-*.jpg photos, by name ("cam0", "cam1").

    Each has K (3, 3), dist (k1, k2, p1, p2, k3; OpenCV's model), R (3, 3), t (3,) as lists, height and width
    in px: a world point X stands at R X + t in that camera. The unit of t is unknown (about 4 cm, by bones).
    """
    return json.loads((FOLDER / "cameras.json").read_text(encoding="utf-8"))["cameras"]
