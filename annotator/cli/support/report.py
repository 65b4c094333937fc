"""The report: one HTML page with every hand's photo, mesh, side view and keypoints; no scripts."""

from __future__ import annotations

import base64
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from annotator.errors import InputError
from annotator.hand.joints import FINGERS, JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.vision.camera import project
from annotator.vision.overlay import heat, orbit, shade
from annotator.vision.skeleton import FINGER_COLOURS, draw_arrow, draw_rings, draw_skeleton
from annotator.vision.window import Window

PIXELS = 240
UNSURE = 0.015  # m: a vertex this unsure, or more, is shown in full red

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; background: #fafafa; margin: 2rem auto;
       max-width: 1560px; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin: 0 0 .2rem }
.hand { background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: .8rem 1rem; margin: 1rem 0 }
.pictures { display: flex; flex-wrap: wrap; gap: 10px; margin-top: .5rem }
figure { margin: 0; width: 240px } figcaption { font-size: .8rem; color: #555 }
img { display: block; max-width: 100% }
.state { border-radius: 3px; padding: 0 .4em; font-size: .85rem; font-weight: 600; background: #ddd }
.accepted { background: #cdeccd } .rejected { background: #f3cccc }
table { border-collapse: collapse }
td, th { text-align: left; padding: .15rem .9rem .15rem 0; vertical-align: top }
p { margin: .2rem 0 } .swatch { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em }
"""


@dataclass(frozen=True, eq=False)
class ReportedHand:
    """A hand as the report shows it.

    photo (H, W, 3) uint8; before: the network's proposal; after: what is stored now (the same if nobody
    touched it);
    joint_states: 21; state: of the hand; remarks: lines of plain text.
    """

    id: str
    photo_name: str
    photo: np.ndarray
    before: HandMesh
    after: HandMesh
    joint_states: Sequence[str]
    state: str
    remarks: Sequence[str] = field(default_factory=tuple)


def write_report(
    path: str | Path,
    title: str,
    facts: Mapping[str, object],
    hands: Iterable[ReportedHand],
    without: Iterable[tuple[str, str, np.ndarray | None]] = (),
) -> int:
    """Write the page; how many hands it shows.

    facts: the table at its head. hands are drawn one by one as they come. without: photos that gave no hand,
    as (name, why, photo or None). The file appears only when it is whole. InputError if it cannot be written.
    """
    path = Path(path)
    part = path.with_suffix(path.suffix + ".part")
    shown = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "w", encoding="utf-8") as file:
            file.writelines(_head(title, facts))
            for hand in hands:
                file.write(_card(hand))
                shown += 1
            file.writelines(_without(without))
            file.write("</body></html>\n")
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return shown


def hand_pictures(hand: ReportedHand, pixels: int = PIXELS) -> list[tuple[str, np.ndarray]]:
    """(caption, picture (pixels, pixels, 3) uint8) of one hand, in the order of the report."""
    before, after = hand.before, hand.after
    seen = [before.keypoints, after.keypoints, project(after.vertices, after.camera)]
    seen += [np.array([place]) for place in after.corrections.values()]
    window = Window.around(np.concatenate(seen), 1.12, pixels)
    photo, K = window.picture(hand.photo), window.matrix @ after.camera
    mesh = shade(after.vertices, after.faces, K, photo, 0.75)
    unsure = shade(after.vertices, after.faces, K, photo, 0.9, heat(after.vertex_sigma, 0.0, UNSURE))
    proposed = draw_skeleton(photo, window.points(before.keypoints))
    pictures = [
        ("photo", photo),
        ("mesh", mesh),
        ("the same mesh from the right", orbit(after.vertices, after.faces, 90, pixels)),
    ]
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
    pictures.append((f"how unsure: blue 0, red {1000 * UNSURE:.0f} mm", unsure))
    return pictures


def _head(title: str, facts: Mapping[str, object]) -> Iterator[str]:
    yield f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n<table>"
    for name, value in facts.items():
        yield f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
    yield "</table>\n<p>Fingers:"
    for finger, colour in zip(FINGERS, FINGER_COLOURS, strict=True):
        yield f'<span class="swatch" style="background: rgb{colour}"></span>{finger}'
    yield "</p>\n"


def _card(hand: ReportedHand) -> str:
    after = hand.after
    worst = int(np.argmax(after.keypoint_sigma))
    states = ", ".join(f"{count} {state}" for state, count in sorted(Counter(hand.joint_states).items()))
    lines = [
        f"{after.side} hand in {hand.photo_name}; confidence {after.confidence:.2f}; keypoints: {states}",
        f"sigma of the keypoints: median {np.median(after.keypoint_sigma):.1f} px, "
        f"largest {after.keypoint_sigma[worst]:.1f} px ({JOINT_NAMES[worst]})",
        *hand.remarks,
    ]
    css = hand.state if hand.state in ("accepted", "rejected") else ""
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    figures = "".join(
        f'<figure><img width="{PIXELS}" height="{PIXELS}" alt="{escape(caption)}" src="{_embedded(picture)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, picture in hand_pictures(hand)
    )
    heading = f'<h2>{escape(hand.id)} <span class="state {css}">{escape(hand.state)}</span></h2>'
    return f'<section class="hand">{heading}{text}<div class="pictures">{figures}</div></section>\n'


def _without(photos: Iterable[tuple[str, str, np.ndarray | None]]) -> Iterator[str]:
    figures = []
    for name, why, photo in photos:
        image = ""
        if photo is not None:
            small = Image.fromarray(photo)
            small.thumbnail((PIXELS, PIXELS))
            image = f'<img alt="{escape(name)}" src="{_embedded(np.asarray(small))}">'
        figures.append(f"<figure>{image}<figcaption>{escape(name)}: {escape(why)}</figcaption></figure>")
    if figures:
        yield '<section class="hand"><h2>Photos without a hand</h2><div class="pictures">'
        yield from figures
        yield "</div></section>\n"


def _embedded(picture: np.ndarray) -> str:
    """The picture as a data address: JPEG, about 10 kB."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=86)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
