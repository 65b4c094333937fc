"""A small project with a video and two tracks, as `annotator track` would leave it, without the network."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_videos import video

from annotator.project import Project, Provenance
from annotator.project.entering.intake import Header, prepare
from annotator.project.tracks import TrackedProposal
from annotator.tracking.trajectories.motion import curves_of, hand_at
from annotator.vision.video import open_video

COUNT, RATE = 24, 10.0
GAP, BRIDGED, JUMPED = (9, 10, 11), (15, 16), 19  # frames of the first track


def moving_hands(first, hand_model, count: int = COUNT) -> list:
    """A hand that wanders to the right and bends a finger."""
    curves = curves_of([first] * count, np.arange(count) / RATE, hand_model)
    angles = np.array(curves.angles)
    angles[:, 0] += 0.02 * np.arange(count)
    steps = 0.002 * np.arange(count)[:, None] * (1, 0, 0)
    curves = curves.changed(angles=angles, place=curves.place + steps)
    return [hand_at(curves, row, first, hand_model) for row in range(count)]


def tracked_project(folder: Path, photo_file: Path, make_hand, hand_model, count: int = COUNT) -> Path:
    """A project in `folder` with clip.mp4 beside it: track 1, a right hand with a gap, two bridged frames and a jump;
    track 2, a left hand from frame 4 on."""
    size = (310, 540)
    picture = Image.open(photo_file).convert("RGB").resize(size)
    frames = [np.roll(np.asarray(picture), 2 * k, 1) for k in range(count)]
    source = open_video(video(folder.parent / "clip.mp4", frames))
    right = moving_hands(make_hand(4, size=size[::-1]).replace(corrections={}), hand_model, count)
    left = moving_hands(
        make_hand(7, "left", size=size[::-1], move=(0.05, 0.0)).replace(corrections={}), hand_model, count
    )
    with Project.create(folder) as project:
        one, two = project.new_tracks(2)
        stored = []
        for k in range(count):
            hands = []
            if k not in GAP:
                kind, reasons, sure = "seen", (), 0.8
                if k in BRIDGED:
                    kind, reasons, sure = "bridged", ("not seen",), 0.3
                elif k in (GAP[0] - 1, GAP[-1] + 1):
                    reasons = ("gap",)
                elif k == JUMPED:
                    reasons, sure = ("jump",), 0.4
                hands.append(TrackedProposal(prepare(right[k].replace(confidence=sure)), one, kind, reasons))
            if k >= 4:
                hands.append(TrackedProposal(prepare(left[k].replace(confidence=0.7)), two))
            stored.append((Header.of(source.place(k).as_path().absolute(), (size[1], size[0])), hands))
        project.add_tracked(stored, Provenance("test", "d" * 64), "m" * 64)
    return folder
