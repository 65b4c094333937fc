"""One hand as a card of a report, and what of it goes into filters and plots."""

from __future__ import annotations

import base64
import io
from collections import Counter
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image

from annotator.hand.joints import JOINT_NAMES
from annotator.reporting.pictures import PIXELS, ReportedHand, hand_pictures

QUALITY = 86  # of JPEGs: a picture of 240 px takes about 10 kB


@dataclass(frozen=True)
class Card:
    """A hand, drawn. html: its section of a page; row: see `row_of`; corrected: joints that a person put; kinds: of
    doubts; unsure: m, typical of the mesh."""

    html: str
    row: dict[str, str | float]
    corrected: tuple[str, ...]
    kinds: frozenset[str]
    unsure: float


def drawn(hand: ReportedHand) -> Card:
    """The hand as a card."""
    return Card(
        card(hand), row_of(hand), tuple(JOINT_NAMES[joint] for joint in hand.after.corrections),
        frozenset(kind for kind, _ in hand.doubts), float(np.median(hand.after.vertex_sigma)),
    )  # fmt: skip


def row_of(hand: ReportedHand) -> dict[str, str | float]:
    """What the filters of a page know of a hand: plain values for JSON or `data-` attributes."""
    doubts = "; ".join(words for _, words in hand.doubts).replace("_", " ")
    return {
        "id": hand.id,
        "state": hand.state,
        "side": hand.after.side,
        "confidence": round(hand.after.confidence, 2),
        "corrections": len(hand.after.corrections),
        "severity": round(hand.severity, 2),
        "photo": hand.photo_name,
        "kinds": " ".join(kind for kind, _ in hand.doubts),
        "doubts": doubts,
        "text": f"{hand.id} {hand.photo_name} {doubts}",
    }


def card(hand: ReportedHand) -> str:
    """The hand's section of a page, its pictures inside it."""
    after = hand.after
    worst = int(np.argmax(after.keypoint_sigma))
    states = ", ".join(f"{count} {state}" for state, count in sorted(Counter(hand.joint_states).items()))
    lines = [
        f"{after.side} hand in {hand.photo_name}; confidence {after.confidence:.2f}; keypoints: {states}",
        f"sigma of the keypoints: median {np.median(after.keypoint_sigma):.1f} px, "
        f"largest {after.keypoint_sigma[worst]:.1f} px ({JOINT_NAMES[worst]})",
        *hand.remarks,
    ]
    text = "".join(f'<p class="doubt">look: {escape(words.replace("_", " "))}</p>' for _, words in hand.doubts)
    text += "".join(f"<p>{escape(line)}</p>" for line in lines)
    figures = "".join(
        f'<figure><img width="{PIXELS}" height="{PIXELS}" alt="{escape(caption)}" src="{embedded(picture)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for caption, picture in hand_pictures(hand)
    )
    css = hand.state if hand.state in ("accepted", "rejected", "flagged") else ""
    heading = f'<h2>{escape(hand.id)} <span class="state {css}">{escape(hand.state)}</span></h2>'
    data = " ".join(f'data-{name}="{escape(str(value))}"' for name, value in row_of(hand).items())
    return (
        f'<section class="hand" id="{escape(hand.id)}" {data}>{heading}{text}'
        f'<div class="pictures">{figures}</div></section>\n'
    )


def bare_photos(photos) -> str:
    """A section of photos that gave no hand: (name, why, photo or None) each; nothing if there are none."""
    figures = []
    for name, why, photo in photos:
        image = ""
        if photo is not None:
            small = Image.fromarray(photo)
            small.thumbnail((PIXELS, PIXELS))
            image = f'<img alt="{escape(name)}" src="{embedded(np.asarray(small))}">'
        figures.append(f"<figure>{image}<figcaption>{escape(name)}: {escape(why)}</figcaption></figure>")
    if not figures:
        return ""
    return (
        '<section class="hand"><h2>Photos without a hand</h2><div class="pictures">'
        + "".join(figures)
        + "</div></section>\n"
    )


def embedded(picture: np.ndarray) -> str:
    """The picture as a data address: JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
