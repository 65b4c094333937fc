"""`annotator demo [--out DIR]`: the main job on the sample photos, without a display."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.output import JsonOption, emit, progress
from annotator.files.atomic import put_text

if TYPE_CHECKING:
    from annotator.hand.mesh import HandMesh
    from annotator.model import Model
    from annotator.project import Project
    from annotator.reporting.pictures import ReportedHand

MARK = "demo.json"  # says that a folder is a demo's; afterwards the run's summary
PARTS = ("project", "export", "report.html", MARK)


def command(
    out: Annotated[Path, typer.Option(help="The folder to make; an earlier demo in it is replaced.")] = Path(
        "out/demo"
    ),
    model: ModelOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Propose, correct, accept, export and report on the sample photos that come with the library."""
    result = run(out, model, device)
    text = (
        f"{result['hands']} hands in {result['photos_with_hand']} of {result['photos']} photos, "
        f"{result['corrections']} corrections, {result['accepted']} accepted, {result['exported']} exported\n"
        f"report: {result['report']}"
    )
    emit(as_json, result, text)


def run(out: Path, checkpoint: Path | None = None, device: str = "auto") -> dict:
    """The whole demo; its summary. InputError if `out` holds anything but an earlier demo."""
    from annotator import sample_data
    from annotator.cli.support.proposing import propose_photos
    from annotator.formats import writer
    from annotator.formats.transfer.from_project import labelled_hands
    from annotator.model import load_model
    from annotator.project import Project
    from annotator.reporting.writing import write_report

    seconds: dict[str, float] = {}
    clear(out)
    with _timed(seconds, "load"):
        network = load_model(checkpoint, device=device)
    with Project.create(out / "project", who="annotator demo") as project:
        proposals: dict[str, HandMesh] = {}
        without: list[Path] = []

        def remember(path: Path, ids: list[str], hands: list[HandMesh]) -> None:
            proposals.update(zip(ids, hands, strict=True))
            if not ids:
                without.append(path)

        with _timed(seconds, "propose"):
            name = checkpoint.name if checkpoint else "default"
            done = propose_photos(project, network, sample_data.photos(), name, stored=remember)
        with _timed(seconds, "correct"):
            remarks = {
                hand_id: review(project, network, hand_id, proposals)
                for hand_id in progress(proposals, "correct", len(proposals))
            }
        accepted, rejected = (len(project.hands(state)) for state in ("accepted", "rejected"))
        exported = 0
        with _timed(seconds, "export"):
            if accepted:
                records = progress(labelled_hands(project), "export", accepted)
                exported = writer("freihand").write(records, out / "export" / "freihand")["hands"]
        counts = {
            "photos": done.photos,
            "photos_with_hand": done.photos_with_hand,
            "hands": done.hands,
            "corrections": sum(entry.corrections for entry in project.hands()),
            "accepted": accepted,
            "rejected": rejected,
            "exported": exported,
            "failed": [{"photo": name, "error": why} for name, why in done.failed],
        }
        with _timed(seconds, "report"):
            facts = _facts(counts, network, name, seconds)
            shown = progress(reported(project, proposals, remarks), "report", len(proposals))
            photos = ((path.name, "no hand was found", _photo(path)) for path in without)
            write_report(out / "report.html", "What annotator demo did", facts, shown, photos, per_page=0)
    result = counts | {
        "model_digest": network.digest,
        "seconds": {stage: round(value, 2) for stage, value in seconds.items()},
        "report": str(out / "report.html"),
        "project": str(out / "project"),
        "export": str(out / "export" / "freihand") if exported else None,
    }
    _write_mark(out, result)
    return result


def clear(out: Path) -> None:
    """Make the folder, or take an earlier demo's parts out of it; InputError if it is anything else."""
    from annotator.errors import InputError
    from annotator.files.file_errors import writing

    with writing(out):
        if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
            raise InputError(f"{out} is not empty and not an earlier demo's: choose another folder with --out")
        for part in PARTS:
            path = out / part
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        out.mkdir(parents=True, exist_ok=True)
        _write_mark(out, {"unfinished": True})  # so that a demo that was interrupted can be replaced, too


def review(project: Project, model: Model, hand_id: str, proposals: dict[str, HandMesh]) -> list[str]:
    """Correct a hand by the script, each correction an edit of its own, and accept or reject it; remarks."""
    from annotator.cli.support.stand_in import ask, next_correction, verdict
    from annotator.correcting.strain import strained
    from annotator.hand.joints import JOINT_NAMES

    stored, hand = project.hand(hand_id).photo, proposals[hand_id]
    photo = _photo(stored.path)
    others = [proposals[entry.id] for entry in project.hands(photo=stored.id) if entry.id != hand_id]
    opinion = ask(model, photo, hand)
    remarks: list[str] = []
    given_up: list[int] = []
    while (found := next_correction(hand, opinion, given_up)) is not None:
        joint, place = found
        fixed = model.refine(hand, {joint: place})
        if opinion.mean_distance(fixed) > opinion.mean_distance(hand):
            given_up.append(joint)
            remarks.append(f"{JOINT_NAMES[joint]} was tried and left: corrected, it made the hand worse")
            continue
        project.edit(hand_id, fixed, note={"joint": JOINT_NAMES[joint], "command": "demo"})
        was, now = (opinion.distances(one)[joint] * opinion.size for one in (hand, fixed))
        means = (f"{opinion.mean_distance(one):.1%}" for one in (hand, fixed))
        remarks.append(
            f"corrected {JOINT_NAMES[joint]}: {was:.1f} px off before, {now:.1f} px after; "
            f"all keypoints, in hand sizes: {' before, '.join(means)} after"
        )
        hand = fixed
    state, why = verdict(hand, opinion, others)
    if state == "accepted" and (contradicting := strained(hand)):
        state, why = "rejected", contradicting[0].words
    project.set_state(hand_id, state, note={"why": why})
    return [*remarks, f"{state}: {why}"]


def reported(project: Project, proposals: dict[str, HandMesh], remarks: dict[str, list[str]]) -> Iterator[ReportedHand]:
    """Every hand of the project as it is stored now, beside its proposal."""
    from annotator.reporting.pictures import ReportedHand

    for hand_id, before in proposals.items():
        stored = project.hand(hand_id)
        yield ReportedHand(
            id=hand_id,
            photo_name=stored.photo.path.name,
            photo=_photo(stored.photo.path),
            before=before,
            after=project.mesh(hand_id),
            joint_states=stored.joint_states,
            state=stored.state,
            remarks=remarks[hand_id],
        )


def _facts(counts: dict, model: Model, name: str, seconds: dict[str, float]) -> dict[str, object]:
    """The table at the report's head."""
    return {
        "photos": f"{counts['photos']}, with a hand: {counts['photos_with_hand']}",
        "hands": f"{counts['hands']}, accepted: {counts['accepted']}, rejected: {counts['rejected']}, "
        f"exported: {counts['exported']}",
        "corrections": f"{counts['corrections']}, made by a script: keypoints far from the landmark net's "
        "own answer were put there; that answer is good but not truth",
        "model": f"{name}, digest {model.digest}, hand model {model.hand.name}",
        "seconds": ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items()),
    }


def _write_mark(out: Path, content: dict) -> None:
    put_text(out / MARK, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start


@lru_cache(maxsize=4)
def _photo(path: Path):
    from annotator.vision.photos import read_photo

    return read_photo(path)
