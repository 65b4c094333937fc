"""Files of a FreiHAND folder."""

from __future__ import annotations

import json


def load(folder, name):
    """What training_NAME.json holds."""
    return json.loads((folder / f"training_{name}.json").read_text())
