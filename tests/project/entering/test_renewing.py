"""A newer model's proposals for hands that nobody has touched."""

from __future__ import annotations

import numpy as np
import pytest

from annotator.errors import InputError
from annotator.hand.mesh import ParametricEstimate
from annotator.project import Provenance


def test_a_newer_proposal_takes_the_place_of_an_untouched_one(project, hand_id, make_hand):
    first, newer = project.hand(hand_id), make_hand(7)
    newer = newer.replace(
        parametric=ParametricEstimate(newer.vertices, newer.joints, newer.keypoints, newer.parameters)
    )
    later = Provenance("round 1", "e" * 64)
    version = project.repropose(hand_id, newer, later, version=first.version)
    hand = project.hand(hand_id)
    assert (hand.state, hand.version, set(hand.joint_states)) == ("proposed", version, {"proposed"})
    np.testing.assert_allclose(project.mesh(hand_id).vertices, newer.vertices, atol=1e-5)
    np.testing.assert_allclose(project.mesh(hand_id).parametric.vertices, newer.parametric.vertices, atol=1e-5)
    assert hand.provenance["model_digest"] == "e" * 64 and project.verify() == []
    assert [event.kind for event in project.history(hand_id)] == ["propose", "propose"]
    with pytest.raises(InputError, match="nothing to undo"):
        project.undo(hand_id)
    # a person's changes are undone to the newer proposal, and a touched hand is not proposed again
    project.edit(hand_id, newer.replace(corrections={8: (10.0, 20.0)}))
    with pytest.raises(InputError, match="in work: only a hand that nobody touched"):
        project.repropose(hand_id, make_hand(8), later)
    project.undo(hand_id)
    np.testing.assert_allclose(project.mesh(hand_id).vertices, newer.vertices, atol=1e-5)
    project.repropose(hand_id, make_hand(8), later)
    assert project.verify() == []
    with pytest.raises(InputError, match="changed meanwhile"):
        project.repropose(hand_id, make_hand(9), later, version=1)
