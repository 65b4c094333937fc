"""Subjects: one shape from many hands of one person, and what it does for their meshes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import annotator
from annotator.correcting import solve
from annotator.correcting.depth.evidence import Depths
from annotator.correcting.subjects.measuring import bones_of, size_of
from annotator.correcting.subjects.proposed_shapes import NOISE, SAID
from annotator.errors import InputError
from annotator.hand.mesh import HandParameters, ParametricEstimate

TIPS = (4, 8, 12, 16, 20)


@pytest.fixture(scope="module")
def people(hand_model, make_hand):
    """people(shape, count, seed=0) -> [(what a network says that knows mean hands only, the true hand)]: the same poses
    and places, its angles a little off."""

    def make(shape, count, seed=0, turn=0.03):
        random, made = np.random.default_rng(seed), []
        for k in range(count):
            base = make_hand(100 * seed + k)
            zero = np.zeros_like(base.parameters.offsets)
            true = base.parameters.replace(shape=np.asarray(shape, float), offsets=zero)
            off = random.normal(0, turn, (16, 3))
            said = HandParameters(true.pose + off, np.zeros(10), true.translation, zero)
            made.append((_hand(hand_model, base, said), _hand(hand_model, base, true)))
        return made

    return make


def _hand(model, base, parameters):
    vertices = model.vertices(parameters)
    joints = model.joints(vertices)
    image = joints @ base.camera.T
    return base.replace(
        vertices=vertices, joints=joints, keypoints=image[:, :2] / image[:, 2:], parameters=parameters,
        keypoint_sigma=np.full(21, 4.0),
    )  # fmt: skip


def labelled(hands, joints=range(21), noise=0.0, seed=0):
    """The proposals with labels at the true keypoints."""
    random = np.random.default_rng(seed)
    return [
        said.replace(corrections={k: tuple(true.keypoints[k] + random.normal(0, noise, 2)) for k in joints})
        for said, true in hands
    ]


def off(points, target):
    """mm after a similarity."""
    from annotator.evaluation.metrics import aligned

    return 1000 * float(np.linalg.norm(aligned(points, target) - target, axis=-1).mean())


def proportions(model, shape):
    lengths = bones_of(model, model.template + model.shape_directions @ shape)
    return lengths / np.exp(np.log(lengths).mean())


LONG_FINGERS = [0.0, -2.0, 1.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_labels_of_many_photos_give_the_proportions(people, hand_model):
    subject = annotator.estimate_subject(labelled(people(LONG_FINGERS, 12), noise=1.0), hand_model)
    true = proportions(hand_model, np.array(LONG_FINGERS))
    mean = np.abs(proportions(hand_model, np.zeros(10)) / true - 1).mean()
    assert np.abs(proportions(hand_model, subject.shape) / true - 1).mean() < 0.35 * mean
    assert subject.hands == 12 and subject.left_out == () and (subject.sigma > 0).all()


def test_more_photos_leave_less_unknown(people, hand_model):
    hands = labelled(people(LONG_FINGERS, 9), TIPS)
    few, many = annotator.estimate_subject(hands[:3], hand_model), annotator.estimate_subject(hands, hand_model)
    assert (many.sigma < few.sigma + 1e-9).all() and many.sigma[1] < 0.8 * few.sigma[1]


def test_unlabelled_hands_say_nothing(people, hand_model):
    """A proposal's own shape and keypoints are the mean hand's: they must not make anybody average."""
    hands = labelled(people(LONG_FINGERS, 6), TIPS)
    bare = [said for said, _ in people(LONG_FINGERS, 20, seed=1)]
    with_bare = annotator.estimate_subject(hands + bare, hand_model)
    assert np.allclose(with_bare.shape, annotator.estimate_subject(hands, hand_model).shape)
    nothing = annotator.estimate_subject(bare, hand_model)
    assert np.allclose(nothing.shape, 0) and (nothing.sigma > 1).all() and nothing.hands == 0


def test_many_proposals_of_a_network_say_what_one_cannot(people, hand_model):
    """A network's number is a share of the truth with noise; imported and fitted meshes are not read that way."""
    random, proposals = np.random.default_rng(0), []
    for said, _ in people(LONG_FINGERS, 40):
        shape = SAID * LONG_FINGERS + random.normal(0, 1, 10) * NOISE
        moved = said.parameters.replace(shape=shape, offsets=said.parameters.offsets + 1e-4)
        first = ParametricEstimate(said.vertices, said.joints, said.keypoints, said.parameters)
        proposals.append(said.replace(parameters=moved, parametric=first))
    many, one = (annotator.estimate_subject(some, hand_model) for some in (proposals, proposals[:1]))
    true = proportions(hand_model, np.array(LONG_FINGERS))
    errors = [
        np.abs(proportions(hand_model, shape) / true - 1).mean() for shape in (many.shape, one.shape, np.zeros(10))
    ]
    assert errors[0] < 0.6 * errors[2] and errors[1] > errors[0]
    assert (many.sigma[1:4] < 0.8 * one.sigma[1:4]).all()
    smooth = np.zeros_like(proposals[0].parameters.offsets)
    fitted = [hand.replace(parameters=hand.parameters.replace(offsets=smooth)) for hand in proposals]
    assert np.allclose(annotator.estimate_subject(fitted, hand_model).shape, 0)


