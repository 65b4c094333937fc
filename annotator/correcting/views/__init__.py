"""One hand that several cameras see at once: matched, joined, and moved by labels in any of its photos."""

from annotator.correcting.views.instant_hand import InstantHand
from annotator.correcting.views.joining import join, join_one, metric_rig, refine_views
from annotator.correcting.views.recalling import labels_of, recalled
from annotator.correcting.views.sighting import Sighting

__all__ = ["InstantHand", "Sighting", "join", "join_one", "labels_of", "metric_rig", "recalled", "refine_views"]
