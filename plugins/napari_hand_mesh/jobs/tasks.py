"""What runs in threads beside the window: proposing on photos, writing a data set; without Qt and napari."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from annotator.errors import InputError
from annotator.formats import writer
from annotator.formats.core.filters import Filter
from annotator.formats.transfer.from_project import explained, labelled_hands, left_out
from annotator.hand.mesh import HandMesh
from annotator.project import Project, Provenance
from annotator.vision.photos import photo_hash, read_photo
from annotator.vision.video.choosing import Choice
from annotator.vision.video.expanding import expanded

if TYPE_CHECKING:
    from annotator.model import Model


def propose(
    folder: Path, files: Sequence[Path], model: Model, every: float = 0.5
) -> Iterator[tuple[int, int, int, str]]:
    """Hands of these photos into the project in `folder`, photo by photo, those done already left out.

    Yields (photos done, photos in all, new hands, what is wrong with this photo or ""). A video gives a photo each
    `every` seconds. Its own connection: this runs in another thread than the session's.
    """
    provenance = Provenance("default", model.digest)
    with Project.open_or_create(folder) as project:
        places = list(expanded(files, Choice(every)))
        for done, path in enumerate(places, 1):
            hands, wrong = 0, ""
            try:
                if not project.has_photo(photo_hash(path), model.digest):
                    photo = read_photo(path)
                    meshes = model.propose(photo)
                    hands = len(project.add_proposals(project.add_photo(path, photo.shape[:2]), meshes, provenance))
            except InputError as error:
                wrong = str(error)
            yield done, len(places), hands, wrong


def remembered(model: Model, photo: np.ndarray, hand: HandMesh) -> tuple[HandMesh, np.ndarray | None]:
    """What a session keeps of a hand, see `Looking.keep_features`: the hand with features, and its keypoints' doubt
    (None from a server's network, which tells none)."""
    from annotator.rounds.selection.disagreement import landmark_disagreement

    hand = model.remember(photo, hand)
    return hand, landmark_disagreement(model, hand) if hasattr(
        model, "network"
    ) else None  # a `RemoteModel` is a `Model` without one


def looked_at(model: Model, wanted: tuple | None, joined: tuple | None) -> tuple[tuple | None, object]:
    """(what `Looking.keep_features` takes, what `Together.keep_joined` takes), None where nothing is wanted. wanted,
    joined: of `Looking.wants_features` and `Together.wants_joined`."""
    kept = None if wanted is None else remembered(model, *wanted[1:])
    return kept, None if joined is None else model.remember_instant(*joined[1:])


class Counted:
    """Passes on records and counts them, until it is told to stop: then InputError, and no data set is left."""

    def __init__(self) -> None:
        self.records: Iterable = ()
        self.done, self.stopped = 0, False

    def __iter__(self) -> Iterator:
        for record in self.records:
            if self.stopped:
                raise InputError("the export was cancelled; nothing was written")
            yield record
            self.done += 1


def count_strained(folder: Path) -> int:
    """How many accepted hands of the project in `folder` an export leaves out, for labels that no plausible hand
    meets."""
    with Project.open(folder) as project:
        return left_out(project, Filter())


def export(
    folder: Path, name: str, out: Path, counted: Counted | None = None, strained: bool = False
) -> tuple[int, int]:
    """The accepted hands of the project in `folder` as a data set of format `name` in `out`; (how many, how many were
    left out because a label contradicts the mesh). strained: these, too."""
    with Project.open(folder) as project:
        if not project.hands("accepted", limit=1):
            raise InputError("no hand is accepted yet: there is nothing to export")
        project.check_file()
        counted = Counted() if counted is None else counted
        counted.records = labelled_hands(project, strained=strained)
        without = left_out(project, Filter(strained=strained))
        with explained(without):
            return writer(name).write(counted, out)["hands"], without
