"""`annotator report PROJECT --out FILE.html`: a project as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.choosing import ConfidenceOption, Patterns, PhotoOption, SideOption, StateOption, choice_of
from annotator.cli.support.output import JsonOption, ProjectFolder, emit, progress

if TYPE_CHECKING:
    from annotator.project import Project
    from annotator.reporting.writing import Written


def command(
    project: ProjectFolder,
    out: Annotated[Path, typer.Option(help="The page to make; an earlier report is replaced.", show_default=False)],
    hands: Patterns = None,
    state: StateOption = None,
    photo: PhotoOption = "",
    side: SideOption = "",
    min_confidence: ConfidenceOption = 0.0,
    per_page: Annotated[
        int, typer.Option(help="Hands of a page; more than that go into pages beside the file (0: all in one).", min=0)
    ] = 100,
    workers: Annotated[
        int, typer.Option(help="Processes that draw; 0: as many as there are cores and as pay.", min=0)
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show a project's hands, each with overlay, side view, keypoints, uncertainty, what was done to it, and what is
    doubtful and why; with counts, plots and filters. Opens in any browser, without a network."""
    from annotator.project import Project

    with Project.open(project) as opened:
        choice = choice_of(state, photo, side, min_confidence)
        written = write(opened, project, out, hands or (), choice, per_page, workers)
    result = {"file": str(written.file), "hands": written.hands, "doubtful": written.doubtful,
              "pages": [str(path) for path in written.pages]}  # fmt: skip
    pages = f" on {len(written.pages)} pages" if written.pages else ""
    emit(as_json, result, f"{written.file}: {written.hands} hands{pages}, {written.doubtful} of them doubtful")


def write(project: Project, place: str, out: Path, patterns, choice, per_page: int, workers: int = 0) -> Written:
    """The report of a project's hands; place: what the project was opened by. InputError: none is like that."""
    from annotator.errors import InputError
    from annotator.project.overview.choosing import chosen
    from annotator.reporting.drawing import cards
    from annotator.reporting.hands import bare
    from annotator.reporting.writing import write_report

    entries = list(chosen(project, patterns, choice))
    everything = not patterns and choice == type(choice)()
    status = project.status()
    if not entries and (not everything or not status["photos"]):
        raise InputError(f"no hand of {project.folder} is like that: nothing to report")
    counts = ", ".join(f"{count} {name}" for name, count in status["states"].items() if count) or "none"
    people = project.people()
    facts = {
        "photos": f"{status['photos']}, looked at: {status['looked_at']}",
        "hands": counts if everything else f"{len(entries)} shown; in the project: {counts}",
        "corrections": f"{sum(one.corrections for one in entries)} keypoints in "
        f"{sum(bool(one.corrections) for one in entries)} hands",
        "people": ", ".join(f"{name} ({count} steps)" for name, count in people.items()) or "nobody yet",
        "joint definition": project.definition().name,
    }
    shown = progress(cards(project, place, entries, workers), "report", len(entries))
    without = bare(project) if everything else ()
    return write_report(out, f"Hands of {project.folder.name}", facts, shown, without, per_page)
