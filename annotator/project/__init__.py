"""What people did: a project's photos, hands, their states, and the journal of every change."""

from annotator.project.instants import Instant, OneMesh
from annotator.project.journal import Event
from annotator.project.records.states import HAND_STATES, JOINT_STATES
from annotator.project.records.views import (
    GoldHand,
    HandEntry,
    Origin,
    Provenance,
    Skill,
    StoredHand,
    StoredPhoto,
    TrackEntry,
    TrackSummary,
)
from annotator.project.store import Project

__all__ = [
    "HAND_STATES",
    "JOINT_STATES",
    "Event",
    "GoldHand",
    "HandEntry",
    "Instant",
    "OneMesh",
    "Origin",
    "Project",
    "Provenance",
    "Skill",
    "StoredHand",
    "StoredPhoto",
    "TrackEntry",
    "TrackSummary",
]
