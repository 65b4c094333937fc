"""A project's hands as records: the way from what people did to any data set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand, box_of, joint_weights, visibility
from annotator.project import Project
from annotator.project.pixels import check
from annotator.project.records.states import ACCEPTED
from annotator.project.records.views import HandEntry
from annotator.vision.camera import project as to_pixels


class ChangedPhoto(InputError):
    """A hand's photo is not there any more, or shows something else than when it was annotated."""


def entries(project: Project, states: Iterable[str] = (ACCEPTED,), after: int = 0) -> Iterator[HandEntry]:
    """The project's hands of these states, oldest first, numbered above `after`; people's copies of gold hands are
    never among them."""
    return project.each_hand(states, after=after, copies=False)


def fingerprint(project: Project, states: Iterable[str] = (ACCEPTED,)) -> tuple[str, int]:
    """(a text that is another one once any of these hands is, how many they are)."""
    digest, count = hashlib.sha256(), 0
    for entry in entries(project, states):
        digest.update(f"{entry.id} {entry.version} {entry.state} {entry.photo}\n".encode())
        count += 1
    return digest.hexdigest(), count


def labelled_hands(project: Project, states: Iterable[str] = (ACCEPTED,), after: int = 0) -> Iterator[LabelledHand]:
    """The project's hands of these states, oldest first; only what a person accepted unless asked for by
    name, and then their `state` and an empty `accepted_by` in the provenance mark them. People's copies of
    gold hands are never among them. after: the number of the hand to go on behind.

    ChangedPhoto (an InputError) if a photo is gone or does not show what was annotated: its bytes, or, where somebody
    edited its metadata, its picture is compared.
    """
    return (record for _, record in numbered_hands(project, states, after))


def numbered_hands(
    project: Project,
    states: Iterable[str] = (ACCEPTED,),
    after: int = 0,
    changed: Callable[[str], None] | None = None,
) -> Iterator[tuple[int, LabelledHand | None]]:
    """(the hand's number, its record), see `labelled_hands`. changed: told of each hand whose photo is gone or is
    another one now, instead of the error; its record is then None."""
    checked = None
    for entry in entries(project, states, after):
        try:
            record, checked = _record(project, entry, checked)
        except ChangedPhoto as error:
            if changed is None:
                raise
            changed(str(error))
            record = None
        yield entry.number, record


def _record(project: Project, entry: HandEntry, checked: int | None) -> tuple[LabelledHand, int]:
    """(the hand's record, its photo's id); checked: the photo that was looked at last."""
    project.check_hand(entry.id)  # nothing is built on damage
    hand, mesh = project.hand(entry.id), project.mesh(entry.id)
    if hand.photo.id != checked:
        try:
            check(hand.photo)
        except InputError as error:
            raise ChangedPhoto(f"hand {hand.id}: {error}") from error
    outline = np.concatenate([to_pixels(mesh.vertices, hand.K), hand.keypoints])
    return (
        LabelledHand(
            id=hand.id,
            photo=hand.photo.path,
            side=hand.side,
            box=box_of(outline),
            K=hand.K,
            keypoints=hand.keypoints,
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
            provenance=_provenance(hand, project.origin(hand.id)),
        ),
        hand.photo.id,
    )


def _frame(photo) -> dict:
    """Of a frame of a video: what the video contains, the frame's number and its time stamp (s)."""
    if photo.frame is None:
        return {}
    return {"video_sha256": photo.video, "frame": photo.frame, "time": photo.seconds}


def _provenance(hand, origin) -> dict:
    """Where the label came from. accepted_by "" is the mark of a hand that no person accepted."""
    return {
        **hand.provenance,
        "photo": hand.photo.path.name,
        **_frame(hand.photo),
        "confidence": hand.confidence,
        "corrections": {str(joint): list(point) for joint, point in hand.corrections.items()},
        "version": hand.version,
        "changed": hand.changed,
        **origin.as_dict(),
    }
