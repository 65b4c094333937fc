"""Which hands of a project a person should look at next, which joint in each, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from annotator.hand.joints import JOINT_NAMES
from annotator.model import Model, load_model
from annotator.project import HandEntry, Project
from annotator.project.records.states import ACCEPTED, IN_WORK, PROPOSED
from annotator.rounds.reading import PhotoReader
from annotator.rounds.selection.candidates import described, gathered, look
from annotator.rounds.selection.strategies import DEFAULT, choose, strategy
from annotator.rounds.storage import current_checkpoint, opened_project
from annotator.vision.crops import Crop

TAUGHT = 500  # accepted hands, newest first, that new ones are compared with

Described = dict | np.ndarray | None
Describe = Callable[[Project, Path | None, Sequence[HandEntry]], Iterable[tuple[HandEntry, Described]]]


@dataclass(frozen=True)
class Ranked:
    """A hand to ask for. joint: the keypoint to ask for first, None if none can be expected to help; joints: all that
    can, best first; gain_mm: root of the variance that a correction of `joint` is expected to take from the joints."""

    id: str
    score: float
    joint: str | None
    gain_mm: float
    joints: tuple[str, ...]
    why: str
    photo: str
    state: str
    leased_by: str = ""

    def as_dict(self) -> dict:
        return asdict(self) | {"joints": list(self.joints)}


def rank(
    project: Project | str | Path,
    strategy_name: str = DEFAULT,
    count: int | None = None,
    seed: int = 0,
    model: Model | Path | None = None,
    device: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    describe: Describe | None = None,
) -> list[Ranked]:
    """The project's open hands (proposed or in work), those to ask for first first; at most `count`.

    strategy_name: see `strategies`. model: a Model or a checkpoint (None: the project's promoted one, else the
    shipped). progress: called with ("rank", done, all). Hands of another hand model than the model's, and of photos
    that cannot be read, are passed over. Nothing is changed or leased. describe: does the model's work elsewhere (then
    `model` is not loaded here), see `descriptions`.
    """
    strategy(strategy_name)  # an unknown name must not cost a minute
    with opened_project(project) as project:
        checkpoint: Any = model
        loaded: Any = model
        if not isinstance(model, Model):
            checkpoint = model or current_checkpoint(project)
            loaded = None if describe else load_model(checkpoint, device=device)
        open_hands = project.hands([PROPOSED, IN_WORK], copies=False)
        taught = project.hands(ACCEPTED, copies=False)[-TAUGHT:] if strategy_name != "random" else []
        rows, entries, known = [], [], []
        asked = [*open_hands, *taught]
        described_hands = describe(project, checkpoint, asked) if describe else descriptions(project, loaded, asked)
        for done, (entry, seen) in enumerate(described_hands):
            if isinstance(seen, dict):
                rows.append(seen)
                entries.append(entry)
            elif seen is not None:
                known.append(seen)
            if progress is not None:
                progress("rank", done + 1, len(asked))
    if not rows:
        return []
    candidates = gathered([entry.id for entry in entries], rows, known)
    wanted = len(rows) if count is None else min(count, len(rows))
    chosen = choose(strategy_name, candidates, wanted, np.random.default_rng(seed))
    return [_ranked(candidates.gains[one.index], entries[one.index], one) for one in chosen]


def descriptions(project: Project, model: Model, entries: Iterable[HandEntry]) -> Iterator[tuple[HandEntry, Described]]:
    """What the model says of hands, in their order: an open one's row of `Candidates`, an accepted one's features (G,),
    None where the photo cannot be read or the hand is of another hand model."""
    photos = PhotoReader()
    for entry in entries:
        photo, mesh = photos.read(project.photo(entry.photo_id).path), project.mesh(entry.id)
        seen: Described = None
        if photo is not None and mesh.hand_model == model.hand.name:
            is_open = entry.state != ACCEPTED
            look_at_it = look(model, photo, Crop.of_hand(mesh), mesh.camera, views=is_open)
            seen = (
                described(model, mesh, project.hand(entry.id).joint_states, look_at_it)
                if is_open
                else look_at_it.features
            )
        yield entry, seen


def _ranked(gains: np.ndarray, entry, choice) -> Ranked:
    order = [k for k in np.argsort(-gains, kind="stable") if gains[k] > 0]
    names = tuple(JOINT_NAMES[k] for k in order)
    first = names[0] if names else None
    gain = 1000 * float(np.sqrt(gains[order[0]])) if order else 0.0
    why = "; ".join([choice.why, *entry.reasons])  # what speaks against it on its track
    return Ranked(entry.id, float(choice.score), first, gain, names, why, entry.photo, entry.state, entry.leased_by)
