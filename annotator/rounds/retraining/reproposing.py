"""After a promotion: the project's open hands are proposed again by the better model; whatever a person touched
stays."""

from __future__ import annotations

from collections.abc import Callable

from annotator.errors import InputError
from annotator.model import Model
from annotator.project import Project, Provenance
from annotator.project.records.states import PROPOSED
from annotator.rounds.reading import PhotoReader
from annotator.rounds.selection.candidates import look
from annotator.vision.crops import Crop


def repropose(
    project: Project, model: Model, provenance: Provenance, progress: Callable[[int, int], None] | None = None
) -> dict[str, int]:
    """New proposals for all hands in state 'proposed', each in its crop. {"refreshed", "current", "left"}: hands
    proposed anew; done already (so an interrupted run goes on); left as they were (photo gone, or in somebody's
    work)."""
    counts = {"refreshed": 0, "current": 0, "left": 0}
    reader = PhotoReader()
    waiting = project.hands(PROPOSED)
    for done, entry in enumerate(waiting):
        stored = project.hand(entry.id)
        if stored.provenance.get("model_digest") == provenance.model_digest:
            counts["current"] += 1
        else:
            photo = reader.read(stored.photo.path)
            try:
                if photo is None:
                    raise InputError(f"photo {stored.photo.path} cannot be read")
                mesh = project.mesh(entry.id)
                fresh = look(model, photo, Crop.of_hand(mesh), mesh.camera, views=False).hand
                project.repropose(entry.id, fresh, provenance, version=stored.version)
                counts["refreshed"] += 1
            except InputError:  # somebody took it meanwhile: it is theirs now
                counts["left"] += 1
        if progress is not None:
            progress(done + 1, len(waiting))
    return counts
