"""Labels as evidence: kept as they were set, weighed by what they are worth, and no plausible hand is bent for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measures import crop_px, some

from annotator.correcting import solve
from annotator.correcting.accuracy import label_sigma
from annotator.correcting.defining import learn_definition
from annotator.correcting.solver.labels import FAR, trust
from annotator.correcting.strain import FREE, strain_of, strained
from annotator.errors import InputError
from annotator.hand.definitions import ANATOMICAL, EXACT, NAMED, JointDefinition, definition_of
from annotator.vision.camera import project

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, side=st.sampled_from(["right", "left"]), count=st.integers(1, 21))
def test_labels_are_kept_to_the_bit_and_the_mesh_comes_nearer(make_truth, make_proposal, hand_model, seed, side, count):
    truth = make_truth(seed, side)
    proposal = make_proposal(truth, seed)
    joints = np.random.default_rng(seed).permutation(21)[:count]
    labels = some(truth, joints)
    solution = solve(proposal, hand_model, labels)
    hand = solution.hand
    assert hand.corrections == dict(sorted(labels.items()))
    # the mesh is its parameters', the joints are the mesh's, the keypoints the joints'
    assert np.abs(hand.vertices - hand_model.vertices(hand.parameters, side)).max() < 1e-12
    assert np.abs(hand.keypoints - project(hand.joints, hand.camera)).max() < 1e-9
    # the surface keeps the network's own field: no dent for the last pixels
    assert np.array_equal(hand.parameters.offsets, proposal.parameters.offsets)
    before = crop_px(hand, proposal.keypoints[joints], truth.keypoints[joints])
    after = crop_px(hand, hand.keypoints[joints], truth.keypoints[joints])
    assert (after**2).sum() <= (before**2).sum() + 1e-9
    for k, residual in solution.residual_px.items():
        assert abs(crop_px(hand, hand.keypoints[k], labels[k]) - residual) < 1e-6


def test_labels_bring_the_mesh_nearer_and_more_labels_nearer_still(make_truth, make_proposal, hand_model):
    errors = {count: [] for count in (0, 1, 2, 4, 8, 21)}
    for seed in range(40):
        truth = make_truth(seed)
        proposal = make_proposal(truth, seed)
        order = np.argsort(-crop_px(truth, proposal.keypoints, truth.keypoints))
        for count, into in errors.items():
            hand = solve(proposal, hand_model, some(truth, order[:count]), definition=EXACT).hand
            into.append(
                np.linalg.norm((hand.vertices - hand.joints[0]) - (truth.vertices - truth.joints[0]), axis=1).mean()
            )
    mean = [np.mean(values) for values in errors.values()]
    assert all(later < earlier for earlier, later in zip(mean, mean[1:], strict=False))
    assert mean[-1] < 0.7 * mean[0]


def test_a_label_counts_by_its_accuracy(make_truth, make_proposal, hand_model):
    """An unknown labeller's wrist says little, an index fingertip says more; with a known definition both say much."""
    truth = make_truth(3)
    proposal = make_proposal(truth, 3, 0.2)
    sigma = label_sigma(proposal, ANATOMICAL)
    assert sigma[0] > 1.8 * sigma[8] and sigma[1] > 1.8 * sigma[8] and sigma[5] > sigma[6]

    def share(joint, definition):
        moved = proposal.keypoints[joint] + 8 * proposal.crop_size / 224
        hand = solve(proposal, hand_model, {joint: moved}, definition=definition).hand
        return float(
            crop_px(hand, hand.keypoints[joint], proposal.keypoints[joint])
            / crop_px(hand, moved, proposal.keypoints[joint])
        )

    assert share(0, "anatomical") < share(0, "ours")
    assert share(0, "anatomical") < share(8, "ours")


