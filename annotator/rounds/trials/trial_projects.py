"""Projects to try rounds on: rendered photos whose truth is known, answered by a simulated person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from annotator.correcting import solve
from annotator.model import Model
from annotator.project import Project, Provenance
from annotator.project.records.states import ACCEPTED
from annotator.rounds.selection.candidates import look
from annotator.synthetic.shards import SyntheticShards
from annotator.vision.crops import MIDDLE, Crop

NOISE = 1.5  # px of the 224 px crop: a person's click, one sigma per axis


def camera_of(focal: float) -> np.ndarray:
    """(3, 3) intrinsics of a rendered photo."""
    return np.array([[focal, 0.0, MIDDLE], [0.0, focal, MIDDLE], [0.0, 0.0, 1.0]])


def add_rendered(project: Project, model: Model, shards: SyntheticShards, numbers: Iterable[int]) -> list[str]:
    """Photos of these numbers as files in the project's folder, each with the model's proposal; the hands' ids."""
    folder, crop, ids = project.folder / "rendered", Crop(MIDDLE, MIDDLE, 224.0), []
    folder.mkdir(parents=True, exist_ok=True)
    provenance = Provenance("trial", model.digest)
    for number in numbers:
        path = folder / f"hand-{number:05d}.jpg"
        path.write_bytes(shards.jpeg(number))
        photo = shards.image(number)
        seen = look(model, photo, crop, camera_of(float(shards.labels["focal"][number])), views=False)
        ids.append(project.add_proposal(project.add_photo(path, photo.shape[:2]), seen.hand, provenance))
    return ids


def answer(
    project: Project,
    hand_id: str,
    keypoints: np.ndarray,
    joints: Sequence[int],
    model: Model,
    random: np.random.Generator,
    wrong: bool = False,
    noise: float = NOISE,
) -> None:
    """A person puts these keypoints where they belong (but for a hand's noise), the mesh follows, the hand is accepted.

    keypoints (21, 2) photo px: the truth. wrong: the answers are somebody else's: places of a hand turned by a third.
    """
    places = np.asarray(keypoints, np.float64)
    if wrong:
        middle, turn = places.mean(0), np.array([[-0.5, -0.87], [0.87, -0.5]])
        places = (places - middle) @ turn.T + middle
    given = {int(k): tuple((places[k] + random.normal(0, noise, 2)).tolist()) for k in joints}
    mesh = solve(project.mesh(hand_id), model.hand, given).hand
    project.edit(hand_id, mesh.replace(corrections=given))
    project.set_state(hand_id, ACCEPTED)
