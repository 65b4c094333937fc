"""Which hands of a project somebody means: by id, by pattern, by what the list of hands says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TYPE_CHECKING

from annotator.errors import InputError
from annotator.hand.joints import check_side
from annotator.project.records.states import check_hand_state
from annotator.project.records.views import HandEntry

if TYPE_CHECKING:
    from annotator.project.store import Project


@dataclass(frozen=True)
class Choice:
    """What hands must be like. states, side, photo: empty is any; photo: a pattern for the photo's name or path, or for
    the name of the video that it is a frame of; confidence: the network's, at least and at most; corrected: whether a
    person has set a keypoint (None: either). InputError for states and sides that there are not.
    """

    states: tuple[str, ...] = ()
    photo: str = ""
    side: str = ""
    min_confidence: float = 0.0
    max_confidence: float = 1.0
    corrected: bool | None = None

    def __post_init__(self) -> None:
        for state in self.states:
            check_hand_state(state)
        if self.side:
            check_side(self.side)

    def takes(self, entry: HandEntry) -> bool:
        """Whether the hand is like that."""
        return (
            (not self.states or entry.state in self.states)
            and (not self.side or entry.side == self.side)
            and self.min_confidence <= entry.confidence <= self.max_confidence
            and (self.corrected is None or self.corrected == bool(entry.corrections))
            and (not self.photo or _shows(entry, self.photo))
        )


def is_pattern(text: str) -> bool:
    """Whether it stands for several hands: `*`, `?` and `[...]` as in a shell."""
    return any(sign in text for sign in "*?[")


def chosen(project: Project, patterns: Iterable[str], choice: Choice) -> Iterator[HandEntry]:
    """The hands, oldest first, whose ids match one of the patterns (none: all ids) and that are as `choice` says."""
    wanted = list(patterns)
    for entry in project.each_hand(choice.states or None):
        if (not wanted or any(fnmatchcase(entry.id, one) for one in wanted)) and choice.takes(entry):
            yield entry


def named(project: Project, hands: Iterable[str]) -> tuple[list[str], list[str]]:
    """(ids, patterns) of what somebody typed: what is a hand's id is that, whatever signs are in it. InputError for
    what is neither."""
    ids, patterns = [], []
    for text in dict.fromkeys(hands):
        try:
            project.hand(text)
            ids.append(text)
        except InputError:
            if not is_pattern(text):
                raise
            patterns.append(text)
    return ids, patterns


def _shows(entry: HandEntry, pattern: str) -> bool:
    names = {entry.photo, PurePath(entry.photo).name, PurePath(entry.photo.partition("#")[0]).name, entry.photo_name}
    return any(fnmatchcase(name, pattern) for name in names)
