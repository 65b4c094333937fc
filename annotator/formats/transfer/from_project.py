"""A project's hands as records: the way from what people did to any data set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand, box_of, joint_weights, visibility
from annotator.formats.core.filters import Filter
from annotator.hand.definitions import JointDefinition
from annotator.hand.joints import JOINT_NAMES
from annotator.hand.mesh import HandMesh
from annotator.project import Project, StoredHand
from annotator.project.photo_files.pixels import check
from annotator.project.records.states import ACCEPTED
from annotator.project.records.views import HandEntry
from annotator.project.strain import strained_labels
from annotator.vision.camera import project as to_pixels


class ChangedPhoto(InputError):
    """A hand's photo is not there any more, or shows something else than when it was annotated."""


def entries(project: Project, states: Iterable[str] = (ACCEPTED,), after: int = 0) -> Iterator[HandEntry]:
    """The project's hands of these states, oldest first, numbered above `after`; people's copies of gold hands are
    never among them."""
    return project.each_hand(states, after=after, copies=False)


def fingerprint(project: Project, states: Iterable[str] = (ACCEPTED,)) -> tuple[str, int]:
    """(a text that is another one once any of these hands, or what the project means by the joints, is; how many hands
    they are)."""
    digest, count = hashlib.sha256(json.dumps(project.definition().as_dict()).encode()), 0
    for entry in entries(project, states):
        digest.update(f"{entry.id} {entry.version} {entry.state} {entry.photo}\n".encode())
        count += 1
    return digest.hexdigest(), count


def labelled_hands(
    project: Project, states: Iterable[str] = (ACCEPTED,), after: int = 0, strained: bool = False
) -> Iterator[LabelledHand]:
    """The project's hands of these states, oldest first; only what a person accepted unless asked for by
    name, and then their `state` and an empty `accepted_by` in the provenance mark them. People's copies of
    gold hands are never among them. after: the number of the hand to go on behind; strained: also hands whose labels
    contradict their meshes (`strained` in the provenance names the joints).

    Keypoints are the labels exactly as they were set, and elsewhere where the mesh has the joints of the project's
    definition. ChangedPhoto (an InputError) if a photo is gone or does not show what was annotated: its bytes, or,
    where somebody edited its metadata, its picture is compared.
    """
    records = (record for _, record in numbered_hands(project, states, after) if record is not None)
    return Filter(strained=strained)(records)


def numbered_hands(
    project: Project,
    states: Iterable[str] = (ACCEPTED,),
    after: int = 0,
    changed: Callable[[str], None] | None = None,
) -> Iterator[tuple[int, LabelledHand | None]]:
    """(the hand's number, its record), see `labelled_hands`; strained ones, too. changed: told of each hand whose photo
    is gone or shows something else now, instead of the error; its record is then None."""
    checked, definition, subjects = None, project.definition(), _subjects(project)
    for entry in entries(project, states, after):
        project.check_hand(entry.id)  # nothing is built on damage
        hand = project.hand(entry.id)
        try:
            if hand.photo.id != checked:
                _check_photo(hand)
                checked = hand.photo.id
        except ChangedPhoto as error:
            if changed is None:
                raise
            changed(str(error))
            yield entry.number, None
            continue
        record = _record(project, hand, project.mesh(entry.id), definition, entry)
        if hand.photo.id in subjects:
            record = replace(record, provenance={**record.provenance, "subject": subjects[hand.photo.id]})
        yield entry.number, record


def _subjects(project: Project) -> dict[int, str]:
    """Photo's id -> the name of the subject whose hands it shows, where somebody said so."""
    return {photo: one.name for one in project.subjects.all() for photo in project.subjects.photos(one.name)}


def _check_photo(hand: StoredHand) -> None:
    """ChangedPhoto unless the hand's photo is there and is the one that was annotated."""
    try:
        check(hand.photo)
    except InputError as error:
        raise ChangedPhoto(f"hand {hand.id}: {error}") from error


def left_out(project: Project, wanted: Filter, states: Iterable[str] = (ACCEPTED,)) -> int:
    """How many hands `wanted` leaves out for nothing else than that a label contradicts the mesh."""
    if wanted.strained:
        return 0
    else_wanted, definition, count = replace(wanted, strained=True), project.definition(), 0
    for entry in entries(project, states):
        if not entry.corrections:
            continue
        hand, mesh = project.hand(entry.id), project.mesh(entry.id)
        if strained_labels(mesh, hand.joint_states, definition):
            count += else_wanted.keeps(_record(project, hand, mesh, definition, entry))
    return count


