"""A right hand followed as a left one: what its frames say of the side, and what holds together in them."""

from __future__ import annotations

import sys

import numpy as np
from tables import markdown
from worlds.tracks import Studio, truth_keypoints

from annotator.model import Model
from annotator.tracking.following import FOLLOWING
from annotator.tracking.following.paths import SeenHand
from annotator.tracking.following.weighing import MOST, for_right
from annotator.tracking.siding import again, word_of
from annotator.vision.crops import Crop
from tracked.rendered import KINDS

SEEDS = range(501, 509)


def measured(model: Model, short: bool) -> dict:
    """How often frames that follow the wrong side, and how often what holds together in them, say the right one."""
    studio, rows = Studio(model.hand), []
    for number, seed in enumerate(list(SEEDS)[: 2 if short else None]):
        count, rate, fast = KINDS[number % len(KINDS)]
        one = studio.sequence(seed, count, rate, fast)
        place, words, pairs = truth_keypoints(one)[0], [], []
        for k, photo in enumerate(one.photos):
            seen = SeenHand.of(model.answer_in(photo, [Crop.from_landmarks(place, True)], one.K)[0])
            place = seen.landmarks if seen.presence >= FOLLOWING.presence else truth_keypoints(one)[k]
            words.append(word_of(seen.right, seen.presence))
            if k % (count // MOST) == 0:
                pairs.append((again(model, photo, [seen.hand], ["right"], one.K)[0], seen.hand))
        rows.append([seed, float(np.mean(words)), for_right(pairs)])
        print(f"\rsides {len(rows)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    values = np.array(rows)[:, 1:]
    head = ["followed as the wrong side", "says the right one", "least margin", "median margin"]
    names = ("its frames, log odds each", "what holds together, log")
    table = [
        [name, f"{(column > 0).sum()} of {len(rows)}", f"{column.min():.2f}", f"{np.median(column):.2f}"]
        for name, column in zip(names, values.T, strict=True)
    ]
    print(markdown(head, table))
    return {"rows": rows}
