"""The pictures of one hand: photo, mesh, side view, keypoints, uncertainty; one by one, or on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from annotator.hand.joint_states import UNSEEN
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.vision.camera import project
from annotator.vision.drawing.overlay import heat, orbit, shade
from annotator.vision.drawing.skeleton import draw_arrow, draw_rings, draw_skeleton
from annotator.vision.drawing.window import Window

PIXELS = 240
UNSURE = 0.015  # m: a vertex this unsure, or more, is shown in full red
CAPTION = 18  # px of the line under a picture of a sheet
PAPER, INK = (250, 250, 250), (40, 40, 40)


@dataclass(frozen=True, eq=False)
class ReportedHand:
    """A hand as people see it.

    photo (H, W, 3) uint8, None where it cannot be shown; before: the network's proposal; after: what is stored now (the
    same if nobody touched it); joint_states: 21; state: of the hand; remarks: lines of plain text; doubts: (kind,
    words) of why somebody should look at it, weightiest first; severity: of the weightiest (above 1 is a reason).
    """

    id: str
    photo_name: str
    photo: np.ndarray | None
    before: HandMesh
    after: HandMesh
    joint_states: Sequence[str]
    state: str
    remarks: Sequence[str] = field(default_factory=tuple)
    doubts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    severity: float = 0.0


def hand_pictures(hand: ReportedHand, pixels: int = PIXELS) -> list[tuple[str, np.ndarray]]:
    """(caption, picture (pixels, pixels, 3) uint8) of one hand, in the order of the report. Without its photo, what
    can be drawn on plain ground."""
    before, after = hand.before, hand.after
    unsure = heat(after.vertex_sigma, 0.0, UNSURE)
    beside = [("the same mesh from the right", orbit(after.vertices, after.faces, 90, pixels))]
    if hand.photo is None:
        front = orbit(after.vertices, after.faces, 0, pixels)
        sigma = orbit(after.vertices, after.faces, 0, pixels, unsure)
        return [("mesh", front), *beside, (f"how unsure: blue 0, red {1000 * UNSURE:.0f} mm", sigma)]
    seen = [before.keypoints, after.keypoints, project(after.vertices, after.camera)]
    seen += [np.array([place]) for place in after.corrections.values()]
    window = Window.around(np.concatenate(seen), 1.12, pixels)
    photo, K = window.picture(hand.photo), window.matrix @ after.camera
    pictures = [("photo", photo), ("mesh", shade(after.vertices, after.faces, K, photo, 0.75)), *beside]
    proposed = draw_skeleton(photo, window.points(before.keypoints))
    if not after.corrections:
        pictures.append(("keypoints proposed, none corrected", proposed))
    else:
        names = ", ".join(JOINT_NAMES[joint] for joint in after.corrections)
        for joint, place in after.corrections.items():
            proposed = draw_arrow(proposed, window.points(before.keypoints[joint]), window.points(np.array(place)))
        refined = draw_skeleton(photo, window.points(after.keypoints))
        refined = draw_rings(refined, window.points(np.array(list(after.corrections.values()))), 7.0)
        pictures.append((f"keypoints before; to be moved: {names}", proposed))
        pictures.append(("keypoints after; rings: where they were put", refined))
    surface = shade(after.vertices, after.faces, K, photo, 0.9, unsure)
    pictures.append((f"how unsure: blue 0, red {1000 * UNSURE:.0f} mm", surface))
    return pictures


def sheet(hand: ReportedHand, pixels: int = 2 * PIXELS) -> np.ndarray:
    """All pictures of a hand on one, with a heading, captions and what is doubtful: (H, W, 3) uint8, two rows."""
    pictures = hand_pictures(hand, pixels)
    columns = (len(pictures) + 1) // 2
    gap = 8
    said = f"{hand.id}: {hand.state}; {hand.after.side} hand in {hand.photo_name}"
    lines = [
        f"{said}; confidence {hand.after.confidence:.2f}",
        *(f"look: {words.replace('_', ' ')}" for _, words in hand.doubts),
    ]
    width = columns * (pixels + gap) + gap
    top = CAPTION * len(lines) + gap
    image = Image.new("RGB", (width, top + 2 * (pixels + CAPTION + gap)), PAPER)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((gap, gap // 2 + row * CAPTION), _fitting(draw, line, width - 2 * gap), INK)
    for at, (caption, picture) in enumerate(pictures):
        x = gap + (at % columns) * (pixels + gap)
        y = top + (at // columns) * (pixels + CAPTION + gap)
        image.paste(Image.fromarray(picture), (x, y))
        draw.text((x, y + pixels + 2), _fitting(draw, caption, pixels), INK)
    return np.asarray(image)


def whole_photo(hand: ReportedHand) -> np.ndarray:
    """The hand's mesh and keypoints on all of its photo, (H, W, 3) uint8. The hand must have its photo."""
    assert hand.photo is not None
    after = hand.after
    picture = shade(after.vertices, after.faces, after.camera, hand.photo, 0.75)
    wide = max(1.0, max(picture.shape[:2]) / 640)
    picture = draw_skeleton(picture, after.keypoints, 1.6 * wide)
    told = [place for joint, place in after.corrections.items() if hand.joint_states[joint] not in UNSEEN]
    return draw_rings(picture, np.array(told).reshape(-1, 2), 6.0 * wide, width=1.6 * wide)


def _fitting(draw: ImageDraw.ImageDraw, text: str, width: int) -> str:
    """The text, cut where it is wider than that. The font that is always there knows Latin-1 alone."""
    text = text.encode("latin-1", "replace").decode("latin-1")
    if draw.textlength(text) <= width:
        return text
    while text and draw.textlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