def test_a_grossly_wrong_finger_follows_two_labels(make_truth, make_proposal, hand_model):
    shares = []
    for seed in range(20):
        truth = make_truth(seed)
        bent = make_proposal(truth, seed, 0.3)
        pose = np.array(bent.parameters.pose)
        pose[1:4] = 0.0  # the index finger is straight in the proposal, whatever it is in truth
        parameters = bent.parameters.replace(pose=pose)
        vertices = hand_model.vertices(parameters)
        joints = hand_model.joints(vertices)
        proposal = bent.replace(
            parameters=parameters, vertices=vertices, joints=joints, keypoints=project(joints, bent.camera)
        )
        off = crop_px(truth, proposal.keypoints, truth.keypoints)
        if off[6:9].max() < 30:
            continue
        hand = solve(proposal, hand_model, some(truth, [7, 8])).hand
        shares.append(crop_px(truth, hand.keypoints, truth.keypoints)[6:9].mean() / off[6:9].mean())
    assert len(shares) >= 5 and np.mean(shares) < 0.5


def test_a_click_on_the_neighbouring_finger_moves_little_until_another_says_the_same():
    places = np.zeros((21, 2))
    places[:, 0] = np.arange(21) * 30.0
    sigma = np.full(21, 3.0)
    # index tip (8) set where the middle tip (12) is
    alone = trust(places, sigma, np.array([8]), places[[12]], np.array([3.0]))
    assert alone.inflation.max() == 1.0 and alone.labels[0] > 2 and not alone.gross.any()
    # set as far away, where no other joint is: the network is wrong about the finger
    free = trust(places, sigma, np.array([8]), places[[8]] + (0.0, 120.0), np.array([3.0]))
    assert free.gross.all() and free.inflation[5:9].min() > FAR and free.inflation[[0, 4, 12]].max() < free.inflation[8]
    # a second label of the finger goes the same way: believed even near another finger's joints
    both = trust(places, sigma, np.array([7, 8]), places[[11, 12]], np.array([3.0, 3.0]))
    assert both.gross.all() and both.labels.max() == 1.0
    assert trust(places, sigma, np.array([], int), np.zeros((0, 2)), np.zeros(0)).inflation.max() == 1.0


def test_strain_is_said_and_lowers_the_confidence(make_truth, make_proposal, hand_model):
    truth = make_truth(17)
    proposal = make_proposal(truth, 17, 0.5)
    away = np.array(proposal.keypoints[8]) + 1.5 * proposal.crop_size
    solution = solve(proposal, hand_model, {"index_tip": away})
    hand = solution.hand
    assert not solution.feasible and solution.unmet == ("index_tip",) and "index_tip" in solution.message
    (worst,) = strained(hand)
    assert worst.joint == "index_tip" and worst.sigmas > FREE and "index tip" in worst.words
    assert worst.pixels == pytest.approx(np.linalg.norm(hand.keypoints[8] - away))
    assert hand.confidence < 0.5 * proposal.confidence
    # taken back, the confidence is what it was
    mended = solve(hand, hand_model, {"index_tip": hand.keypoints[8]}).hand
    assert mended.confidence == pytest.approx(proposal.confidence) and not strained(mended)
    # ordinary labels strain nothing
    fine = solve(proposal, hand_model, some(truth, range(21))).hand
    assert not strained(fine) and fine.confidence == pytest.approx(proposal.confidence)
    assert strain_of(proposal) == ()


# -- definitions -----------------------------------------------------------------------------------------------------
def labelled(truth, definition):
    return definition.keypoints(truth)


@pytest.fixture
def own_way():
    random = np.random.default_rng(5)
    offsets = random.normal(size=(21, 3)) * 0.0015
    offsets[0], offsets[1] = (0.007, 0.001, -0.002), (0.002, -0.006, 0.005)
    return JointDefinition("somebody", offsets, np.zeros(21))


def test_a_definition_turns_with_the_hand_and_mirrors(make_truth, own_way):
    for side in ("right", "left"):
        hand = make_truth(4, side)
        moved = own_way.joints(hand) - hand.joints
        assert np.allclose(np.linalg.norm(moved, axis=1), np.linalg.norm(own_way.offsets, axis=1))
        assert np.abs(own_way.keypoints(hand) - project(own_way.joints(hand), hand.camera)).max() < 1e-9


