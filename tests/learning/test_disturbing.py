"""What training hides and spoils: only what it says, for about as many hands as it says."""

from __future__ import annotations

import torch

from annotator.learning.data.disturbing import Disturbance, disturbed, with_mixed_styles
from annotator.learning.data.samples import Labels
from annotator.network.crop_camera import plain_projection
from annotator.network.features import Features

COUNT = 400


def hands(exact: float = 0.0) -> tuple[Features, Labels]:
    generator = torch.Generator().manual_seed(1)
    joints = 0.05 * torch.randn(COUNT, 21, 3, generator=generator)
    focal = torch.full((COUNT,), 700.0)
    keypoints = 112 + 40 * torch.randn(COUNT, 21, 2, generator=generator)
    ones = torch.ones(COUNT, 21)
    labels = Labels(keypoints, ones, ones, joints, ones, torch.ones(COUNT), plain_projection(focal), focal,
                    torch.full((COUNT,), exact))  # fmt: skip
    maps = (torch.randn(COUNT, 4, 8, 8, generator=generator) * torch.rand(COUNT, 4, 1, 1, generator=generator),)
    features = Features(
        maps, torch.randn(COUNT, 6), keypoints.clone(), joints.clone(), torch.ones(COUNT), torch.ones(COUNT)
    )
    return features, labels


def share(chosen: torch.Tensor) -> float:
    return float(chosen.float().mean())


def test_nothing_is_disturbed_unless_asked():
    features, labels = hands()
    after = disturbed(features, labels, Disturbance(simulated=1.0))
    assert torch.equal(after.landmarks, features.landmarks) and torch.equal(after.pooled, features.pooled)
    assert with_mixed_styles(features, 0.0) is features


def test_rendered_and_real_landmarks_are_replaced_by_their_own_shares():
    torch.manual_seed(0)
    for exact, expected in ((1.0, 0.75), (0.0, 0.25)):
        features, labels = hands(exact)
        after = disturbed(features, labels, Disturbance(simulated=0.75, simulated_real=0.25))
        changed = (after.landmarks != features.landmarks).any(-1).any(-1)
        assert abs(share(changed) - expected) < 0.08
        moved = (after.landmarks - features.landmarks).norm(dim=-1)[changed]
        assert 1 < float(moved.median()) < 8


def test_a_hand_loses_its_landmarks_or_its_picture_but_not_both():
    torch.manual_seed(0)
    features, labels = hands()
    after = disturbed(features, labels, Disturbance(drop_landmarks=0.4, drop_image=0.4))
    blind, unseen = after.landmarks.isnan().all(-1).all(-1), (after.maps[0] == 0).flatten(1).all(1)
    assert torch.equal(blind, after.world.isnan().all(-1).all(-1)) and torch.equal(unseen, (after.pooled == 0).all(1))
    assert abs(share(blind) - 0.4) < 0.08 and abs(share(unseen) - 0.6 * 0.4) < 0.08
    assert not bool((blind & unseen).any())


def test_mixed_styles_keep_what_is_where_and_change_statistics():
    torch.manual_seed(0)
    features, _ = hands()
    mixed = with_mixed_styles(features, 1.0).maps[0]
    before = features.maps[0]

    def plain(maps: torch.Tensor) -> torch.Tensor:
        return (maps - maps.mean((2, 3), keepdim=True)) / maps.std((2, 3), keepdim=True)

    wide = before.std((2, 3)) > 0.1  # where noise is no part of it
    assert torch.allclose(plain(mixed)[wide], plain(before)[wide], atol=0.05)
    assert float((mixed.std((2, 3)) - before.std((2, 3))).abs().mean()) > 0.05
