"""How the project's people mean the joints: learned from a round's labels, and the labels read through it.

What labels share is no error of the network, and weights cannot learn it: joints are regressed from the mesh by fixed
numbers. It is kept beside the round's checkpoint (`project.definitions`) and taken out of what the weights learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import chi2

from annotator.correcting.accuracy import label_sigma
from annotator.correcting.defining import learn_definition
from annotator.errors import InputError
from annotator.evaluation.bootstrap import Paired
from annotator.hand.definitions import JointDefinition
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.learning.data.photos import KeypointTable
from annotator.model import Model
from annotator.project.definitions import FILE, read
from annotator.rounds.retraining import samples
from annotator.rounds.retraining.judging import WIDE, answers, errors
from annotator.rounds.settings import RoundSettings
from annotator.rounds.storage import write_json

LABELS, READ = Path("samples", "train"), Path("samples", "read")  # as people set them; as the weights learn from them
ENOUGH = 10  # taught hands without which, where nobody can judge it, a definition is not adopted


@dataclass(frozen=True)
class Learned:
    """definition: what a round learned; before: what was in force when it learned."""

    definition: JointDefinition
    before: JointDefinition


def learn(
    parent: Model, folder: Path, before: JointDefinition, name: str, progress: Callable[[int], None] | None = None
) -> dict:
    """Learns the definition of the people who labelled a round's hands, and writes it and the labels read by it; what
    its file says.

    The hands are the parent's proposals: they do not follow the labels. Only keypoints that a person corrected or
    confirmed count.
    """
    table, crops, _ = samples.read(folder / LABELS)
    hands = answers(parent, table, crops, progress)
    definition = shared(table, hands, before, name)
    as_ours(table, hands, definition).save(folder / READ)
    lengths = 1000 * np.linalg.norm(definition.offsets, axis=1)
    values = {
        "definition": definition.as_dict(), "adopted": False, "learned_from": definition.hands,
        "parent": parent.digest, "before": before.as_dict(),
        "offsets_mm": {joint: round(float(mm), 2) for joint, mm in zip(JOINT_NAMES, lengths, strict=True)},
    }  # fmt: skip
    write_json(folder / FILE, values)
    return values


def shared(table: KeypointTable, hands: Sequence[HandMesh], before: JointDefinition, name: str) -> JointDefinition:
    """The definition that the table's labels share against proposals of its hands.

    It is learned twice, the second time without the hands whose labels lie `WIDE` times as far from it as is typical:
    wrong corrections that are alike would draw it, and hands that the model does not see rightly say nothing of it.
    """
    points = np.where((table.weight > 0)[..., None], table.keypoints, np.nan)
    first = learn_definition(hands, list(points), name=name, prior=before)
    off = errors(list(hands), table, first).photo
    points[off > WIDE * np.nanmedian(off)] = np.nan  # NaN, a hand without a label, is not
    return learn_definition(hands, list(points), name=name, prior=before)


def learned(folder: Path) -> Learned:
    """What `learn` wrote. InputError if the file is damaged."""
    values = read(folder / FILE)
    if "before" not in values:
        raise InputError(f"{folder / FILE} is damaged: it does not say what held before")
    return Learned(JointDefinition.from_dict(values["definition"]), JointDefinition.from_dict(values["before"]))


def adopt(folder: Path) -> None:
    """From now on the definition of this round is the project's."""
    write_json(folder / FILE, read(folder / FILE) | {"adopted": True})


def as_ours(table: KeypointTable, hands: Sequence[HandMesh], definition: JointDefinition) -> KeypointTable:
    """Labels where our own joints would have been set, by proposals of the same hands; each counts as it is accurate: a
    joint of which nobody knows how it is meant counts little."""
    keypoints, weight = np.array(table.keypoints, np.float64), np.array(table.weight, np.float64)
    for at, hand in enumerate(hands):
        said = weight[at] > 0
        keypoints[at, said] = definition.as_ours(keypoints[at], hand)[said]
        sigma = label_sigma(hand, definition)
        weight[at] *= (sigma.min() / sigma) ** 2
    return replace(table, keypoints=keypoints, weight=weight)


def adoption(found: Learned, held: Paired | None, settings: RoundSettings) -> tuple[bool, str]:
    """Whether what was learned is to become the project's definition, and by which rule.

    held: errors of the parent on held-out hands, read by the definition before and by the new one. Where they are at
    least `least_gold`, the error must have fallen with the settings' confidence. With fewer, at least `ENOUGH` taught
    hands must say that the joints lie elsewhere: offsets larger than their spread, as a whole, by a chi-squared test.
    """
    if held is not None and held.n >= settings.least_gold:
        why = (
            f"read by the learned definition the parent's error on {held.n} held-out hands is {100 * held.after:.2f} % "
            f"of the box, {100 * held.before:.2f} by the one before: lower with confidence {held.better:.2f}"
        )
        adopted = held.better >= settings.confidence
        return adopted, why if adopted else f"{why} only, {settings.confidence:g} is asked for"
    new, few = found.definition, held.n if held is not None else 0
    moved = np.linalg.norm(new.offsets - found.before.offsets, axis=1)
    told = moved > 1e-9
    beyond = float((moved[told] ** 2 / new.spread[told] ** 2).sum())
    sure = float(chi2.cdf(beyond, 3 * told.sum())) if told.any() else 0.0
    why = f"{few} held-out hands cannot tell; {new.hands} taught hands put the joints elsewhere with confidence "
    why += f"{sure:.2f}"
    if new.hands < ENOUGH:
        return False, f"{why}: at least {ENOUGH} are asked for"
    return sure >= settings.confidence, why if sure >= settings.confidence else f"{why} only"