@pytest.mark.parametrize("in_space", [False, True])
def test_a_definition_is_learned_and_more_hands_teach_more(make_truth, make_proposal, own_way, in_space):
    def learned(count):
        truths = [make_truth(seed, "right" if seed % 3 else "left") for seed in range(count)]
        proposals = [make_proposal(truth, seed) for seed, truth in enumerate(truths)]
        joints = [own_way.joints(truth) * 1.7 + 0.3 for truth in truths] if in_space else None
        return learn_definition(proposals, [labelled(truth, own_way) for truth in truths], joints)

    def off(definition):
        return np.linalg.norm(definition.offsets - own_way.offsets, axis=1)[[0, 1]].mean()

    none, few, many = ANATOMICAL, learned(10), learned(80)
    assert few.hands == 10 and off(many) < off(few) < off(none)
    assert off(many) < 0.45 * off(none)
    assert (many.spread <= few.spread + 1e-12).all() and (few.spread <= ANATOMICAL.spread).all()


def test_few_hands_do_no_harm(make_truth, make_proposal):
    """Labels in our own sense: what is learned from three hands stays near nothing."""
    truths = [make_truth(seed) for seed in range(3)]
    found = learn_definition([make_proposal(t, s) for s, t in enumerate(truths)], [t.keypoints for t in truths])
    assert np.linalg.norm(found.offsets, axis=1).mean() < 0.003
    assert np.array_equal(learn_definition([], []).offsets, ANATOMICAL.offsets)
    nothing = learn_definition([make_proposal(truths[0], 0)], [np.full((21, 2), np.nan)])
    assert nothing.hands == 0 and not nothing.offsets.any()


def test_labels_are_read_as_they_are_meant(make_truth, make_proposal, hand_model, own_way):
    errors = {"as ours": [], "as meant": [], "proposal": []}
    for seed in range(25):
        truth = make_truth(seed, "left" if seed % 2 else "right")
        proposal = make_proposal(truth, seed)
        labels = {int(k): tuple(place) for k, place in enumerate(labelled(truth, own_way))}
        for name, hand in (
            ("as ours", solve(proposal, hand_model, labels, definition="ours").hand),
            ("as meant", solve(proposal, hand_model, labels, definition=own_way).hand),
            ("proposal", proposal),
        ):
            errors[name].append(
                np.linalg.norm((hand.joints - hand.joints[0]) - (truth.joints - truth.joints[0]), axis=1).mean()
            )
    mean = {name: np.mean(values) for name, values in errors.items()}
    assert mean["as meant"] < 0.95 * mean["as ours"] and mean["as meant"] < mean["proposal"]


def test_named_definitions_and_bad_ones(make_truth):
    hand = make_truth(1)
    assert set(NAMED) == {"anatomical", "ours", "mano", "mediapipe"} and definition_of(None) is ANATOMICAL
    for one in NAMED.values():
        assert one.joints(hand).shape == (21, 3) and np.isfinite(one.keypoints(hand)).all()
        assert np.abs(one.joints(hand) - hand.joints).max() < 0.02
    again = JointDefinition.from_dict(JointDefinition("x", np.full((21, 3), 0.001), np.full(21, 0.002), 7).as_dict())
    assert again.hands == 7 and again.offsets[3, 1] == 0.001
    with pytest.raises(InputError, match="unknown joint definition 'elbow'"):
        definition_of("elbow")
    for bad in ({}, {"name": "x", "offsets": [1], "spread": [2]}, [], None):
        with pytest.raises(InputError):
            JointDefinition.from_dict(bad)
    bad_values = (
        (np.zeros((20, 3)), np.zeros(21)),
        (np.full((21, 3), np.nan), np.zeros(21)),
        (np.full((21, 3), 0.2), np.zeros(21)),
        (np.zeros((21, 3)), np.full(21, -0.001)),
    )
    for offsets, spread in bad_values:
        with pytest.raises(InputError, match="joint definition"):
            JointDefinition("x", offsets, spread)
    with pytest.raises(InputError, match="2 hands, but keypoints of 1"):
        learn_definition([hand, hand], [hand.keypoints])
    with pytest.raises(InputError, match="hand 0 must have shape"):
        learn_definition([hand], [np.zeros((20, 2))])
