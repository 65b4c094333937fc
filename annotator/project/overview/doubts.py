"""What a person should look at in a hand, and why: for queues, lists and reports alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from annotator.hand.definitions import JointDefinition
from annotator.hand.joint_states import UNSEEN
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh, ParametricEstimate
from annotator.hand.model import HandModel

if TYPE_CHECKING:
    from annotator.correcting.plausibility import Reason

GUESSED = "guessed"  # the kind of a side that nobody said


def doubts(
    mesh: HandMesh,
    model: HandModel,
    joint_states: Iterable[str],
    definition: JointDefinition | None = None,
    guessed_side: bool = False,
) -> tuple[Reason, ...]:
    """Why a person should look at a hand: labels that contradict the mesh, a side that was only guessed, then the
    weightiest of `correcting.plausibility`.

    model: of the mesh; joint_states: 21 (a label of what cannot be seen is no evidence, so it contradicts nothing);
    definition: how the project means the joints.
    """
    from annotator.correcting.plausibility import Reason, reasons  # it brings the solver's room along

    states = tuple(joint_states)
    told = {joint: place for joint, place in mesh.corrections.items() if states[joint] not in UNSEEN}
    mesh = mesh.replace(corrections=told)
    if mesh.parametric is None:  # not stored: then the comparison with that stage has nothing to say
        mesh = mesh.replace(parametric=ParametricEstimate(mesh.vertices, mesh.joints, mesh.keypoints))
    found = list(reasons(mesh, model, definition=definition))
    if guessed_side:
        words = f"nobody said which hand it is: {mesh.side!r} is the network's guess"
        found.append(Reason(GUESSED, 1.0, 0.5, "", words))
    return tuple(sorted(found, key=lambda one: (one.kind != "strain", one.kind != GUESSED)))


def least_sure(mesh: HandMesh) -> str:
    """The joint that the network is least sure of."""
    return JOINT_NAMES[int(mesh.keypoint_sigma.argmax())]