def test_a_hand_that_contradicts_the_others_hardly_counts(people, hand_model):
    hands = labelled(people(LONG_FINGERS, 10), noise=1.0)
    good = annotator.estimate_subject(hands, hand_model)
    random = np.random.default_rng(3)
    wild = hands[0].replace(
        corrections={k: tuple(np.array(place) + random.normal(0, 60, 2)) for k, place in hands[0].corrections.items()}
    )
    found = annotator.estimate_subject([wild, *hands[1:]], hand_model)
    assert found.left_out == (0,)
    assert off(_rest(hand_model, found.shape), _rest(hand_model, good.shape)) < 0.4


def _rest(model, shape):
    return model.template + model.shape_directions @ shape


def test_the_order_of_hands_changes_nothing(people, hand_model):
    hands = labelled(people(LONG_FINGERS, 5), TIPS)
    one, other = (annotator.estimate_subject(some, hand_model) for some in (hands, hands[::-1]))
    assert np.allclose(one.shape, other.shape, atol=1e-9)


@given(length=st.floats(0.155, 0.210), broad=st.none() | st.floats(0.45, 0.51))
@settings(max_examples=15)
def test_a_ruler_sets_the_size(hand_model, length, broad):
    width = None if broad is None else broad * length
    subject = annotator.estimate_subject([], hand_model, {"length": length, "width": width})
    assert abs(size_of(hand_model, subject.shape, "length")[0] - length) < (0.001 if width is None else 0.004)
    if width is not None:
        assert abs(size_of(hand_model, subject.shape, "width")[0] - width) < 0.004


def test_a_size_keeps_what_photos_say_of_proportions(people, hand_model):
    hands = labelled(people(LONG_FINGERS, 10), noise=1.0)
    plain, sized = (annotator.estimate_subject(hands, hand_model, sizes) for sizes in (None, {"length": 0.205}))
    assert abs(size_of(hand_model, sized.shape, "length")[0] - 0.205) < 0.002
    close = off(_rest(hand_model, sized.shape), _rest(hand_model, plain.shape))
    assert close < 0.5 * off(_rest(hand_model, np.zeros(10)), _rest(hand_model, plain.shape))


def test_photos_alone_say_no_size_and_depths_do(people, hand_model):
    large = [2.0, *LONG_FINGERS[1:]]
    hands = people(large, 8)
    plain = annotator.estimate_subject(labelled(hands), hand_model)
    length = size_of(hand_model, np.array(large), "length")[0]
    depths = [[Depths({k: float(true.joints[k, 2]) for k in (0, 5, 12, 17)}, 0.003)] for _, true in hands]
    seen = annotator.estimate_subject(labelled(hands), hand_model, evidence=depths)
    errors = [abs(size_of(hand_model, one.shape, "length")[0] - length) for one in (plain, seen)]
    assert errors[1] < 0.006 < errors[0]


