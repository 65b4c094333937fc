"""Photos of an instant in which the network found nothing, or took a hand for the other one, are asked again: the other
photos say where the hand is, and which."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from annotator.correcting.views.instant_hand import InstantHand
from annotator.correcting.views.joining import GROSS, join_one
from annotator.correcting.views.matching import disagreement
from annotator.correcting.views.sighting import Sighting
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.rigs import Rig

WIDER = 0.1  # of the box's longer side, on each side, as a person would draw it
SEEN = 0.5  # the least share of the joints that lie in the photo

Ask = Callable[[str, tuple[float, float, float, float], str], HandMesh | None]


def check_photos(rig: Rig, sizes: Mapping[str, tuple[int, int]]) -> None:
    """InputError: a photo of a camera that is not in the rig, of another size than its camera's, or one photo alone."""
    for name, (height, width) in sizes.items():
        try:
            rig[name].check_photo(height, width)
        except InputError as error:
            raise InputError(f"photo of {name}: {error}" if name in rig.cameras else str(error)) from error
    if len(sizes) < 2:
        raise InputError(f"an instant needs the photos of two cameras at least, here are {len(sizes)}")


def asked_again(hand: InstantHand, model: HandModel, sizes: Mapping[str, tuple[int, int]], ask: Ask) -> InstantHand:
    """The hand with what the network says now in photos where it had found nothing, or another side, if it sees such a
    hand there, and that agrees with the other photos. ask: camera, box (x0, y0, x1, y1) photo px, side -> a proposal,
    None where there is none."""
    inside = [one for one in hand.sightings if one.camera.name not in hand.left_out]
    found = []
    for name, view in hand.views.items():
        own = next((one for one in hand.sightings if one.camera.name == name), None)
        if name not in sizes or (own is not None and own.hand.side == hand.side):
            continue
        box = _box(view, sizes[name])
        proposal = None if box is None else ask(name, box, hand.side)
        if proposal is None or proposal.side != hand.side:
            continue
        one = Sighting.of(hand.rig[name], proposal)
        if one.is_seen and float(np.median([disagreement(one, other) for other in inside])) <= GROSS:
            found.append(one)
    if not found:
        return hand
    new = {one.camera.name for one in found}
    return join_one([one for one in hand.sightings if one.camera.name not in new] + found, hand.rig, model, sizes)


def _box(view: HandMesh, size: tuple[int, int]) -> tuple[float, float, float, float] | None:
    height, width = size
    points = view.keypoints
    inside = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    if inside.mean() < SEEN:
        return None
    low, high = points.min(axis=0), points.max(axis=0)
    wider = WIDER * float((high - low).max())
    return (*(low - wider).tolist(), *(high + wider).tolist())
