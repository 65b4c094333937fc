"""Rigs and instants of a project: which photos are of one moment, and which hands are one mesh in several of them.

They are kept in `meta`, as what photos show is (`pictures`): `rig NAME`, `instant RIG/MOMENT` (camera -> photo),
`moment of PHOTO` and `one mesh HAND`. What is done to the hands is in the journal like all else; a step that moved
one mesh in several photos has the same `together` in the note of each of its events, and is undone and redone as one.
"""

from annotator.project.instants.hands import InstantHands
from annotator.project.instants.keys import kept
from annotator.project.instants.moments import Instants
from annotator.project.instants.steps import companions, new_together, views_of
from annotator.project.records.instants import Instant, OneMesh

__all__ = ["Instant", "InstantHands", "Instants", "OneMesh", "companions", "kept", "new_together", "views_of"]
