"""The napari plugin: hand meshes on photos, corrected by dragging keypoints.

`session` knows no Qt: a project, the hand a person looks at, and what they do to it. `layers` shows it on
napari's canvas, `widget` in docks; `dragging` and `keys` take the person's hands.
"""

from __future__ import annotations
