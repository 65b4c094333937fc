"""Damped Gauss-Newton over pose, place and shape, from corrections and the proposal to the likeliest hand; no torch."""

from annotator.correcting.solver.prior import ProposalPrior
from annotator.correcting.solver.search import SolverSettings
from annotator.correcting.solver.solver import Solution, solve

__all__ = ["ProposalPrior", "SolverSettings", "Solution", "solve"]
