"""Hands through a video: followed from frame to frame, kept apart, smoothed over time; labels that speak to their
neighbours."""

from annotator.tracking.following import Follower, Following, Frame
from annotator.tracking.labelling.labels import needed_next, propagate, take_back
from annotator.tracking.records import BRIDGED, SEEN, Track, TrackedHand
from annotator.tracking.trajectories.smoothing import Smoothing
from annotator.tracking.video import track_frames, track_video

__all__ = [
    "BRIDGED", "SEEN", "Follower", "Following", "Frame", "Smoothing", "Track", "TrackedHand", "needed_next",
    "propagate", "take_back", "track_frames", "track_video",
]  # fmt: skip
