"""What an edit makes of a hand: pure functions from the record before to the record after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from annotator.errors import InputError
from annotator.hand.joints import ByJoint, joint_index
from annotator.hand.mesh import HandMesh
from annotator.project.records.meshes import find_hand_model, record_of
from annotator.project.records.record import HandRecord
from annotator.project.records.states import CORRECTED, IN_WORK, PROPOSED, check_joint_states


def edited(row, before: HandRecord, mesh: HandMesh | None, joint_states) -> HandRecord:
    """The record after an edit. An edited hand is in work, whatever it was: what was accepted is not this any
    more.

    row: the hand's list entry (its hand model cannot change). A joint whose correction is new or moved
    becomes 'corrected', one whose correction is gone 'proposed', unless `joint_states` says otherwise.
    """
    if mesh is None and joint_states is None:
        raise InputError("an edit needs a mesh, joint states, or both")
    if mesh is None:
        return replace(before, joint_states=_named(before.joint_states, joint_states), state=IN_WORK)
    model = find_hand_model(row.hand_model, row.hand_model_digest)
    if find_hand_model(mesh.hand_model).digest != model.digest:
        raise InputError(f"hand {row.id} is of hand model {row.hand_model!r}, the edit is of {mesh.hand_model!r}")
    states = list(before.joint_states)
    for joint in range(21):
        was, now = before.corrections.get(joint), mesh.corrections.get(joint)
        if now is not None and now != was:
            states[joint] = CORRECTED
        elif now is None and was is not None and states[joint] == CORRECTED:
            states[joint] = PROPOSED
    return record_of(mesh, model, _named(tuple(states), joint_states), IN_WORK)


def with_state(before: HandRecord, state: str) -> HandRecord:
    """The same hand in another state."""
    return replace(before, state=state)


def _named(states: tuple[str, ...], changes: ByJoint[str] | Iterable[str] | None) -> tuple[str, ...]:
    """`states` with the changed joints; changes may also be all 21."""
    if changes is None:
        return states
    if not isinstance(changes, Mapping):
        return check_joint_states(changes)
    changed = list(states)
    for joint, state in changes.items():
        changed[joint_index(joint)] = state
    return check_joint_states(changed)
