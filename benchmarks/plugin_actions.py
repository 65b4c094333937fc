"""What a hand costs an ideal person in the window: drags and keys over 100 rendered hands, by real mouse and keys.

    xvfb-run -a -s "-screen 0 1280x800x24" python benchmarks/plugin_actions.py [--hands 100] [--seed 7] [--true]

Every second hand has two fingertips wrong: a mesh that was bent until they are 0.15 of the crop beside where the
network had them, and the person wants them back there. --true: nothing is made wrong; the person wants the rendered
hand's own keypoints, and the network's errors are its own. The person drags the worst keypoint that is farther off
than 0.04 of the crop, and accepts when none is. Seconds are 1.0 a drag, 0.3 a key. A dialog that nobody asked for or a
drag without effect is a stop.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

os.environ["NAPARI_CONFIG"] = ""  # napari's own settings; nothing of this run is kept

import napari
import numpy as np
from plugin_person import NOTICED, Person, label, seconds_of, spoil
from tables import markdown

import annotator
from annotator.project import Project
from annotator.rounds.trials.trial_projects import add_rendered
from annotator.synthetic.shards import SyntheticShards
from annotator.vision.crop_size import CROP_SIZE

SIZE = (1280, 800)
HEAD = ("wrong keypoints at first", "hands", "drags, mean", "drags, most", "keys, most", "actions a hand", "s a hand")


def build(folder: Path, count: int, seed: int, true: bool) -> dict[str, np.ndarray]:
    """A project of so many rendered hands; where each hand's joints are wanted, id -> (21, 2) photo px."""
    # in a process of its own: a window's OpenGL and that of the renderer cannot share one
    command = [sys.executable, "-m", "annotator.synthetic.generate", str(folder / "rendered")]
    subprocess.run([*command, "--count", str(count), "--seed", str(seed)], check=True)
    shards = SyntheticShards(folder / "rendered")
    with Project.create(folder / "project") as project:
        ids = add_rendered(project, annotator.load_model(), shards, range(count))
        if true:
            keypoints = shards.labels["keypoints"][:count].astype(float)
            inside = ((keypoints > 0) & (keypoints < CROP_SIZE - 1)).all(2)
            return dict(zip(ids, np.where(inside[..., None], keypoints, np.nan), strict=True))
        return spoil(project, ids, np.random.default_rng(seed))[0]


def group(mesh, wanted: np.ndarray) -> str:
    """How many keypoints of a proposal are wrong, as a row of the table."""
    wrong = int((np.linalg.norm(mesh.keypoints - wanted, axis=1) > NOTICED * mesh.crop_size).sum())
    return str(wrong) if wrong < 3 else "3 to 5" if wrong < 6 else "6 and more"


def rows(did: dict[str, list[Counter[str]]]) -> list[list]:
    table = []
    for name in sorted(did):
        many = did[name]
        drags, keys = ([one[kind] for one in many] for kind in ("drag", "key"))
        actions, seconds = np.mean([sum(one.values()) for one in many]), np.mean([seconds_of(one) for one in many])
        table.append(
            [name, len(many), f"{np.mean(drags):.2f}", max(drags), max(keys), f"{actions:.2f}", f"{seconds:.1f}"]
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--hands", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--true", action="store_true", help="the rendered hands' own keypoints are wanted")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wanted = build(Path(folder), arguments.hands, arguments.seed, arguments.true)
        napari.settings.get_settings().application.gui_notification_level = "error"
        viewer = napari.Viewer(show=True)
        _, widget = viewer.window.add_plugin_dock_widget("hand-mesh-annotator", "Hand annotator")
        person = Person(widget, widget.arrangement.window, None)
        widget.arrangement.window.resize(*SIZE)
        widget.open_project(Path(folder) / "project")
        person.wait("the network is not there", lambda: widget.background.model is not None)
        did = defaultdict(list)
        while len(wanted) > sum(map(len, did.values())) and not person.stops:
            session = widget.session
            person.wait("the network does not look at the hand", lambda s=session: s.wants_features() is None, 30)
            person.rest(0.4)  # keys one upon the other would be text
            before, hand_id = person.did.copy(), session.hand.id
            name = group(session.mesh, wanted[hand_id])
            label(person, wanted[hand_id])
            did[name].append(person.did - before)
        widget.close_project()
        viewer.close()
    print(markdown(HEAD, rows(did) + rows({"all": [one for many in did.values() for one in many]})))
    print(f"{len(person.stops)} stops", *(f"\n- {stop}" for stop in person.stops))


if __name__ == "__main__":
    main()
