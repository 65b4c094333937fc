"""Why a person should look at a hand, in words that people have. Without Qt."""

from __future__ import annotations

import re

import annotator
from annotator.hand.definitions import JointDefinition
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


def in_plain_words(words: str) -> str:
    """Joints by the names that people have for them."""
    words = words.replace("_", " ")
    for short, long in JOINT_WORDS.items():
        words = re.sub(rf"\b{short}\b", long, words)
    return words
