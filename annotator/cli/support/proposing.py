"""The work of `annotator propose`: photos looked at one after the other, here, elsewhere or by another network."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from annotator.cli.support.output import progress
from annotator.errors import InputError
from annotator.files.photo_paths import read_ahead

if TYPE_CHECKING:
    import numpy as np

    from annotator.cluster import Engine
    from annotator.cluster.sources import Found
    from annotator.hand.mesh import HandMesh
    from annotator.model import Model
    from annotator.project import Project
    from annotator.proposers import Proposer


def checkpoint_of(project: Project, model: Path | None) -> tuple[Path | None, str]:
    """(the checkpoint to propose with, None is the shipped one; its name for people)."""
    from annotator.rounds import current_checkpoint

    promoted = current_checkpoint(project)
    name = model.name if model else f"round {int(promoted.parent.name)}" if promoted else "default"
    return model or promoted, name


@dataclass
class Done:
    """What came of photos: how many were looked at, gave a hand, were skipped; (file, why) of the failed."""

    photos: int = 0
    photos_with_hand: int = 0
    hands: int = 0
    skipped: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    _said: int = 0

    def with_those(self, first: Done) -> Done:
        """What came of photos of instants counts, which `propose_photos` then finds done."""
        self.photos, self.hands = self.photos + first.photos, self.hands + first.hands
        self.photos_with_hand += first.photos_with_hand
        self.skipped -= first.photos
        return self

    def fail(self, place: str | Path, why: str) -> None:
        """One more that could not be used; said on stderr. The first one, before any photo was of use, waits for
        another: alone it is the whole command's error, see `finish`."""
        self.failed.append((str(place), why))
        if self.photos or self.skipped or len(self.failed) > 1:
            self._say()

    def finish(self) -> None:
        """What waits is said; InputError if no photo at all was of use."""
        if self.photos or self.skipped:
            self._say()
        elif len(self.failed) == 1:
            raise InputError(f"no photo could be read: {self.failed[0][1]}")
        else:
            raise InputError(f"none of {len(self.failed)} photos could be read" if self.failed else "there is no photo")

    def _say(self) -> None:
        for _, why in self.failed[self._said :]:
            say_skipped(why)
        self._said = len(self.failed)


def propose_photos(
    project: Project,
    model: Model,
    files: Sequence[Path],
    name: str,
    batch: int = 16,
    stored: Callable[[Path, list[str], list[HandMesh]], None] | None = None,
    subject: str | None = None,
) -> Done:
    """Propose on photos and store the answers, photo by photo, so that an interrupted run goes on where it
    stopped. files: of photos, or the places of frames (`clip.mp4#frame=120`).

    A photo whose content this very model (its digest) has looked at is skipped; one that cannot be read is
    named on stderr. name: of the model, for its provenance. stored: called with each photo, its new hands'
    ids and the meshes. subject: whose hands all of them show; where the project knows the shape of a photo's subject,
    hands have it.
    """
    from annotator.project import Provenance

    done, provenance, seen = Done(), Provenance.of(name, model.digest, model.quick), set()
    waiting: deque[tuple[Path, tuple[int, int]]] = deque()

    def decoded() -> Iterator[np.ndarray]:
        looks = read_ahead(files, lambda path: _look(project, model.digest, path))
        for path, sha256, photo, why in progress(looks, "propose", len(files)):
            if why:
                done.fail(path, why)
            elif photo is None or sha256 in seen:
                done.skipped += 1
            else:
                seen.add(sha256)
                waiting.append((path, photo.shape[:2]))
                yield photo

    for hands in model.propose_many(decoded(), batch=batch):
        path, size = waiting.popleft()
        photo_id = project.add_photo(path, size)
        if subject is not None:
            project.subjects.assign(subject, [photo_id])
        shape = project.subjects.shape_for(photo_id) if hands else None
        if shape is None:
            ids = project.add_proposals(photo_id, hands, provenance)
        else:
            without_subject, hands = hands, [model.of_subject(hand, shape) for hand in hands]
            ids = project.add_proposals(photo_id, hands, provenance, without_subject)
        done.photos += 1
        done.photos_with_hand += bool(ids)
        done.hands += len(ids)
        if stored is not None:
            stored(path, ids, hands)
    return done


def propose_by(project: Project, proposer: Proposer, files: Sequence[Path], name: str) -> Done:
    """`propose_photos` by any `Proposer`; name: of it, for the provenance."""
    from annotator.project import Provenance

    done, provenance = Done(), Provenance(name, proposer.digest)
    for path in progress(files, "propose", len(files)):
        path, _, photo, why = _look(project, proposer.digest, path)
        if not why and photo is not None:
            try:
                hands = proposer.propose(photo, path=path)
            except InputError as error:
                why = str(error)
        if why:
            done.fail(path, why)
        elif photo is None:
            done.skipped += 1
        else:
            ids = project.add_proposals(project.add_photo(path, photo.shape[:2]), hands, provenance)
            done.photos += 1
            done.photos_with_hand += bool(ids)
            done.hands += len(ids)
    return done


def propose_on_ray(
    project: Project,
    engine: Engine,
    found: Found,
    model: Path | None,
    batch: int = 16,
    quick: bool = False,
    subject: str | None = None,
) -> Done:
    """`propose_photos` by the workers of a Ray cluster. The subject's shape is given to the hands here, as they arrive:
    it takes a hundredth of a second, and the workers know of no project."""
    from annotator.cluster.proposing import propose_photos as answers
    from annotator.network.checkpoint import checkpoint_digest, load_checkpoint

    model, name = checkpoint_of(project, model)
    digest = checkpoint_digest(load_checkpoint(model)[0])
    for name, why in found.empty:
        say_skipped(f"{name}: {why}")
    done = Done()
    total = None if found.tables else len(found.files)
    for answer in progress(answers(project, engine, found, name, digest, model, batch, quick), "propose", total):
        if answer["error"]:
            done.fail(answer["place"], answer["error"])
        elif answer["hands"] is None:
            done.skipped += 1
        else:
            done.photos += 1
            done.photos_with_hand += bool(answer["hands"])
            done.hands += len(answer["hands"])
            if subject is not None and answer["hands"]:
                _give_subject(project, subject, answer["hands"])
    return done


def _give_subject(project: Project, subject: str, hands: Sequence[str]) -> None:
    """These new hands, of one photo, are this person's."""
    photo = project.hand(hands[0]).photo.id
    project.subjects.assign(subject, [photo])
    if project.subjects.shape_for(photo) is not None:
        for hand in hands:
            project.subjects.renew(hand)


def _look(project: Project, digest: str, path: Path) -> tuple[Path, str, np.ndarray | None, str]:
    """(path, content's SHA-256, photo or None if it is done already, why it cannot be used or "")."""
    from annotator.files.user_paths import storable
    from annotator.vision.photos import photo_there, read_photo

    try:
        if not photo_there(path):
            read_photo(path)  # says what is wrong with it
        storable(path)
        sha256 = project.known_as(path)
        done = project.has_photo(sha256, digest)
        return path, sha256, None if done else read_photo(path), ""
    except InputError as error:
        return path, "", None, str(error)


def say_skipped(why: str) -> None:
    """One line on stderr about a photo that is left out."""
    print(f"annotator: skipped: {' '.join(why.split())}", file=sys.stderr)
