"""The pictures of a round's report: the curve over rounds, and hands before and after."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from annotator.files.atomic import put
from annotator.hand.mesh import HandMesh
from annotator.vision.drawing.overlay import shade
from annotator.vision.drawing.skeleton import draw_rings
from annotator.vision.drawing.window import Window

PIXELS, TITLE = 240, 22


def before_after(
    path: Path,
    photos: Sequence[Any],
    hands: Sequence[tuple[HandMesh, HandMesh]],
    places: Sequence[np.ndarray],
    said: Sequence[np.ndarray],
    words: Sequence[tuple[str, str]],
) -> None:
    """A row a hand: the photo, the old model's mesh on it, the new one's; circles are where a person put keypoints.

    photos (H, W, 3) uint8; hands: (before, after); places (21, 2) photo px; said (21,) bool; words: titles of the two.
    """
    rows = []
    for photo, pair, points, known, titles in zip(photos, hands, places, said, words, strict=True):
        window = Window.around(np.concatenate([points, *(hand.keypoints for hand in pair)]), pixels=PIXELS)
        plain = window.picture(photo)
        cells = [_titled(plain, "photo")]
        for hand, title in zip(pair, titles, strict=True):
            picture = shade(hand.vertices, hand.faces, window.matrix @ hand.camera, plain, opacity=0.7)
            cells.append(_titled(draw_rings(picture, window.points(points[known]), 4.0), title))
        rows.append(np.concatenate(cells, 1))
    put(path, partial(Image.fromarray(np.concatenate(rows)).save, format="PNG"))


def _titled(picture: np.ndarray, title: str) -> np.ndarray:
    image = Image.new("RGB", (PIXELS, PIXELS + TITLE), (255, 255, 255))
    image.paste(Image.fromarray(picture), (0, TITLE))
    ImageDraw.Draw(image).text((6, 5), title, fill=(40, 40, 40))
    return np.asarray(image)


def curves(path: Path, rounds: Sequence[dict], log: Path) -> None:
    """Left: the error on held-out hands of each round's parent and child, with the interval of the change. Right: the
    training's errors on what it learned from. rounds: states with a verdict, oldest first."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=110)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for state in rounds:
        found = (state.get("verdict") or {}).get("photo")
        if not found:
            continue
        at, colour = state["round"], "tab:green" if state["promoted"] else "tab:red"
        left.plot([at - 0.5, at], [100 * found["before"], 100 * found["after"]], color=colour, marker="o", markersize=4)
        low, high = (100 * (found["before"] + found[side]) for side in ("low", "high"))
        left.errorbar(
            [at],
            [100 * found["after"]],
            [[max(100 * found["after"] - low, 0)], [max(high - 100 * found["after"], 0)]],
            color=colour,
            capsize=3,
        )
    left.set_xlabel("round (green: promoted)")
    left.set_ylabel("error on held-out hands, % of the box")
    left.set_ylim(0, 1.15 * max(left.get_ylim()[1], 1e-3))
    left.set_xticks([state["round"] for state in rounds])
    left.set_xlim(0.3, max(state["round"] for state in rounds) + 0.3)
    left.grid(alpha=0.3)
    if log.is_file():
        with log.open(newline="") as file:
            lines = [line for line in csv.DictReader(file) if all(line.values())]  # a full disk cuts the last one
        for name, label in (("pixels", "keypoints, px"), ("joints_mm", "joints (replay), mm")):
            right.plot([int(line["step"]) for line in lines], [float(line[name]) for line in lines], label=label)
        right.legend()
    right.set_xlabel("step")
    right.set_ylabel("running error in training")
    right.set_ylim(bottom=0)
    right.grid(alpha=0.3)
    figure.tight_layout()
    put(path, partial(figure.savefig, format="png"))