def left_out_words(count: int) -> str:
    """The same for a person."""
    hands = "1 hand" if count == 1 else f"{count} hands"
    return f"{hands} left out, with labels that no plausible hand meets"


@contextmanager
def explained(count: int) -> Iterator[None]:
    """An export's InputError that there are no hands says, if it is so, that this many were left out."""
    try:
        yield
    except InputError as error:
        if not count or "no hands to export" not in str(error):
            raise
        raise InputError(f"{error}: {left_out_words(count)}") from error


def _record(
    project: Project, hand: StoredHand, mesh: HandMesh, definition: JointDefinition, entry: HandEntry
) -> LabelledHand:
    keypoints = definition.places(mesh)
    outline = np.concatenate([to_pixels(mesh.vertices, hand.K), keypoints])
    return LabelledHand(
        id=hand.id,
        photo=hand.photo.path,
        side=hand.side,
        box=box_of(outline),
        K=hand.K,
        keypoints=keypoints,
        visible=visibility(hand.joint_states),
        states=hand.joint_states,
        weights=joint_weights(hand.joint_states, hand.confidence),
        joints=hand.joints,
        vertices=mesh.vertices,
        faces=mesh.faces,
        parameters=hand.parameters,
        keypoint_sigma=hand.keypoint_sigma,
        hand_model=hand.provenance["hand_model_digest"],
        state=hand.state,
        provenance=_provenance(hand, project.origin(hand.id))
        | _track(entry)
        | _labels(hand, mesh, definition)
        | _instant(project, hand),
    )


def _instant(project: Project, hand: StoredHand) -> dict:
    """Of a hand that is one mesh in several photos: the instant, the hands of the other photos, and the camera as it
    stands in the rig: a point X of the world (m) is R X + t in its frame, where the mesh is; K and distortion are the
    lens's own (the record's K is the pinhole nearest to it where the hand is)."""
    one = project.one_mesh(hand.id)
    rig = None if one is None else project.rigs().get(one.rig)
    if one is None or rig is None:
        return {}
    name = next(camera for camera, other in one.hands.items() if other == hand.id)
    camera = rig.metric(1.0)[name]
    about = {"rig": one.rig, "instant": one.moment, "camera": name, "hands": dict(one.hands), **camera.as_dict()}
    if name in one.left_out:
        about["left_out"] = one.left_out[name]
    return {"rig": about}


def _frame(photo) -> dict:
    """Of a frame of a video: what the video contains, the frame's number and its time stamp (s)."""
    if photo.frame is None:
        return {}
    return {"video_sha256": photo.video, "frame": photo.frame, "time": photo.seconds}


def _track(entry: HandEntry) -> dict:
    """Of a hand on a track through a video: the track's number, and what speaks against the hand there."""
    return {} if entry.track is None else {"track": entry.track, "track_reasons": list(entry.reasons)}


def _provenance(hand, origin) -> dict:
    """Where the label came from. accepted_by "" is the mark of a hand that no person accepted."""
    return {
        **hand.provenance,
        "photo": hand.photo.path.name,
        **_frame(hand.photo),
        "confidence": hand.confidence,
        "corrections": {str(joint): list(point) for joint, point in hand.corrections.items()},
        **({"depth_labels": hand.depth_labels.as_dict()} if hand.depth_labels else {}),
        "version": hand.version,
        "changed": hand.changed,
        **origin.as_dict(),
    }


def _labels(hand: StoredHand, mesh: HandMesh, definition: JointDefinition) -> dict:
    """What was set and what the mesh made of it: each label's place and the mesh's joint as the project means it,
    photo px; and the joints whose labels contradict the mesh."""
    places = definition.keypoints(mesh)
    labels = {
        JOINT_NAMES[joint]: {
            "set": list(place),
            "mesh": places[joint].tolist(),
            "apart_px": float(np.linalg.norm(places[joint] - place)),
        }
        for joint, place in hand.corrections.items()
    }
    contradicting = [one.joint for one in strained_labels(mesh, hand.joint_states, definition)]
    return {"definition": definition.name, "labels": labels, "strained": contradicting}
