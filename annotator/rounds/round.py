"""One round: learn from what people accepted, prove it on held-out hands, and only then take over.

Steps, each done once whatever happens in between: `samples` (who teaches, who judges; fixed for the round),
`definition` (how they mean the joints), `train` (fine-tuning from the current checkpoint, with replay), `judge`,
`repropose` (after a promotion), `report`. An interrupted round goes on when `run_round` is called again, from the
trainer's last save.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from annotator import __version__
from annotator.errors import InputError
from annotator.evaluation.bootstrap import Paired
from annotator.hand.definitions import JointDefinition
from annotator.hand.mesh import HandMesh
from annotator.learning.data.photos import KeypointTable
from annotator.learning.old_names import with_new_names
from annotator.model import Model, load_model
from annotator.network.checkpoint import load_checkpoint
from annotator.project import Project, Provenance
from annotator.rounds import report, storage
from annotator.rounds.retraining import defining, judging, samples
from annotator.rounds.retraining.learning import learn
from annotator.rounds.retraining.replay import replay_photos
from annotator.rounds.retraining.reproposing import repropose
from annotator.rounds.settings import RoundSettings
from annotator.rounds.storage import CHECKPOINT, STATE

Progress = Callable[[str, int, int, dict], None]
Launch = Callable[
    ..., None
]  # launch(work, folder, *arguments): `work(*arguments)` in several processes that train together


def run_round(
    project: Project | str | Path,
    settings: RoundSettings | None = None,
    model: Path | None = None,
    replay: Path | None = None,
    who: str | None = None,
    device: str | None = None,
    progress: Progress | None = None,
    launch: Launch | None = None,
) -> dict:
    """Make one round of the project, or finish the one that was interrupted; what came of it, ready for JSON.

    settings: see `RoundSettings` (an interrupted round keeps those it began with). model: the checkpoint to start from
    (None: the project's promoted one, else the shipped). replay: a folder of rendered photos (None: rendered once, into
    the project). progress: called with (step, done, all, numbers); steps are "definition", "features", "train",
    "judge", "repropose".
    launch: has the training done by several processes, joined as `learning.distributed` wants them.
    The result's keys are those of the round's `report.json`, see docs/active_learning.md. InputError: nothing to learn
    from, another round running, or a file that cannot be read or written; what was done until then is kept.
    """
    tell = progress or (lambda *_: None)
    with storage.opened_project(project, who) as opened, storage.one_at_a_time(opened):
        folder, state = _begin(opened, settings or RoundSettings(), model)
        return _Round(opened, folder, state, replay, device, tell, launch).run()


def _begin(project: Project, settings: RoundSettings, model: Path | None) -> tuple[Path, dict]:
    """The unfinished round, or a new one with its samples fixed."""
    known = storage.round_folders(project)
    if known and "report" not in (state := storage.read_state(known[-1]))["done"]:
        return known[-1], state
    taken = samples.taken(project, settings.least_gold, settings.held)
    if len(taken.train) < max(settings.least, 1):
        more = (
            f"; {taken.unlabelled} accepted hands have no keypoint set or confirmed by a person"
            if taken.unlabelled
            else ""
        )
        raise InputError(
            f"nothing to learn from in {project.folder}: {len(taken.train)} accepted hands with corrections{more}"
        )
    number = int(known[-1].name) + 1 if known else 1
    folder = storage.rounds_folder(project) / f"{number:03d}"
    samples.save_train(taken.train, folder / "samples" / "train")
    samples.save_held(taken.held, folder / "samples" / "held")
    start = model or storage.current_checkpoint(project)
    state = {
        "round": number,
        "code_version": __version__,
        "settings": asdict(settings),
        "done": ["samples"],
        "start": str(Path(start).absolute()) if start else None,
        "began": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "seconds": 0.0,
        "train": [one.id for one in taken.train],
        "held": [one.id for one in taken.held],
        "held_kind": taken.kind,
        "keypoints": int(sum(one.weights.sum() for one in taken.train)),
        "unlabelled": taken.unlabelled,
        "missing": [list(one) for one in taken.missing],
        "left_out": [list(one) for one in taken.left_out],
        "promoted": False,
        "definition": None,
    }
    storage.write_json(folder / STATE, state)
    return folder, state


class _Round:
    """The steps after the samples."""

    def __init__(
        self, project: Project, folder: Path, state: dict, replay: Path | None, device, tell: Progress, launch=None
    ):
        self.project, self.folder, self.state, self.own_replay = project, folder, state, replay
        self.device, self.tell, self.launch = device, tell, launch
        try:
            self.settings = RoundSettings(**with_new_names(state["settings"], f"{folder / STATE}"))
            state["settings"] = asdict(self.settings)
        except (TypeError, KeyError, AttributeError) as error:
            raise InputError(f"{folder / STATE} is not of this version: {error}") from error

    def run(self) -> dict:
        self._began = time.monotonic()
        try:
            parent = load_model(self.state["start"], device=self.device)
            self.state.setdefault("parent", parent.digest)
            self._replay = self._replay_folder()
            # rounds begun by versions without this step end without it: part of their training may be done
            if "definition" in self.state and "definition" not in self.state["done"]:
                self._define(parent)
                self._finish("definition")
            if "train" not in self.state["done"]:
                self._train(parent)
                self._finish("train")
            child = load_model(self.folder / CHECKPOINT, device=self.device)
            self.state["checkpoint"] = child.digest
            if "judge" not in self.state["done"]:
                self._judge(parent, child)
                self._finish("judge")
            if "repropose" not in self.state["done"]:
                if self.state["promoted"]:
                    name = f"round {self.state['round']}"
                    provenance = Provenance(name, child.digest, extra={"parent": parent.digest})
                    counts = repropose(
                        self.project, child, provenance, lambda n, all: self.tell("repropose", n, all, {})
                    )
                    self.state["reproposed"] = counts
                self._finish("repropose")
            self._count_time()
            report.write(self.folder, self.state, storage.round_folders(self.project), parent, child)
            if (self.state.get("definition") or {}).get("adopted"):
                defining.adopt(self.folder)
            self._finish("report")
        finally:
            self._count_time()
            storage.write_json(self.folder / STATE, self.state)
        return report.result(self.folder, self.state)

    def _count_time(self) -> None:
        """The round's seconds, those before an interruption included."""
        now = time.monotonic()
        self.state["seconds"], self._began = round(self.state["seconds"] + now - self._began, 1), now

    def _finish(self, step: str) -> None:
        self.state["done"].append(step)
        storage.write_json(self.folder / STATE, self.state)

    def _replay_folder(self) -> Path:
        count = self.settings.replayed + self.settings.old
        own = storage.rounds_folder(self.project) / "replay"
        return replay_photos(own, self.own_replay, count).shards.folder

    def _define(self, parent: Model) -> None:
        count = len(self.state["train"])
        told = lambda n: self.tell("definition", n, count, {})  # noqa: E731
        name = f"round {self.state['round']}"
        values = defining.learn(parent, self.folder, self.project.definition(), name, told)
        self.state["definition"] = {name: values[name] for name in ("adopted", "learned_from", "offsets_mm")}

    def _train(self, parent: Model) -> None:
        card = parent.card | {
            "name": f"round {self.state['round']}", "parent": parent.digest, "trained_by": "annotator round",
            "round_data": f"{len(self.state['train'])} accepted hands, {self.state['keypoints']} keypoints by people",
        }  # fmt: skip
        own_replay = self.own_replay is not None
        work = (self.state["start"], self.folder, self._replay, own_replay, self.settings, self.device, card)
        learn(*work, tell=self.tell, train=self.launch is None)
        if self.launch is not None:  # the features are there: what is left is what several processes share
            self.launch(learn, self.folder / "training", *work)
        self.state["blend"] = load_checkpoint(self.folder / CHECKPOINT)[1]["blend"]

    def _judge(self, parent: Model, child: Model) -> None:
        table, crops, ids = samples.read(self.folder / "samples" / "held")
        taught, taught_crops, taught_ids = self._some_taught()
        total, done = 2 * (len(crops) + len(taught_crops)), 0
        found: list[list[HandMesh]] = []
        learned: list[list[HandMesh]] = []
        for model in (parent, child):
            for into, some, seen in ((found, table, crops), (learned, taught, taught_crops)):
                told = lambda n, done=done: self.tell("judge", done + n, total, {})  # noqa: E731
                into.append(judging.answers(model, some, seen, told))
                done += len(seen)
        # the first half of the old photos has chosen the blend: the other half judges
        count = self.settings.old
        old_before, old_after = (
            judging.old_errors(model.network, self._replay, count)[count // 2 :] for model in (parent, child)
        )
        before, new, after, by_definition = self._definitions(found[0], table)
        # what all labels share contradicts nothing
        missed, still = (judging.errors(hands, taught, new).photo for hands in learned)
        against = judging.contradicting(missed, still, judging.errors(found[1], table, new).photo)
        start, end = judging.errors(found[0], table, before), judging.errors(found[1], table, after)
        between = judging.errors(found[0], table, after).photo
        verdict = judging.judge(
            start.photo,
            end.photo,
            table.group,
            (old_before, old_after),
            self.settings,
            against,
            between if after is not before else None,
        )
        self.state |= {
            "promoted": verdict.promoted, "checked": len(against),
            "verdict": verdict.as_dict() | {"definition": by_definition.as_dict() if by_definition else None},
            "contradicting": [name for name, one in zip(taught_ids, against, strict=True) if one],
        }  # fmt: skip
        rows = [
            {
                "id": name,
                "photo": [_number(start.photo[k]), _number(end.photo[k])],
                "read_alike": [_number(between[k]), _number(end.photo[k])],
                "joints_mm": [_number(start.joints_mm[k]), _number(end.joints_mm[k])],
            }
            for k, name in enumerate(ids)
        ]
        storage.write_json(self.folder / storage.HELD, {"hands": rows})

    def _definitions(
        self, found: list[HandMesh], table: KeypointTable
    ) -> tuple[JointDefinition, JointDefinition, JointDefinition, Paired | None]:
        """The project's definition before this round, the one that the round learned (or the same), the one from now
        on, and what the parent's hands say of the two."""
        before = self.project.definition()
        if "definition" not in self.state["done"]:
            return before, before, before, None
        known = defining.learned(self.folder)
        before, new = known.before, known.definition
        first, second = (judging.errors(found, table, one).photo for one in (before, new))
        by_definition = judging.compared(first, second, table.group, self.settings)
        adopted, rule = defining.adoption(known, by_definition, self.settings)
        self.state["definition"] |= {"adopted": adopted, "why": rule}
        return before, new, new if adopted else before, by_definition

    def _some_taught(self) -> tuple:
        """Table, crops and ids of the accepted hands, at most `checked` of them."""
        table, crops, ids = samples.read(self.folder / "samples" / "train")
        rows = np.random.default_rng(self.settings.seed).permutation(len(ids))[: self.settings.checked]
        return table.select(rows), [crops[k] for k in rows], [ids[k] for k in rows]


def _number(value: float) -> float | None:
    """For JSON, which knows no NaN."""
    return round(float(value), 6) if np.isfinite(value) else None
