"""Tracked videos beside `propose` frame by frame, on the same frames in the same run:

    python benchmarks/tracks.py DATA OUT [--parts rendered,sides,signing,cameras,crossing,economy] [--short]

DATA holds `sign-language-video/` and `two-camera-hand/` as their authors publish them. Rendered sequences are made by
`worlds.tracks` from the seeds in `tracked/`, which are frozen: settings were chosen on others (101 to 112, 201 to 206).

    rendered   16 sequences, natural and fast motion, 25 and 60 frames a second: errors of joints, jitter
    sides      8 other sequences of a right hand, followed as a left one from the true place on: what its frames say,
               and as what it holds together
    signing    a real video: jitter in its quiet stretches and over all, time a frame of both ways, one after the other
    cameras    two real cameras: PA-MPJPE of one camera's joints to those that were triangulated from both
    crossing   two people's hands that cross each other: identities, and whether wrong ones are flagged
    economy    corrections of 4 keypoints in 8 % of the frames, propagated, beside the same in every frame

Quiet stretches are those in which MediaPipe's own world landmarks of the video (published beside it, not ours) move
less than `signing.QUIET` a second; jitter is the second difference of joints beside the wrist, 95th percentile.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch
from tracked import cameras, crossing, economy, rendered, sides, signing

from annotator.model import load_model


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parts", default="rendered,sides,signing,cameras,crossing,economy")
    parser.add_argument("--short", action="store_true", help="a quick look: few and short sequences")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    model = load_model(device="cpu")
    ways = {
        "rendered": lambda: rendered.measured(model, options.short),
        "sides": lambda: sides.measured(model, options.short),
        "signing": lambda: signing.measured(model, options.data, options.short),
        "cameras": lambda: cameras.measured(model, options.data, options.short),
        "crossing": lambda: crossing.measured(model, options.short),
        "economy": lambda: economy.measured(model, options.short),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "tracks.json"
    results = json.loads(file.read_text()) if file.is_file() else {}
    for part in options.parts.split(","):
        results[part] = ways[part]()
        file.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
