"""Whose hands the photo shows, and what is known of that person's hand; without Qt and napari."""

from __future__ import annotations

from collections.abc import Mapping

from annotator.errors import InputError
from annotator.files.frame_places import file_of
from annotator.project import StoredPhoto
from annotator.project.records.views import StoredSubject
from napari_hand_mesh.session.together import Together

# whose hands more than this photo shows -> in words
SCOPES = {"photo": "this photo", "like": "its folder or video"}


class People(Together):
    """The part of `Session` that knows subjects."""

    def person(self) -> StoredSubject | None:
        """The subject whose hands the photo shows; None: nobody said."""
        return None if self.at is None else self.project.subjects.of_photo(self.at.id)

    def names(self) -> list[str]:
        """All subjects, in the order in which they were named."""
        return [one.name for one in self.project.subjects.all()]

    def assign(self, name: str, scope: str = "photo") -> int:
        """The photo's hands are this person's ("": nobody's that is known); how many photos were not before. scope: of
        SCOPES; the other photos of its instant go with it. Corrections count the person's shape from now on."""
        changed = self.project.subjects.assign(name.strip(), self._photos_of(scope))
        self._know_person()
        return changed

    def measure(self, sizes: Mapping[str, float | None]) -> str:
        """What a ruler says of the hand of the photo's person: see `Subjects.measure`; their shape, estimated with it,
        counts from now on. Their name. InputError: nobody said whose hands these are, or no size of a hand."""
        person = self.person()
        if person is None:
            raise InputError("say first whose hands these are")
        self.project.subjects.measure(person.name, sizes)
        self._know_person()
        return person.name

    def undo_said(self) -> str:
        """Take back what this person said last of a subject; in words."""
        said = self.project.subjects.undo()
        self._know_person()
        return said

    def _know_person(self) -> None:
        self.subject = None if self.at is None else self.project.subjects.shape_for(self.at.id)
        self._changed()

    def _photos_of(self, scope: str) -> list[int]:
        """Ids of the photos that go with the one which is looked at."""
        if self.at is None:
            return []
        if scope == "photo":
            others = [] if self.instant is None else self.instant.photos.values()
            return sorted({self.at.id, *(photo.id for photo in others)})
        here = _group(self.at)
        return [photo.id for photo in self.project.photos() if _group(photo) == here]


def in_words(one: StoredSubject | None) -> str:
    """What is known of a person, in a line."""
    if one is None:
        return "nobody said whose hands these are"
    sizes = [f"{name} {1000 * size:.0f} mm" for name, size in one.sizes.items()]
    known = "no shape yet: it takes 12 labels, or a size"
    if one.shape is not None:
        hands = f"{one.shape.hands} hand{'' if one.shape.hands == 1 else 's'}"
        known = f"shape from {hands}, ± {_sigma(one):.1f} standard deviations"
    return ", ".join([f"{one.photos} photos", f"{one.hands} hands", f"{one.labels} labels", *sizes, known])


def _sigma(one: StoredSubject) -> float:
    """How unsure the shape is: the mean of its ten sigmas, 1 being one standard deviation between people."""
    return float(one.shape.sigma.mean())


def _group(photo: StoredPhoto) -> str:
    """The video that a frame is of, or the folder that a photo lies in."""
    return photo.video or str(file_of(photo.path).parent)
