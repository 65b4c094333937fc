"""Damped Gauss-Newton over pose, place and shape, from corrections and the proposal to the likeliest hand; no torch."""

from annotator.correcting.solver.doubt import Doubt
from annotator.correcting.solver.search import Settings
from annotator.correcting.solver.solver import Solution, solve

__all__ = ["Doubt", "Settings", "Solution", "solve"]
