"""How a keypoint looks: its finger by hue, its state by shape and fill, the same number of screen pixels at any zoom.

Finger and state never share a code, so neither is guessed from the other, with any eyes: the fingers' hues are told
apart by people with the common colour blindnesses (after Okabe and Ito), the states without any colour.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.vision.drawing.skeleton import KEYPOINT_COLOURS

SIZE, BORDER = 11.0, 0.24  # px on the screen; the ring's share of it
FULL, SMALLEST = 260.0, 4.0  # px on the screen: a hand smaller than that has smaller markers, down to these
RECOMMENDED = "diamond"
DARK, LIGHT = (0.05, 0.05, 0.05, 0.55), (1.0, 1.0, 1.0, 1.0)
# state -> (symbol, fill, what stands for it in a line of text); hollow: nobody set it, filled: somebody's word
LOOKS = {
    "proposed": ("disc", DARK, "○"),
    "corrected": ("disc", LIGHT, "●"),
    "confirmed": ("square", LIGHT, "■"),
    "occluded": ("x", DARK, "✕"),
    "out of frame": ("triangle_up", DARK, "△"),
    "propagated": ("star", DARK, "☆"),
}
RINGS = np.array([(*colour, 255) for colour in KEYPOINT_COLOURS]) / 255  # (21, 4)
LABEL_COLOUR = "#ffffff"  # of a line from a label to the mesh
STRAINED_COLOUR = "#ff4b3e"  # of a line to a joint that no plausible hand has where it was set
FINGERS = ("thumb", "index", "middle", "ring", "little")


def fills(states: Sequence[str]) -> np.ndarray:
    """(21, 4) 0..1."""
    return np.array([LOOKS[state][1] for state in states])


def symbols(states: Sequence[str], recommended: int | None) -> list[str]:
    """Of each keypoint; the one worth correcting is a diamond while nobody has set it."""
    found = [LOOKS[state][0] for state in states]
    if recommended is not None and states[recommended] in ("proposed", "propagated"):
        found[recommended] = RECOMMENDED
    return found


def legend() -> str:
    """Both codes as HTML."""
    states = " ".join(f"{sign}&nbsp;{state}" for state, (_, _, sign) in LOOKS.items())
    fingers = " ".join(
        f'<span style="color:rgb{tuple(KEYPOINT_COLOURS[4 * at + 1])}">■</span>&nbsp;{name}'
        for at, name in enumerate(FINGERS)
    )
    return f"{states} ◇&nbsp;look&nbsp;here&nbsp;first<br>{fingers}"
