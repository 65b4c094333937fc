"""Hands followed from frame to frame: looked at where they are expected, searched where one is missing."""

from annotator.tracking.following.follower import Follower, follow
from annotator.tracking.following.frames import Frame, frames_of
from annotator.tracking.following.settings import FOLLOWING, Following

__all__ = ["FOLLOWING", "Follower", "Following", "Frame", "follow", "frames_of"]
