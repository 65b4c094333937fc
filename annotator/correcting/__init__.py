"""From corrections to a mesh that obeys them: solver, plausibility, depth alternatives, the simulated
annotator.

Nothing in the solver is torch; it needs a `HandMesh` and its `HandModel` alone.
"""

from annotator.correcting.evidence import Depths, InFront, SecondView
from annotator.correcting.solver.doubt import Doubt
from annotator.correcting.solver.search import Settings
from annotator.correcting.solver.solver import Solution, solve

__all__ = ["Depths", "Doubt", "InFront", "SecondView", "Settings", "Solution", "solve"]
