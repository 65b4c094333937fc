"""From labels to the likeliest mesh: solver, plausibility, depth alternatives, the simulated
annotator.

Nothing in the solver is torch; it needs a `HandMesh` and its `HandModel` alone.
"""

from annotator.correcting.depth.evidence import Depths, InFront, PalmDepths, PalmDistance, SecondView
from annotator.correcting.solver.prior import ProposalPrior
from annotator.correcting.solver.search import SolverSettings
from annotator.correcting.solver.solver import Solution, solve

__all__ = [
    "Depths",
    "InFront",
    "PalmDepths",
    "PalmDistance",
    "ProposalPrior",
    "SecondView",
    "SolverSettings",
    "Solution",
    "solve",
]
