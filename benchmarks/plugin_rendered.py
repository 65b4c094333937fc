"""Actions and seconds a hand in the plugin's window: rendered hands are labelled by real mouse and keys.

    xvfb-run -a -s "-screen 0 1280x800x24" python benchmarks/plugin_rendered.py DATA [--hands 100]

DATA: where the rendered hands are made on first use (`annotator.synthetic.generate`, seed 900001). The person is
ideal, as in `plugin_first_use`: knows where the joints are that are seen, drags the one that is farthest off until none
is farther than 0.04 of the crop, then accepts; 1.0 s a drag, 0.3 s a key. A hand whose labels the window doubts is
rejected, and two stops. The network's landmarks have the noise of real photos.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""  # napari's own settings; nothing of this run is kept

import napari
import numpy as np
from PIL import Image
from plugin_first_use import SECONDS, SIZE, Person, label
from tables import markdown

import annotator
from annotator.project import Project, Provenance
from annotator.rounds.trials.rendered_proposals import rendered_hands
from annotator.synthetic.generate import generate
from annotator.synthetic.shards import SyntheticShards

SEED = 900001


def project_of(folder: Path, data: Path, count: int, model) -> dict[str, np.ndarray]:
    """A project of so many rendered hands; where their joints are, id -> (21, 2) photo px,
    NaN where they are hidden."""
    pictures, truth = SyntheticShards(data), {}
    with Project.create(folder) as project:
        for number, (hand, true) in enumerate(rendered_hands(model, data, count)):
            path = folder / f"rendered-{number:03d}.png"
            Image.fromarray(pictures.image(number)).save(path)
            photo = project.add_photo(path)
            (hand_id,) = project.add_proposals(photo, [hand], Provenance("rendered", model.digest))
            truth[hand_id] = np.where(true.visible[:, None], true.keypoints, np.nan)
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--hands", type=int, default=100)
    arguments = parser.parse_args()
    # in a process of its own: the renderer's OpenGL and the window's cannot share one
    with ProcessPoolExecutor(1, get_context("spawn")) as rendering:
        rendering.submit(generate, arguments.data, arguments.hands, SEED).result()
    napari.settings.get_settings().application.gui_notification_level = "error"
    viewer = napari.Viewer(show=True, title="hand mesh annotator")
    _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
    person = Person(widget, widget.arrangement.window, None)
    person.window.resize(*SIZE)
    person.rest(1.0)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        truth = project_of(Path(folder) / "project", arguments.data, arguments.hands, annotator.load_model())
        widget.open_project(Path(folder) / "project")
        while len(rows) < len(truth):
            before, hand_id = person.did.copy(), widget.session.hand.id
            label(person, truth[hand_id], most=22)
            if widget.session.project.hand(hand_id).state != "accepted":  # the window asked whether it is plausible
                person.key("r")
                stored = widget.session.project.hand
                person.wait(
                    f"{hand_id} is not rejected by R",
                    lambda hand_id=hand_id, stored=stored: stored(hand_id).state == "rejected",
                    10,
                )
            did = person.did - before
            rows.append((did["drag"], did["key"], sum(SECONDS[kind] * count for kind, count in did.items())))
            print(hand_id, dict(did), file=sys.stderr, flush=True)
            if len(person.stops) > len(rows) // 5 + 4:
                break
        widget.close_project()
        viewer.close()
    drags, keys, seconds = np.array(rows).T
    actions = drags + keys
    print(markdown(("rendered hands", "drags a hand", "actions a hand", "most", "seconds a hand", "of one key"),
                   [(len(rows), f"{drags.mean():.2f}", f"{actions.mean():.2f}", int(actions.max()),
                     f"{seconds.mean():.2f}", int((actions == 1).sum()))]))  # fmt: skip
    print(f"{len(person.stops)} stops", *(f"\n- {stop}" for stop in person.stops))


if __name__ == "__main__":
    main()
