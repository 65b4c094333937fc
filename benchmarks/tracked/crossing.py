"""Two people's hands that cross each other: identities, and whether wrong ones are flagged."""

from __future__ import annotations

import numpy as np
from tables import markdown
from worlds.tracks import Studio, crossing

from annotator.model import Model
from annotator.tracking import track_frames
from tracked.motion import frames_of

SEEDS = range(41, 43)


def measured(model: Model, short: bool) -> dict:
    """Two hands that cross: the share of frames in which each track is the hand that it was first; flagged swaps."""
    studio = Studio(model.hand)
    right, total, swaps, unflagged, missing = 0, 0, 0, 0, 0
    for seed in list(SEEDS)[: 1 if short else None]:
        world = crossing(studio, seed, 100 if short else 375, 25.0)
        tracks = track_frames(model, frames_of(world.photos, world.seconds), world.K)
        owners: dict[int, int] = {}
        seen = np.zeros((2, len(world.photos)), bool)
        for track in tracks:
            before = None
            flagged = False
            for entry in track.hands:
                apart = np.linalg.norm(world.keypoints[:, entry.frame] - entry.hand.keypoints, axis=-1).mean(-1)
                flagged = flagged or bool(entry.reasons)
                owner = int(apart.argmin())
                if (
                    entry.kind == "seen"
                    and apart[owner] < 0.5 * np.ptp(world.keypoints[owner, entry.frame], axis=0).max()
                ):
                    first = owners.setdefault(track.id, owner)
                    right, total = right + (owner == first), total + 1
                    seen[owner, entry.frame] = True
                    if before is not None and owner != before:
                        swaps += 1
                        unflagged += not flagged
                        flagged = False
                    before = owner
        missing += int((~seen & world.visible).sum())
    result = {
        "frames": total,
        "right": right / max(total, 1),
        "swaps": swaps,
        "unflagged": unflagged,
        "missing": missing,
    }
    head = ["two hands crossing", "hands tracked", "the right one", "swaps", "not flagged", "visible, not tracked"]
    shown = [str(total), f"{100 * result['right']:.1f} %", str(swaps), str(unflagged), str(missing)]
    print(markdown(head, [["", *shown]]))
    return result
