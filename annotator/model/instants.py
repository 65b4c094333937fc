"""One hand in the photos of several cameras: each photo is proposed by itself, then the views are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from annotator.correcting.solver.labels import checked_states
from annotator.correcting.views import (
    InstantHand,
    Sighting,
    asking,
    join,
    join_one,
    labels_of,
    recalled,
    refine_views,
)
from annotator.errors import InputError
from annotator.hand.definitions import JointDefinition
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.model.answered_again import proposed_as_other_side, seen_by_people
from annotator.vision.photos import as_photo
from annotator.vision.rigs import Rig


class OneView(Protocol):
    """What is asked of a `Model` for single photos, here or on a server."""

    hand: HandModel

    def propose(self, photo, boxes=None, sides=None, K=None) -> list[HandMesh]: ...

    def propose_many(self, photos, boxes=None, sides=None, cameras=None): ...

    def remember(self, photo: np.ndarray, hand: HandMesh) -> HandMesh: ...


def propose_instant(
    model: OneView,
    photos: Mapping[str, np.ndarray],
    rig: Rig,
    boxes: Mapping[str, Sequence | None] | None = None,
    sides: Mapping[str, Sequence | None] | None = None,
) -> list[InstantHand]:
    """The hands that the cameras of a rig see at one moment, each one mesh in all their photos, surest first.

    Each photo is proposed by itself; hands are matched by geometry, their proposals joined by their uncertainty, and
    pose, shape and place solved over all photos at once. A proposal that contradicts the others is left out (`left_out`
    says so). A rig of unknown unit is measured by the hands' size.

    Parameters
    ----------
    photos
        Camera -> (H, W, 3) photo, as the lens has it.
    rig
        The calibrated cameras.
    boxes, sides
        Camera -> as for `Model.propose`.

    Returns
    -------
    list of InstantHand
        In the world of the rig, and in every photo.

    Raises
    ------
    InputError
        Fewer than two of the rig's cameras, cameras that the rig does not know, photos of another size.
    """
    shown = {name: as_photo(photos[name]) for name in rig if name in photos}
    sizes = {name: photo.shape[:2] for name, photo in shown.items()}
    asking.check_photos(rig, {name: np.shape(photo)[:2] for name, photo in photos.items()})
    where, which = (None if one is None else [one.get(name) for name in shown] for one in (boxes, sides))
    answers = model.propose_many(shown.values(), where, which, [rig[name].K for name in shown])
    hands = join(dict(zip(shown, answers, strict=True)), rig, model.hand, sizes)
    if boxes is not None:
        return hands

    def ask(name: str, box: Sequence[float], side: str) -> HandMesh | None:
        return next(iter(model.propose(shown[name], [box], [side], rig[name].K)), None)

    return [asking.asked_again(hand, model.hand, sizes, ask) for hand in hands]


def remember_instant(
    model: OneView,
    photos: Mapping[str, np.ndarray],
    rig: Rig,
    shown: Mapping[str, HandMesh],
    left_out: Mapping[str, str],
) -> InstantHand:
    """A hand of an instant from a file or a project, which keep the mesh alone: what the network says of the same crops
    makes it what `propose_instant` gave.

    Parameters
    ----------
    photos
        Camera -> (H, W, 3) photo.
    rig
        The calibrated cameras, in metres.
    shown
        Camera -> the hand as it is there, with its labels.
    left_out
        Camera -> why its proposal does not count.

    Returns
    -------
    InstantHand
        With the labels in force again.

    Raises
    ------
    InputError
        No photo of the hand counts.
    """

    def proposed(name: str, unlabelled: HandMesh) -> HandMesh:
        kept = model.remember(photos[name], unlabelled).features
        return kept.proposal.replace(features=kept)

    missing = {name: "its photo is missing" for name in shown if name not in photos}
    hand = recalled(shown, rig, model.hand, {**left_out, **missing}, proposed)
    labels = labels_of(hand, shown)
    return refine_views(hand, model.hand, labels) if labels else hand


def other_side_instant(
    model: OneView,
    photos: Mapping[str, np.ndarray],
    rig: Rig,
    shown: Mapping[str, HandMesh],
    states: Mapping[str, Sequence[str]],
    definition: JointDefinition | str | None = None,
) -> InstantHand:
    """`Model.other_side` of a hand that is one mesh in several photos: answered anew in each, in the same place, and
    joined; what a person said of each photo is told again.

    Parameters
    ----------
    photos
        Camera -> (H, W, 3) photo.
    rig
        The calibrated cameras, in metres.
    shown
        Camera -> the hand as it is there.
    states
        Camera -> of its 21 joints.
    definition
        As in `Model.refine`.

    Returns
    -------
    InstantHand
        A new one.

    Raises
    ------
    InputError
        No photo of this hand is given.
    """
    sightings = []
    for name in (one for one in rig if one in shown and one in photos):
        fresh = proposed_as_other_side(model, photos[name], shown[name], rig[name].K)
        sightings.append(Sighting.of(rig[name], fresh))
    if not sightings:
        raise InputError("no photo of this hand is given: there is nothing to look at")
    hand = join_one(sightings, rig, model.hand, dict.fromkeys(shown))
    known = {name: checked_states(states.get(name)) for name in hand.views}
    labels = {name: seen_by_people(shown[name], known[name]) for name in hand.views if name in shown}
    labels = {name: one for name, one in labels.items() if one}
    return refine_views(hand, model.hand, labels, known, definition) if labels else hand
