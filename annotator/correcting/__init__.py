"""From corrections to a mesh that obeys them: solver, plausibility, depth alternatives, the simulated annotator.

Nothing in the solver is torch; it needs a `HandMesh` and its `HandModel` alone.
"""

from annotator.correcting.doubt import Doubt
from annotator.correcting.evidence import InFront, SecondView
from annotator.correcting.solver import Settings, Solution, solve

__all__ = ["Doubt", "InFront", "SecondView", "Settings", "Solution", "solve"]
