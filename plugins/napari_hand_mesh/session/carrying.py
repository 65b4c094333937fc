"""What a person said of a hand, carried over to another mesh of it: proposed again in the same place, or as one of the
other side. A label is about the photo and stays; that a keypoint was right where the old mesh had it does not."""

from __future__ import annotations

from dataclasses import dataclass

import annotator
from annotator.correcting import solve
from annotator.hand.definitions import JointDefinition
from annotator.hand.joint_states import CONFIRMED, PROPOSED, UNSEEN
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.project import StoredHand


@dataclass(frozen=True)
class Carried:
    """mesh: the new one, with the labels; states: of its 21 keypoints; words: what was kept, and what not."""

    mesh: HandMesh
    states: tuple[str, ...]
    words: str


def carried(new: HandMesh, old: HandMesh, stored: StoredHand, definition: JointDefinition) -> Carried:
    """Labels, and joints that cannot be seen, go over to `new`; keypoints that were confirmed where `old` had them,
    without a label, count as proposed again."""
    labels = dict(old.corrections)
    lost = [joint for joint, state in enumerate(stored.joint_states) if state == CONFIRMED and joint not in labels]
    states = tuple(PROPOSED if joint in lost else state for joint, state in enumerate(stored.joint_states))
    mesh = new.replace(features=None, corrections={})
    if labels:
        model = annotator.load_hand(new.hand_model)
        mesh = solve(mesh, model, labels, dict(enumerate(states)), definition=definition).hand
    unseen = sum(state in UNSEEN for state in states)
    words = []
    if labels:
        words.append(f"{_many(len(labels), 'label')} kept")
    if unseen:
        words.append(f"{_many(unseen, 'unseen joint')} kept")
    if lost:
        names = ", ".join(JOINT_NAMES[joint].replace("_", " ") for joint in lost[:4])
        more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
        words.append(f"not confirmed any more: {names}{more}")
    return Carried(mesh, states, "; ".join(words))


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