def test_meshes_are_nearer_to_the_truth_with_the_subject(people, hand_model):
    shown = people(LONG_FINGERS, 14)
    subject = annotator.estimate_subject(labelled(shown[:8], noise=1.0), hand_model)
    for labels in ((), TIPS):
        hands = labelled(shown[8:], labels, noise=1.0)
        errors = [
            np.mean([off(solve(hand, hand_model, {}, subject=whose).hand.vertices, true.vertices)
                     for hand, (_, true) in zip(hands, shown[8:], strict=True)])
            for whose in (None, subject)
        ]  # fmt: skip
        assert errors[1] < 0.85 * errors[0]


def test_all_photos_of_a_subject_show_one_hand(people, hand_model):
    shown = people(LONG_FINGERS, 6)
    subject = annotator.estimate_subject(labelled(shown), hand_model)
    solved = [solve(hand, hand_model, {}, subject=subject).hand for hand in labelled(shown, ())]
    for hand in solved:
        assert not hand.parameters.offsets.any()
        assert off(_rest(hand_model, hand.parameters.shape), _rest(hand_model, subject.shape)) < 0.5


def test_a_left_hand_shares_the_shape(people, hand_model):
    hands = labelled(people(LONG_FINGERS, 5), TIPS)
    left = [_as_left(hand_model, hand) for hand in hands]
    one, other = (annotator.estimate_subject(some, hand_model) for some in (hands, left))
    assert np.allclose(one.shape, other.shape, atol=1e-6)


def _as_left(model, hand):
    """The mirror image of a right hand, seen by the same camera."""
    mirrored = {k: (2 * hand.camera[0, 2] - x, y) for k, (x, y) in hand.corrections.items()}
    vertices = model.vertices(hand.parameters, "left")
    joints = model.joints(vertices)
    image = joints @ hand.camera.T
    return hand.replace(
        side="left", vertices=vertices, faces=model.faces_of("left"), joints=joints, corrections=mirrored,
        keypoints=image[:, :2] / image[:, 2:],
    )  # fmt: skip


def test_a_subject_survives_json(people, hand_model):
    import json

    subject = annotator.estimate_subject(labelled(people(LONG_FINGERS, 3)), hand_model, {"length": 0.19})
    again = annotator.Subject.from_dict(json.loads(json.dumps(subject.as_dict())))
    assert again.as_dict() == subject.as_dict()


@pytest.mark.parametrize(
    ("sizes", "said"),
    [({"length": 19.0}, "19000 mm"), ({"length": 0.01}, "expected 80 to 270 mm"), ({"girth": 0.2}, "girth"),
     ({"width": "wide"}, "wide"), ({"length": float("nan")}, "nan mm")],
)  # fmt: skip
def test_impossible_sizes_are_refused(hand_model, sizes, said):
    with pytest.raises(InputError, match=said):
        annotator.estimate_subject([], hand_model, sizes)


def test_what_is_no_subject_is_refused(hand_model, make_hand):
    with pytest.raises(InputError, match="no subject"):
        annotator.Subject.from_dict({"shape": [0] * 10})
    with pytest.raises(InputError, match="covariance"):
        annotator.Subject(np.zeros(10), np.zeros((10, 10)))
    with pytest.raises(InputError, match="another hand model"):
        solve(make_hand(), hand_model, {}, subject=annotator.Subject(np.zeros(10), np.eye(10), "f" * 64))
    with pytest.raises(InputError, match="2 hands, but states of 1"):
        annotator.estimate_subject([make_hand(), make_hand(1)], hand_model, states=[None])
    with pytest.raises(InputError, match="got str"):
        annotator.estimate_subject(["hand"], hand_model)
