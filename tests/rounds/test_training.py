"""How far a round goes from the parent's weights to the fine-tuned ones."""

from __future__ import annotations

import pytest
import torch

from annotator.rounds.retraining.training import SHARES, blended


def at(value: float) -> torch.nn.Module:
    layer = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.constant_(layer.weight, value)
    return layer


@pytest.mark.parametrize(("grown", "share"), [(0.0, 1.0), (0.1, 0.35), (9.0, SHARES[-1]), (-1.0, 1.0)])
def test_as_far_as_what_was_known_allows(grown, share):
    """The old error is 2 at the start and grows by the given share on the way to the tuned weights."""
    start, tuned = at(1.0), at(3.0)
    found = blended(tuned, start, lambda one: 2.0 + grown * (float(one.weight.detach().mean()) - 1.0), drift=0.04)
    assert found == share and float(tuned.weight.detach().mean()) == pytest.approx(1 + 2 * share)
    assert float(start.weight.detach().mean()) == 1.0
