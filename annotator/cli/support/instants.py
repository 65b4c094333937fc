"""What commands do with the instants of a project: make their hands, and move one mesh in all its photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotator.errors import InputError

if TYPE_CHECKING:
    from annotator.cli.support.proposing import Done
    from annotator.hand.definitions import JointDefinition
    from annotator.model import Model
    from annotator.project import Instant, OneMesh, Project
    from annotator.vision.rigs import Rig

SAMPLE = 12  # instants that a rig of unknown unit is measured with


@dataclass
class Made:
    """What came of instants: how many, of how many photos; hands, and hands counted in each photo; (instant, camera,
    why) of proposals left out; photos whose hand somebody has worked on."""

    instants: int = 0
    photos: int = 0
    hands: int = 0
    views: int = 0
    left_out: list[tuple[str, str, str]] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)


def read_moments(
    photos: Iterable[Path],
    cameras: Sequence[str],
    pattern: str | None,
    table: Path | None,
    tolerance: float | None,
    seconds: Callable[[Path], float | None],
    incomplete_too: bool,
) -> dict[str, dict[str, Path]]:
    """moment -> camera -> photo. InputError: no way or several ways to tell, no instant found, or (unless
    incomplete_too) one that lacks a photo; then instants of one photo alone are left out."""
    from annotator.vision.rigs.moments import by_pattern, by_table, by_time, incomplete

    ways = [
        way for way, value in (("--pattern", pattern), ("--table", table), ("--times", tolerance)) if value is not None
    ]
    if len(ways) != 1:
        raise InputError(f"one of --pattern, --table and --times says which photos are one instant, got {len(ways)}")
    if pattern is not None:
        found, _ = by_pattern(photos, cameras, pattern)
    elif table is not None:
        found, _ = by_table(table, photos, cameras)
    else:
        assert tolerance is not None
        found, _ = by_time(photos, cameras, seconds, tolerance)
    if not found:
        raise InputError(f"no photo is of an instant by {ways[0]} {pattern or table or tolerance}")
    lacking = incomplete(found, cameras)
    if lacking and not incomplete_too:
        moment, missing = lacking[0]
        there = next(iter(found[moment].values()))
        more = f" ({len(lacking) - 1} more instants lack photos)" if len(lacking) > 1 else ""
        raise InputError(
            f"instant {moment!r} has no photo of {', '.join(missing)} beside {there}{more}: add it, or --incomplete"
        )
    return {moment: photos for moment, photos in found.items() if len(photos) > 1}


def moments_of(
    opened: Project,
    rig: Rig,
    given: Sequence[str] | None,
    pattern: str | None,
    table: Path | None,
    times: float | None,
    incomplete: bool,
) -> dict[str, dict[str, int]]:
    """moment -> camera -> photo's id; photos that were given are in the project then, if they are of an instant."""
    from annotator.files.photo_paths import photo_files
    from annotator.files.user_paths import expanded

    if pattern is None and table is None and times is None:
        if given:
            raise InputError("--pattern, --table or --times says which of these photos are one instant")
        return {}
    files, empty = photo_files(given or [])
    if empty:
        raise InputError("; ".join(f"{one}: {why}" for one, why in empty))
    stored = {photo.path: photo for photo in opened.photos()}

    def seconds(path: Path) -> float | None:
        photo = stored.get(path)
        if photo is not None and photo.seconds is not None:
            return photo.seconds
        return path.stat().st_mtime if path.is_file() else None

    candidates = list(dict.fromkeys([*files, *stored]))
    place = None if table is None else expanded(table)
    found = read_moments(candidates, list(rig), pattern, place, times, seconds, incomplete)
    new = [path for of in found.values() for path in of.values() if path not in stored]
    ids = dict(zip(new, opened.add_photos(new), strict=True)) | {path: photo.id for path, photo in stored.items()}
    return {moment: {camera: ids[path] for camera, path in of.items()} for moment, of in found.items()}


