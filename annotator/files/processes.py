"""Whether the process that left something behind is still there."""

from __future__ import annotations

import os


def alive(process: int | str) -> bool:
    """Whether a process of this machine has this number; False for what is no number."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True
