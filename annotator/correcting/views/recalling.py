"""A hand of an instant from its meshes alone, as a project keeps them: joined anew, then told its labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from annotator.correcting.views.instant_hand import InstantHand
from annotator.correcting.views.joining import join_one
from annotator.correcting.views.sighting import Sighting
from annotator.errors import InputError
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.rigs import Rig


def recalled(
    shown: Mapping[str, HandMesh],
    rig: Rig,
    model: HandModel,
    left_out: Mapping[str, str],
    proposed: Callable[[str, HandMesh], HandMesh] | None = None,
) -> InstantHand:
    """The hand as it was before any label.

    shown: camera -> the hand in that photo; rig: in metres; left_out: camera -> why its proposal does not count;
    proposed(camera, hand without labels): what the network says of that photo, None: the mesh itself stands for it.
    InputError if no photo counts.
    """
    sightings = []
    for name in (one for one in rig if one in shown and one not in left_out):
        unlabelled = shown[name].replace(corrections={}, camera=rig[name].K)
        sightings.append(Sighting.of(rig[name], unlabelled if proposed is None else proposed(name, unlabelled)))
    if not sightings:
        raise InputError("no photo of this hand counts: there is nothing to start from")
    return join_one(sightings, rig, model, dict.fromkeys(shown))  # in all of these photos it is known to be


def labels_of(hand: InstantHand, shown: Mapping[str, HandMesh]) -> dict[str, dict[int, tuple[float, float]]]:
    """camera -> the labels that the hand has in that photo."""
    return {name: dict(one.corrections) for name, one in shown.items() if one.corrections and name in hand.views}
