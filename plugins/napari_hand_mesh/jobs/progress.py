"""How the work on a project goes: hands accepted, corrected and left, by person and over time, and where the time went;
read from its journal, without Qt. What was undone does not count."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from annotator.project import HandEntry, Project
from annotator.project.journal import EDIT, REDO, STATE, UNDO, Event
from napari_hand_mesh.session.navigation.hand_queue import OPEN

EVERYTHING = 1_000_000  # events that are read at most
BUCKETS = 24  # of time, at most
VERDICTS = ("accepted", "rejected", "flagged")


@dataclass(frozen=True)
class Person:
    """judged: hands whose last verdict in force is theirs; labels: keypoints they moved; seconds: they worked; gold_mm:
    mean error on gold hands, None: not known."""

    name: str
    judged: int
    labels: int
    seconds: float
    gold_mm: float | None = None

    @property
    def hour(self) -> float | None:
        """Hands an hour; None before there is a minute of work."""
        return 3600 * self.judged / self.seconds if self.seconds >= 60 else None


@dataclass(frozen=True)
class Progress:
    """states: how many hands of each; corrected: with labels; people: those of most verdicts first; over_time:
    (from when, local time; verdicts), oldest first; spent: (on what, s), most first."""

    states: Mapping[str, int]
    corrected: int
    people: tuple[Person, ...]
    over_time: tuple[tuple[str, int], ...]
    spent: tuple[tuple[str, float], ...]

    @classmethod
    def of(
        cls, entries: Iterable[HandEntry], newest_first: Iterable[Event], gold: Mapping[str, float] | None = None
    ) -> Progress:
        """gold: person -> mean error on gold hands, mm."""
        entries, done = list(entries), _in_force(newest_first)
        judge: dict[str, str] = {}  # hand -> whose verdict counts
        labels: Counter[str] = Counter()
        seconds: defaultdict[str, float] = defaultdict(float)
        spent: defaultdict[str, float] = defaultdict(float)
        when: list[datetime] = []
        for event in done:  # newest first
            took = event.note.get("seconds", 0)
            took = float(took) if isinstance(took, int | float) and 0 <= took < 1e6 else 0.0
            kind = _kind(event)
            spent[kind] += took
            seconds[event.who] += took
            labels[event.who] += kind.startswith("moving")
            if event.kind == STATE:
                judge.setdefault(event.hand, event.who)
                when.append(datetime.fromisoformat(event.at).astimezone())
        judged = Counter(judge.values())
        people = [
            Person(who, judged[who], labels[who], seconds[who], (gold or {}).get(who))
            for who in sorted(seconds, key=lambda who: (-judged[who], who))
        ]
        return cls(
            Counter(entry.state for entry in entries), sum(entry.corrections > 0 for entry in entries), tuple(people),
            _over_time(when), tuple(sorted(((k, s) for k, s in spent.items() if s > 0), key=lambda one: -one[1])),
        )  # fmt: skip

    @classmethod
    def read(cls, folder: Path) -> Progress:
        """Of the project in this folder, as it is on disk."""
        with Project.open(folder) as project:
            gold = {one.who: one.mean_mm for one in project.skills() if one.mean_mm is not None}
            return cls.of(project.hands(), project.recent(EVERYTHING), gold)

    @property
    def left(self) -> int:
        return sum(self.states.get(state, 0) for state in OPEN)

    @property
    def total(self) -> int:
        return sum(self.states.values())

    def words(self) -> str:
        """As HTML: totals, then a line for each person."""
        counts = ", ".join(f"{self.states[state]} {state}" for state in VERDICTS if self.states.get(state))
        lines = [f"<b>{self.total - self.left} of {self.total} hands judged</b>, {self.left} left"
                 + (f" ({counts})" if counts else "") + f"; {self.corrected} have labels."]  # fmt: skip
        seconds, judged = sum(one.seconds for one in self.people), sum(one.judged for one in self.people)
        if judged and seconds >= 60:
            each = seconds / judged
            lines.append(f"{each:.0f} s a hand so far: what is left takes about {_long(each * self.left)}.")
        rows = "".join(
            f"<tr><td>{one.name}&nbsp;&nbsp;</td><td align=right>{one.judged}</td><td align=right>{one.labels}</td>"
            f"<td align=right>{_long(one.seconds)}</td><td align=right>{_or_dash(one.hour, '.0f')}</td>"
            f"<td align=right>{_or_dash(one.gold_mm, '.1f')}</td></tr>"
            for one in self.people
        )
        names = ("person", "judged", "keypoints moved", "time", "hands an hour", "error on gold, mm")
        head = "".join(f"<td align={'left' if at == 0 else 'right'}><b>&nbsp;{name}</b></td>"
                       for at, name in enumerate(names))  # fmt: skip
        return "<br>".join(lines) + (f"<br><br><table cellpadding=2><tr>{head}</tr>{rows}</table>" if rows else "")


def _in_force(newest_first: Iterable[Event]) -> list[Event]:
    """What people did and did not take back; what networks proposed is nobody's work."""
    in_force: dict[int, bool] = {}
    found = []
    for event in newest_first:
        if event.kind in (UNDO, REDO) and event.target is not None:
            in_force.setdefault(event.target, event.kind == REDO)
        elif event.kind in (EDIT, STATE) and in_force.get(event.seq, True):
            found.append(event)
    return found


def _kind(event: Event) -> str:
    """What a step was, for the sum of its time."""
    note = event.note
    joint = note.get("joint")
    if event.kind == STATE:
        return "verdicts: looking and deciding"
    if any(name in note for name in ("nearer by, mm", "alternative", "in front of", "behind", "depth")):
        return "depth"
    if isinstance(joint, str):
        finger = joint.partition("_")[0]
        return f"moving keypoints: {finger}"
    if "states" in note:
        return "states of keypoints"
    return "boxes and sides" if "box" in note or "side" in note else "other"


def _over_time(when: list[datetime]) -> tuple[tuple[str, int], ...]:
    """Verdicts in each hour; in each day, where hours would be too many."""
    for size, shown in (("%Y-%m-%d %H", "%H:00"), ("%Y-%m-%d", "%d %b")):
        counts = Counter(at.strftime(size) for at in when)
        labels = {at.strftime(size): at.strftime(shown) for at in when}
        if len(counts) <= BUCKETS:
            break
    return tuple((labels[key], counts[key]) for key in sorted(counts)[-BUCKETS:])


def _long(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
