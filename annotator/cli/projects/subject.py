"""`annotator subject PROJECT [NAME]`: whose hands a project's photos show, and what is known of these hands."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit, progress

if TYPE_CHECKING:
    from annotator.project import Project
    from annotator.project.records.views import Renewal, StoredPhoto, StoredSubject


def command(
    project: ProjectFolder,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A person's name; without one all are listed.")
    ] = None,
    photos: Annotated[
        list[str] | None,
        typer.Option(
            help="Photos of this person: files, folders or videos of the project (may be repeated).", show_default=False
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="folder or video: one subject for each, named after it; photos that have one keep it."),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="The photos (all of NAME without --photos) are nobody's again.")
    ] = False,
    length: Annotated[
        float | None,
        typer.Option(help="mm from the crease of the wrist to the tip of the stretched middle finger; 0: not known."),
    ] = None,
    width: Annotated[
        float | None, typer.Option(help="mm across the palm at the knuckles, without the thumb; 0: not known.")
    ] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Estimate the shape now, due or not.")] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="Give hands that are not accepted the mesh of their subject's shape.")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what you said last of a subject.")] = False,
    redo: Annotated[bool, typer.Option("--redo", help="Say again what you took back last.")] = False,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whose hands photos show: one shape for all photos of a person. Labels in some make the meshes in all better;
    hands that a newer shape would change are listed, and changed by --renew."""
    from annotator.errors import InputError
    from annotator.project import Project

    if undo and redo:
        raise InputError("--undo and --redo do not go together")
    if name is None and (photos or forget or length is not None or width is not None or estimate or renew):
        raise InputError("whose? Give the subject's NAME")
    if name is not None and by is not None:
        raise InputError("--by names the subjects itself: leave NAME out")
    said = []
    with Project.open(project, who) as opened:
        subjects = opened.subjects
        if undo or redo:
            word, what = ("taken back", subjects.undo()) if undo else ("said again", subjects.redo())
            said.append(f"{word}: {what}")
        if by is not None:
            said += _by(opened, by)
        if name is not None and forget:
            ids = _photos(opened, photos) if photos else subjects.photos(name)
            said.append(f"{subjects.assign('', ids)} photos are nobody's now")
        elif name is not None and photos:
            said.append(f"{subjects.assign(name, _photos(opened, photos))} photos are {name}'s now")
        sizes = {one: size / 1000 or None for one, size in (("length", length), ("width", width)) if size is not None}
        if name is not None and sizes:
            subjects.measure(name, sizes)
        shown = subjects.all() if name is None or forget else [subjects.named(name)]
        if estimate or (name is not None and not forget and shown[0].due):
            subjects.estimate(shown[0].name)
            shown = [subjects.named(shown[0].name)]
        lists = {one.name: subjects.renewals(one.name) for one in shown} if name is not None else {}
        renewed = []
        if renew:
            renewed = _renew(opened, lists[shown[0].name][0], said)
            lists = {one.name: subjects.renewals(one.name) for one in shown}
    result = {
        "subjects": [
            one.as_dict()
            | {
                "offered": [offer.as_dict() for offer in lists.get(one.name, ([], []))[0]],
                "accepted_apart": [offer.as_dict() for offer in lists.get(one.name, ([], []))[1]],
            }
            for one in shown
        ],
        "renewed": renewed,
        "said": said,
    }
    lines = said + [line for one in shown for line in _lines(one, *lists.get(one.name, ([], [])))]
    emit(as_json, result, "\n".join(lines) or "no subjects: `annotator subject PROJECT NAME --photos ...` names one")


def _photos(project: Project, places: Iterable[str]) -> list[int]:
    """Ids of the project's photos that are these files, in these folders, or frames of these videos. InputError for a
    place that none of them is in."""
    from annotator.errors import InputError
    from annotator.files.frame_places import file_of
    from annotator.files.user_paths import expanded

    known, found = [(photo, file_of(photo.path)) for photo in project.photos()], []
    for place in places:
        path = Path(expanded(place)).absolute()
        own = [photo.id for photo, file in known if path in (photo.path, file, *file.parents)]
        if not own:
            raise InputError(f"{place}: no photo of the project is there")
        found += own
    return list(dict.fromkeys(found))


def _by(project: Project, by: str) -> list[str]:
    """One subject for each folder or video; what was done, a line each."""
    from annotator.errors import InputError

    if by not in ("folder", "video"):
        raise InputError(f"--by {by!r}: expected folder or video")
    taken = {photo for one in project.subjects.all() for photo in project.subjects.photos(one.name)}
    groups: dict[str, list[int]] = {}
    for photo in project.photos():
        if photo.id not in taken and (by == "folder" or photo.video is not None):
            groups.setdefault(_group(photo, by), []).append(photo.id)
    return [f"{project.subjects.assign(name, ids)} photos are {name}'s now" for name, ids in groups.items()]


def _group(photo: StoredPhoto, by: str) -> str:
    from annotator.files.frame_places import file_of

    file = file_of(photo.path)
    return file.parent.name or "root" if by == "folder" else file.stem


def _renew(project: Project, offers: list[Renewal], said: list[str]) -> list[str]:
    """Ids of the hands that were renewed; why others were not is added to `said`."""
    from annotator.errors import InputError

    done = []
    for offer in progress(offers, "renew", len(offers)):
        try:
            project.subjects.renew(offer.hand)
            done.append(offer.hand)
        except InputError as error:
            said.append(str(error))
    said.append(f"{len(done)} hands have their subject's shape now")
    return done


def _lines(one: StoredSubject, offered: list[Renewal], accepted: list[Renewal]) -> list[str]:
    sizes = ", ".join(f"{name} {1000 * size:.0f} mm" for name, size in one.sizes.items())
    known = f"estimated from {one.shape.hands} hands" if one.shape else "no shape yet"
    known += " (again with the next correction)" if one.due else ""
    text = f"{one.name}: {one.photos} photos, {one.hands} hands, {one.labels} labels"
    lines = [", ".join([text, *([sizes] if sizes else []), known])]
    if offered:
        lines.append(f"  a renewed mesh is offered to {_named(offered)} (--renew)")
    if accepted:
        lines.append(f"  accepted, and left alone: {_named(accepted)}")
    return lines


def _named(hands: list[Renewal], most: int = 8) -> str:
    names = [f"{one.hand} ({one.apart_mm:.1f} mm)" for one in hands[:most]]
    return ", ".join(names) + (f" and {len(hands) - most} more" if len(hands) > most else "")