def metric(project: Project, model: Model, name: str, todo: Sequence[Instant]) -> Rig:
    """The project's rig of this name in metres; one of unknown unit is measured by the hands of some instants, and that
    is kept, so that all instants have the same."""
    from dataclasses import replace

    import numpy as np

    from annotator.correcting.views import metric_rig
    from annotator.project.photo_files.pixels import pixels_of

    rig = project.rigs()[name]
    if rig.unit is not None:
        return rig.metric()
    units = []
    for instant in todo[:: max(1, len(todo) // SAMPLE)][:SAMPLE]:
        shown = {camera: pixels_of(photo) for camera, photo in instant.photos.items()}
        answers = model.propose_many(shown.values(), cameras=[rig[camera].K for camera in shown])
        measured = metric_rig(rig, dict(zip(shown, answers, strict=True)))
        far = max(rig, key=lambda camera: float(np.abs(rig[camera].t).max()))
        units.append(float(np.linalg.norm(measured[far].t) / np.linalg.norm(rig[far].t)))
    known = replace(rig, unit=float(np.median(units)))
    project.add_rig(known, name)
    return known.metric()


def make_hands(project: Project, model: Model, name: str, checkpoint: str, progress: Callable) -> Made:
    """Propose the hands of every instant of a rig that has none yet, stored instant by instant. name: of the
    rig; checkpoint: of the model, for people."""
    from annotator.project import Provenance
    from annotator.project.photo_files.pixels import pixels_of

    made, todo = Made(), [one for one in project.instants(name) if not one.proposed]
    if not todo:
        return made
    rig = metric(project, model, name, todo)
    provenance = Provenance(checkpoint, model.digest, extra={"rig": name} | ({"quick": True} if model.quick else {}))
    for instant in progress(todo, "instants", len(todo)):
        photos = {camera: pixels_of(photo) for camera, photo in instant.photos.items()}
        found = model.propose_instant(photos, rig)
        stored = project.add_instant(instant, found, provenance)
        made.instants += 1
        made.photos += len(photos)
        made.hands += len(stored)
        for hand, kept in zip(found, stored, strict=False):
            made.views += len(kept.hands)
            made.left_out += [(instant.moment, camera, why) for camera, why in hand.left_out.items()]
            made.touched += [str(instant.photos[camera].name) for camera in hand.views if camera not in kept.hands]
    return made


def propose_instants(
    project: Project, model: Model, rig: Path, pattern: str, given: Sequence[str], checkpoint: str, progress: Callable
) -> Done:
    """`annotator propose --rig`: of the photos given, those that are of an instant, each hand as one mesh in all of
    them."""
    from annotator.cli.support.proposing import Done
    from annotator.vision.rigs import Rig

    read = Rig.read(rig)
    name = read.name or "rig"
    moments = moments_of(project, read, given, pattern, None, None, True)
    known = project.rigs().get(name)
    if known is None or known.unit is None:
        project.add_rig(read, name)
    project.set_instants(name, moments)
    made = make_hands(project, model, name, checkpoint, progress)
    return Done(photos=made.photos, photos_with_hand=made.views, hands=made.views)


def move(
    project: Project,
    model: Model,
    one: OneMesh,
    hand_id: str,
    place: Mapping[int, tuple[float, float]],
    states: Sequence[str],
    definition: JointDefinition,
    note: Mapping[str, Any],
) -> dict[str, int]:
    """Labels of one photo's hand move the mesh in all its photos; the hands' new versions. states: of that hand's
    joints. InputError if a photo is gone."""
    from annotator.project.one_mesh import Shown
    from annotator.project.photo_files.pixels import pixels_of

    known = Shown.of(project, one)
    photos = {camera: pixels_of(hand.photo) for camera, hand in known.before.items()}
    mine = known.camera_of(hand_id)
    hand = model.remember_instant(photos, known.rig, known.meshes, one.left_out)
    told = {camera: of for camera, of in known.states(mine, states).items() if camera in hand.views}
    fixed = model.refine_instant(hand, {mine: place}, told, definition)
    return known.store(project, fixed, hand_id, {hand_id: states}, note)
