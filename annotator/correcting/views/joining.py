"""`join` proposals of an instant into hands, and `refine_views` one by labels in any of its photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotator.correcting.checks import check_corrections
from annotator.correcting.solver.labels import check_sight, checked_states
from annotator.correcting.solver.search import SolverSettings
from annotator.correcting.solver.solver import READINGS
from annotator.correcting.strain import confidence_factor, strain_of
from annotator.correcting.views.instant_hand import InstantHand
from annotator.correcting.views.matching import consistent, match, unit_of_hands
from annotator.correcting.views.sighting import Sighting
from annotator.correcting.views.solver.reading import read_views
from annotator.correcting.views.solver.results import Sizes, result
from annotator.correcting.views.solver.solving import several_settings, solved
from annotator.correcting.views.weighing import in_effect, weighed
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition, definition_of
from annotator.hand.joint_states import CONFIRMED
from annotator.hand.joints import JOINT_NAMES, ByJoint
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.rigs import Rig, RigCamera

GROSS = 0.12  # of the box: a proposal that misses the others by more is grossly wrong


def metric_rig(rig: Rig, proposals: Mapping[str, list[HandMesh]]) -> Rig:
    """The rig in metres; where its unit is not known, by the size that the proposals give the hands."""
    if rig.unit is not None:
        return rig.metric()
    unknown = rig.metric(1.0)
    sightings = [Sighting.of(unknown[name], hand) for name in unknown for hand in proposals.get(name, [])]
    return rig.metric(unit_of_hands(match(sightings, metric=False)) or 1.0)


def join(
    proposals: Mapping[str, list[HandMesh]],
    rig: Rig,
    model: HandModel,
    sizes: Sizes,
    settings: SolverSettings | None = None,
) -> list[InstantHand]:
    """The hands of an instant, each one mesh in all its photos, surest first.

    proposals: camera -> the hands proposed in its photo, each with that camera's K; rig: see `metric_rig`; sizes:
    camera -> (height, width) px of the photos there are.
    """
    metric = metric_rig(rig, proposals)
    sightings = [Sighting.of(metric[name], hand) for name in metric for hand in proposals.get(name, [])]
    return [join_one(hand, metric, model, sizes, settings) for hand in match(sightings)]


def join_one(
    sightings: Sequence[Sighting], rig: Rig, model: HandModel, sizes: Sizes, settings: SolverSettings | None = None
) -> InstantHand:
    """One hand of its sightings (one a camera); rig: in metres."""
    settings = several_settings(settings)
    sightings = [one for name in rig for one in sightings if one.camera.name == name]
    inside, left_out = agreeing(sightings)
    inside = weighed(inside)
    speaking = in_effect(inside)
    counted = {one.camera.name: one.one_of(speaking) for one in inside}
    sightings = [counted.get(one.camera.name, one) for one in sightings]
    inside = list(counted.values())
    found = solved(inside, model, {}, {}, {}, settings)
    return result(found, sightings, left_out, rig, model, sizes, {})


def agreeing(sightings: Sequence[Sighting]) -> tuple[list[Sighting], dict[str, str]]:
    """The sightings that are of one hand and side, and why the others do not count: camera -> words.

    The side is what the photos say together, each for as sure as it is of the side: one that is sure of where the
    keypoints are need not be sure of that, least of all a blurred one.
    """
    weight: dict[str, float] = {}
    for one in sightings:
        weight[one.hand.side] = weight.get(one.hand.side, 0.0) + one.side_odds
    side = max(sorted(weight), key=lambda name: weight[name])
    left_out = {one.camera.name: f"proposed as a {one.hand.side} hand" for one in sightings if one.hand.side != side}
    inside, gross = consistent([one for one in sightings if one.hand.side == side], GROSS)
    left_out |= {one.camera.name: "its proposal contradicts the other photos" for one in gross}
    return inside, left_out


def refine_views(
    hand: InstantHand,
    model: HandModel,
    corrections: Mapping[str, ByJoint[Sequence[float]]],
    states: Mapping[str, ByJoint[str] | Sequence[str] | None] | None = None,
    definition: JointDefinition | str | None = None,
    settings: SolverSettings | None = None,
) -> InstantHand:
    """The likeliest hand given labels in any of its photos and the proposals of all of them.

    corrections: camera -> joint name or number -> (x, y) px of that photo; earlier ones stay unless named again.
    states: camera -> joint -> state, or all 21; definition: how the labeller means the joints. InputError: a camera in
    whose photo the hand is not, unknown joints or states, places that no camera or lens shows.
    """
    settings, read = several_settings(settings), definition_of(definition)
    known = {name: checked_states(one) for name, one in (states or {}).items()}
    merged = {name: dict(view.corrections) for name, view in hand.views.items()}
    for name, given in corrections.items():
        _check_view(hand, name)
        merged[name] |= check_corrections(given)
        check_sight(merged[name], hand.views[name].camera)
        _check_lens(hand.rig[name], merged[name])
    for name in known:
        _check_view(hand, name)
    before = hand.proposed or hand
    inside = [one for one in hand.sightings if one.camera.name not in hand.left_out]
    seen = {one.camera.name for one in inside}
    held = {
        name: {
            k: tuple(hand.views[name].keypoints[k]) for k, s in one.items() if s == CONFIRMED and k not in merged[name]
        }
        for name, one in known.items()
    }
    everywhere = dict.fromkeys(hand.views)
    shape_of, start = hand.views, None
    for reading in range(READINGS if read.moves and any(merged.values()) else 1):
        labels = read_views(before.views, hand.rig.cameras, merged, known, held, read, shape_of, settings)
        others = {name: (hand.rig[name], before.views[name]) for name in labels if name not in seen}
        found = solved(inside, model, labels, known, others, settings, start)
        start = found.descent.x
        if reading + 1 < READINGS and read.moves:
            shape_of = result(found, hand.sightings, hand.left_out, hand.rig, model, everywhere, {}, before).views
    answer = result(found, hand.sightings, hand.left_out, hand.rig, model, everywhere, merged, before)
    # as doubtful as its worst label in any photo makes it
    contradicted = min(confidence_factor(strain_of(view, read)) for view in answer.views.values())
    confidence = answer.confidence * contradicted
    views = {name: view.replace(confidence=confidence) for name, view in answer.views.items()}
    return answer.replace(proposed=before, confidence=confidence, views=views)


def _check_view(hand: InstantHand, name: str) -> None:
    if name not in hand.views:
        raise InputError(f"the hand is not in a photo of camera {name!r}: it is in {', '.join(hand.views)}")


def _check_lens(camera: RigCamera, places: Mapping[int, tuple[float, float]]) -> None:
    for joint, place in places.items():
        if not np.isfinite(camera.ideal(np.array(place))).all():
            raise InputError(
                f"correction of {JOINT_NAMES[joint]}: the lens of camera {camera.name!r} shows nothing at "
                f"({place[0]:g}, {place[1]:g})"
            )
