"""Labels of a project's hands that contradict their meshes, and the door that such hands do not pass unasked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition
from annotator.hand.joints import joint_index
from annotator.hand.mesh import HandMesh
from annotator.project.records.states import OCCLUDED, OUT_OF_FRAME

if TYPE_CHECKING:
    from annotator.correcting.strain import StrainedLabel
    from annotator.project.store import Project


def strained_labels(
    mesh: HandMesh, joint_states: Iterable[str], definition: JointDefinition
) -> tuple[StrainedLabel, ...]:
    """The labels of a hand that contradict its mesh, worst first. A label of a joint that cannot be seen is no
    evidence for the mesh, so it contradicts nothing."""
    if not mesh.corrections:
        return ()
    from annotator.correcting.strain import strained  # only for hands with labels: it brings the solver's room along

    states = tuple(joint_states)
    return tuple(
        one for one in strained(mesh, definition) if states[joint_index(one.joint)] not in (OCCLUDED, OUT_OF_FRAME)
    )


def check_unstrained(project: Project, hand_id: str, force: bool = False) -> None:
    """InputError, naming hand and joint, where a label contradicts the hand's mesh; force: not then either.

    Before a hand is accepted: its mesh is not the hand that was labelled.
    """
    if force:
        return
    hand = project.hand(hand_id)
    if not hand.corrections:
        return
    for one in strained_labels(project.mesh(hand_id), hand.joint_states, project.definition()):
        raise InputError(f"hand {hand_id} is strained at {one.joint}: {one.words} (--force accepts it as it is)")
