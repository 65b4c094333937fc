"""Active learning: which hands and joints to ask for, and rounds that turn the answers into a better model.

>>> from annotator.rounds import rank, run_round
>>> rank("project", count=10)[0].joint
>>> run_round("project")["promoted"]
"""

from __future__ import annotations

from importlib import import_module

# torch takes seconds to import: only who asks for it pays
_LAZY = {
    "rank": "annotator.rounds.selection.ranking",
    "Ranked": "annotator.rounds.selection.ranking",
    "run_round": "annotator.rounds.round",
    "explained": "annotator.rounds.retraining.counting",
    "RoundSettings": "annotator.rounds.settings",
    "Candidates": "annotator.rounds.selection.candidates",
    "Choice": "annotator.rounds.selection.strategies",
    "strategy": "annotator.rounds.selection.strategies",
    "current_checkpoint": "annotator.rounds.storage",
}

__all__ = [*_LAZY]


def __getattr__(name: str):
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'annotator.rounds' has no attribute '{name}'")
