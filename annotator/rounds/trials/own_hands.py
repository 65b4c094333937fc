"""A project's own accepted hands as a test: what proposals of them are worth, and what corrections bring.

Only keypoints that a person set or confirmed count. The mesh that was accepted stands for the truth where a mesh is
needed: it is as good as its labels, and where nobody said anything it is what a network proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from annotator.correcting.simulation.simulated import Truth
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition, frames_of
from annotator.hand.mesh import HandMesh
from annotator.model import Model
from annotator.network.hand_meshes import CachedFeatures
from annotator.project import Project
from annotator.rounds.reading import PhotoReader
from annotator.rounds.retraining import samples
from annotator.rounds.retraining.samples import Sample
from annotator.rounds.selection.candidates import look
from annotator.rounds.settings import RoundSettings
from annotator.rounds.storage import current_checkpoint
from annotator.vision.crops import Crop

NEAR = 0.05  # of the hand's box: a keypoint this near its label is right for most uses
LEAST = 3  # keypoints by a person from which a hand is worth a simulated annotation


def own_samples(project: Project, held_only: bool = True) -> tuple[list[Sample], str]:
    """(hands, which they are in words). held_only: once a round was promoted, only those that no round learns from.
    InputError: nothing was accepted that a person said something of."""
    wanted = RoundSettings()
    taken = samples.taken(project, wanted.least_gold, wanted.held)
    if held_only and current_checkpoint(project) is not None:
        found, words = taken.held, f"held out of rounds: {taken.kind}"
    else:
        found, words = [*taken.train, *taken.held], "all accepted hands with keypoints by a person"
    if not found:
        cannot = taken.left_out
        more = f"; {len(cannot)} accepted hands cannot tell, as {cannot[0][0]}: {cannot[0][1]}" if cannot else ""
        raise InputError(f"{project.folder} has no accepted hand with a keypoint that a person set or confirmed{more}")
    return found, words


def proposals(model: Model, found: Sequence[Sample]) -> Iterator[tuple[Sample, HandMesh]]:
    """What the model says now of each hand's crop, nothing told; with features. Photos that cannot be read are
    passed over."""
    reader = PhotoReader()
    for one in found:
        photo = reader.read(one.photo.path)
        if photo is not None:
            hand = look(model, photo, Crop.of_hand(one.mesh), one.mesh.camera, views=False).hand
            yield one, CachedFeatures.with_proposal(hand)


def rows(
    project: Project, model: Model, found: Sequence[Sample], progress: Callable[[int], None] = lambda _n: None
) -> list[dict]:
    """Errors against what people said, for `annotator evaluate`: of the hands as proposed then, of what the model
    proposes now, and of the meshes as accepted, each with joints where the mesh has them and where the project means
    them."""
    definition = project.definition()
    now = []
    for number, pair in enumerate(proposals(model, found)):
        now.append(pair)
        progress(number + 1)
    read = [one for one, _ in now]
    if not read:
        raise InputError(f"no photo of {project.folder}'s accepted hands can be read")
    estimates = {
        "as proposed": [project.proposal(one.id) for one in read],
        "as this model proposes": [hand for _, hand in now],
        "as accepted": [one.mesh for one in read],
    }
    made = []
    for name, hands in estimates.items():
        made.append(row(name, hands, read, None))
        if definition.moves:
            made.append(row(f"{name}, read by {definition.name}", hands, read, definition))
    return made


def row(name: str, hands: Sequence[HandMesh], found: Sequence[Sample], definition: JointDefinition | None) -> dict:
    """Distances of the keypoints from where people put them: px of the photo, % of the hand's box, and the share within
    5 % of it; each hand counts alike."""
    pixels, shares, near = [], [], []
    for hand, one in zip(hands, found, strict=True):
        said = one.weights > 0
        meant = hand.keypoints if definition is None else definition.keypoints(hand)
        off = np.linalg.norm(meant - one.places, axis=1)[said]
        box = max(float(np.ptp(one.places, axis=0).max()), 1.0)
        pixels.append(off.mean())
        shares.append(off.mean() / box)
        near.append((off < NEAR * box).mean())
    return {
        "estimate": name, "hands": len(pixels), "keypoints": int(sum(one.weights.sum() for one in found)),
        "px": round(float(np.mean(pixels)), 3), "box_percent": round(100 * float(np.mean(shares)), 3),
        "within_5_percent": round(float(np.mean(near)), 4),
    }  # fmt: skip


def fit_for_trials(model: Model, found: Sequence[Sample]) -> list[Sample]:
    """Those that a simulated annotator can correct: of the model's own hand model, with at least `LEAST` keypoints by a
    person."""
    return [one for one in found if one.weights.sum() >= LEAST and one.mesh.hand_model == model.hand.name]


def own_trials(model: Model, found: Sequence[Sample]) -> Iterator[tuple[HandMesh, Truth]]:
    """The model's proposal of each hand, and what stands for the truth: the accepted mesh, and the keypoints of people
    as what can be seen."""
    for one, hand in proposals(model, found):
        frames = frames_of(one.mesh.parameters.pose)
        yield hand, Truth(one.places, one.weights > 0, one.mesh.vertices, one.mesh.joints, frames)
