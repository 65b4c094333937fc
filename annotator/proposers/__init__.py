"""What proposes hands: our network, another network's predictions from files, or what a package adds."""

from annotator.proposers.base import PROPOSERS, Proposer, ProposerKind, build_proposer
from annotator.proposers.predictions import Predictions

__all__ = ["PROPOSERS", "Predictions", "Proposer", "ProposerKind", "build_proposer"]
