"""Hands that several cameras see, and what a network would propose in each photo."""

from __future__ import annotations

import numpy as np
import pytest
from small_rigs import proposal

from annotator.hand.mesh import HandParameters
from annotator.vision.rigs import Rig


@pytest.fixture(scope="session")
def scene(hand_model):
    """scene(rig, seed, side, noise px, middle m) -> (true joints in the world, camera -> proposal)."""

    def make(rig: Rig, seed=0, side="right", noise=1.5, middle=(0.0, 0.0, 0.0)):
        random = np.random.default_rng(seed)
        pose = random.normal(0, 0.12, (16, 3))
        pose[0] = random.normal(0, 1.0, 3)
        none = np.zeros((hand_model.offset_count, 3))
        shape = random.normal(0, 0.5, 10)
        first = HandParameters(pose, shape, np.zeros(3), none)
        vertices = hand_model.vertices(first, side)
        world = hand_model.joints(vertices)
        world = world - world.mean(axis=0) + middle
        there = {}
        for name in rig:
            there[name] = proposal(rig[name], hand_model, world, pose, shape, side, random, noise)
        return world, there

    return make
