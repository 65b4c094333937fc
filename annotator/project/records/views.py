"""What a project says about itself: frozen records, detached from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from annotator.correcting.subjects.subject import Subject
from annotator.files.frame_places import frame_place, in_words
from annotator.hand.depth_labels import DepthLabels
from annotator.hand.mesh import HandMesh, HandParameters


@dataclass(frozen=True)
class Provenance:
    """Who proposed a hand. model: a name or path for people; model_digest: exactly these weights;
    code_version: of this library ("" = the running one); extra: anything else worth keeping, JSON.
    """

    model: str
    model_digest: str
    code_version: str = ""
    extra: Mapping = field(default_factory=dict)

    @classmethod
    def of(cls, model: str, model_digest: str, quick: bool) -> Provenance:
        """Of proposals by a model that looked in haste, or did not."""
        return cls(model, model_digest, extra={"quick": True} if quick else {})


@dataclass(frozen=True)
class StoredPhoto:
    """A photo of the project: where it was when it was added, and its content (SHA-256, size in px).

    A frame of a video has the path `clip.mp4#frame=120`; video: what that video contains (SHA-256), frame: its number
    there, seconds: its time stamp. All three are None for an image file, which has a picture: the digest of what it
    shows, "" where that is not known.
    """

    id: int
    path: Path
    sha256: str
    height: int
    width: int
    video: str | None = None
    frame: int | None = None
    seconds: float | None = None
    picture: str = ""

    @property
    def name(self) -> str:
        """Its name for people: `photo.jpg`, or `clip.mp4 frame 120 (4.800 s)`."""
        return in_words(self.path, self.seconds)


@dataclass(frozen=True)
class HandEntry:
    """A line of the project's list of hands. photo: its path; corrections: how many keypoints a person has
    set; leased_by: who works on it just now ("": nobody); frame, seconds: of a photo that is a frame of a video; track:
    the number of its track, None: of none; reasons: what speaks against it there, see `tracks`.
    """

    id: str
    number: int
    photo: str
    photo_id: int
    side: str
    state: str
    confidence: float
    corrections: int
    version: int
    created: str
    changed: str
    leased_by: str = ""
    frame: int | None = None
    seconds: float | None = None
    track: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def photo_name(self) -> str:
        """The photo's name for people: `photo.jpg`, or `clip.mp4 frame 120 (4.800 s)`."""
        return in_words(self.photo, self.seconds)

    def as_dict(self) -> dict:
        """All of it; video: the path of the video that the photo is a frame of, else None."""
        place = None if self.frame is None else frame_place(self.photo)
        # asdict copies each value: ten times slower on a long list
        return dict(vars(self)) | {"video": None if place is None else str(place.video)}


@dataclass(frozen=True, eq=False)
class StoredHand:
    """Everything the project knows of one hand, as of `version`.

    K (3,3); crop (4,) = centre x, y, size px, angle rad; parameters (of the mirror image for a left hand);
    joints (21,3) m and keypoints (21,2) photo px as the parameters give them; keypoint_sigma (21,) px;
    corrections: keypoint number -> (x, y) photo px set by a person; joint_states: 21 of states.JOINT_STATES;
    state: of states.HAND_STATES; provenance: JSON-ready (model, digests, code, photo, time); depth_labels: what a
    person said of its depth.
    """

    id: str
    photo: StoredPhoto
    side: str
    K: np.ndarray
    crop: np.ndarray
    parameters: HandParameters
    joints: np.ndarray
    keypoints: np.ndarray
    keypoint_sigma: np.ndarray
    confidence: float
    corrections: Mapping[int, tuple[float, float]]
    joint_states: tuple[str, ...]
    state: str
    version: int
    created: str
    changed: str
    provenance: Mapping
    depth_labels: DepthLabels = field(default_factory=DepthLabels)


@dataclass(frozen=True)
class TrackEntry:
    """A hand of a track, in its frame. photo: the photo's id; kind: 'seen', or 'bridged' where nothing was found in the
    frame; reasons: what speaks against it ('jump', 'gap', 'crossing', ...); state, corrections, version: as in
    `HandEntry`."""

    id: str
    frame: int
    seconds: float
    photo: int
    side: str
    kind: str
    reasons: tuple[str, ...]
    state: str
    confidence: float
    corrections: int
    version: int


@dataclass(frozen=True)
class TrackSummary:
    """One hand through a video. track: its number; video: the video's path; sha256: what that contains; side; hands,
    seen, doubtful, corrected, accepted: how many, all in all, found in the picture, with a reason, with labels,
    accepted; first, last: (frame's number, seconds)."""

    track: int
    video: str
    sha256: str
    side: str
    hands: int
    seen: int
    doubtful: int
    corrected: int
    accepted: int
    first: tuple[int, float]
    last: tuple[int, float]

    def as_dict(self) -> dict:
        return asdict(self) | {"first": list(self.first), "last": list(self.last)}


@dataclass(frozen=True, eq=False)
class GoldHand:
    """A hand of known truth: mesh and joint_states (21) as they were when it was made gold, whatever came later."""

    id: str
    photo: StoredPhoto
    mesh: HandMesh
    joint_states: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """Who made a hand what it is. edited_by: people whose changes it had, in the order of their first;
    accepted_by: whose acceptance is in force ("": no person accepted it); reviewed_by: second persons who
    agreed to it as it is; seconds, drags: what its makers noted, over all events; events: how many.
    """

    proposed_by: str
    edited_by: tuple[str, ...]
    accepted_by: str
    reviewed_by: tuple[str, ...]
    seconds: float
    drags: int
    events: int

    def as_dict(self) -> dict:
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class StoredSubject:
    """A subject of the project: its name; photos, hands (without rejected ones), labels: how many it has; sizes:
    "length" and "width", m, as far as measured; shape: the estimate in force, or None; estimated_at: when (UTC), "" if
    never; due: whether so much has changed that it is to be estimated again.
    """

    name: str
    photos: int
    hands: int
    labels: int
    sizes: Mapping[str, float]
    shape: Subject | None
    estimated_at: str
    due: bool

    def as_dict(self) -> dict:
        """For JSON, sizes in mm."""
        values = {name: value for name, value in vars(self).items() if name != "shape"}
        values["sizes"] = {f"{name}_mm": round(1000 * size, 2) for name, size in self.sizes.items()}
        return values | {"shape": None if self.shape is None else self.shape.as_dict()}


@dataclass(frozen=True)
class Renewal:
    """A hand whose mesh is not of its subject's shape: its id and state; apart_mm: how far the two hands at rest are
    apart, mean over the surface after alignment."""

    hand: str
    state: str
    apart_mm: float

    def as_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Skill:
    """How well a person labels gold hands. given, accepted: how many; mean_mm, worst_mm: over the accepted
    ones, mean joint distance with the wrists laid on each other (None: no accepted one).
    """

    who: str
    given: int
    accepted: int
    mean_mm: float | None
    worst_mm: float | None

    def as_dict(self) -> dict:
        return asdict(self)
