"""Why a person should look at a hand, and what of their word was kept, in words that people have. Without Qt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import annotator
from annotator.hand.definitions import JointDefinition
from annotator.hand.joint_states import CONFIRMED, CORRECTED, UNSEEN
from annotator.hand.mesh import HandMesh
from annotator.project.overview.doubts import doubts, least_sure

# how far out on its finger a joint is
JOINT_WORDS = {"cmc": "base", "mcp": "knuckle", "pip": "middle joint", "dip": "last joint", "ip": "last joint"}


def why_look(mesh: HandMesh, definition: JointDefinition | None = None) -> str:
    """Why a person should look at a hand, in a few words: labels that contradict the mesh, then the weightiest.
    definition: how the project means the joints."""
    found = doubts(mesh, annotator.load_hand(mesh.hand_model), ("proposed",) * 21, definition)
    words = "; ".join(one.words for one in found[:2]) or f"least sure: {least_sure(mesh)}"
    return in_plain_words(words)


def kept_words(states: Sequence[str]) -> str:
    """What a person said of a hand's 21 joints, which another mesh of it was told; "": nothing."""
    kinds = (("label", (CORRECTED,)), ("confirmed keypoint", (CONFIRMED,)), ("unseen joint", UNSEEN))
    counts = [(sum(state in those for state in states), name) for name, those in kinds]
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'} kept" for count, name in counts if count)


def in_plain_words(words: str) -> str:
    """Joints by the names that people have for them."""
    words = words.replace("_", " ")
    for short, long in JOINT_WORDS.items():
        words = re.sub(rf"\b{short}\b", long, words)
    return words
