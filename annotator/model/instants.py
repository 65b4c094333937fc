"""One hand in the photos of several cameras: each photo is proposed by itself, then the views are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from annotator.correcting.views import InstantHand, Sighting, asking, join, join_one, refine_views
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
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
    sightings = []
    for name in (one for one in rig if one in shown and one in photos and one not in left_out):
        unlabelled = shown[name].replace(corrections={}, camera=rig[name].K)
        kept = model.remember(photos[name], unlabelled).features
        sightings.append(Sighting.of(rig[name], kept.proposal.replace(features=kept)))
    if not sightings:
        raise InputError("no photo of this hand counts: there is nothing to start from")
    hand = join_one(sightings, rig, model.hand, dict.fromkeys(shown))  # in all of these photos it is known to be
    labels = {name: dict(one.corrections) for name, one in shown.items() if one.corrections}
    labels = {name: one for name, one in labels.items() if name in hand.views}
    return refine_views(hand, model.hand, labels) if labels else hand
