"""From labels to a better mesh: which of them the network is asked again with, and from where the solver starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from annotator.correcting import solve
from annotator.correcting.depth.evidence import Evidence
from annotator.correcting.solver import SolverSettings
from annotator.correcting.solver.labels import check_sight, read_labels
from annotator.correcting.subjects.subject import Subject
from annotator.hand.definitions import JointDefinition
from annotator.hand.joint_states import CONFIRMED, PROPAGATED, UNSEEN
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.network.hand_meshes import CachedFeatures

# the network's own answer to prompts: joint number -> (x, y) photo px; see `Model.prompted`
Prompted = Callable[[HandMesh, dict[int, tuple[float, float]]], HandMesh]


def with_features(hand: HandMesh, kept: CachedFeatures, prompted: Prompted) -> HandMesh:
    """The hand with cached features of its crop, and with what the network says of them without a prompt."""
    asked = hand.replace(features=kept)
    if kept.proposal is None:
        unprompted = prompted(asked, {}).replace(features=None)
        asked = hand.replace(features=replace(kept, proposal=unprompted))
    return asked


def refined(
    hand: HandMesh,
    model: HandModel,
    prompted: Prompted,
    merged: dict[int, tuple[float, float]],
    known: Mapping[int, str],
    evidence: Sequence[Evidence],
    exact: bool,
    definition: JointDefinition,
    subject: Subject | None,
) -> HandMesh:
    """See `Model.refine`. merged: all labels, the hand's own among them; known: joint number -> state; both checked."""
    check_sight(merged, hand.camera)
    # told by neighbouring frames: more than the network alone would say of this one, so it is where to begin
    told_elsewhere = PROPAGATED in known.values()
    if told_elsewhere or not isinstance(hand.features, CachedFeatures):
        return solve(hand, model, merged, known, evidence, definition=definition, exact=exact, subject=subject).hand
    # what is confirmed is right where it was in the hand that the person saw, not where the network has it
    held = {k: tuple(hand.keypoints[k]) for k, state in known.items() if state == CONFIRMED and k not in merged}
    if exact:
        told = {k: place for k, place in (merged | held).items() if known.get(k) not in UNSEEN}
        answered = prompted(hand, told).replace(corrections=merged | held, depth_labels=hand.depth_labels)
        pinned = solve(answered, model, {}, known, evidence, exact=True, subject=subject).hand
        return pinned.replace(corrections=merged)
    features = with_features(hand, hand.features, prompted).features
    proposal = features.proposal.replace(features=hand.features)
    joints, places, _, judged = read_labels(proposal, merged, known, SolverSettings(), definition, held=held)
    prompts = {int(k): tuple(place) for k, place in zip(joints[judged.gross], places[judged.gross], strict=True)}
    if prompts:
        proposal = prompted(hand, prompts).replace(features=hand.features)
    start = proposal.replace(corrections={}, depth_labels=hand.depth_labels)
    return solve(start, model, merged, known, evidence, definition=definition, held=held, subject=subject).hand
