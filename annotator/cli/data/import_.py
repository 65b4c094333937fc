"""`annotator import DATASET --format F --project DIR`"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotator.cli.support.completing import among
from annotator.cli.support.output import JsonOption, ProjectOption, WhoOption, emit, one_of, progress
from annotator.formats.table import readers

if TYPE_CHECKING:
    from annotator.formats.transfer.to_project import Imported


def _units(incomplete: str) -> list[str]:
    from annotator.formats.conventions.units import UNITS

    return among(UNITS)(incomplete)


def _orders(incomplete: str) -> list[str]:
    from annotator.formats.conventions.orders import AS_NAMED, ORDERS

    return among((*ORDERS, AS_NAMED))(incomplete)


def command(
    dataset: Annotated[Path, typer.Argument(help="The data set's folder or file.", show_default=False)],
    project: ProjectOption,
    format: Annotated[
        str,
        typer.Option(
            help=one_of(readers()),
            autocompletion=among(readers()),
            show_default=False,
        ),
    ],
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Accept hands of which every label is a person's. Our own exports bring their states without this. "
            "Hands whose side is only guessed are never accepted so.",
        ),
    ] = False,
    order: Annotated[
        str,
        typer.Option(
            help="Of a file's 21 keypoints, whatever its names say (base-to-tip, tip-to-base, wrist-last, mano, ...); "
            "as-named: what the names say, also where the hands look otherwise.",
            show_default=False,
            autocompletion=_orders,
        ),
    ] = "",
    units: Annotated[
        str,
        typer.Option(
            help="Of keypoints and boxes, whatever they look like: px, percent (0..100) or shares (0..1) of the "
            "photo's width and height.",
            show_default=False,
            autocompletion=_units,
        ),
    ] = "",
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Take over labels that changed since they were imported, if nobody edited them here."
        ),
    ] = False,
    subject: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose hands all of these photos show.", show_default=False)
    ] = None,
    subjects: Annotated[
        bool,
        typer.Option(
            "--subjects",
            help="Photos are those of the people that the data set names (DexYCB, InterHand2.6M, HanCo, ARCTIC).",
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at a broken record instead of leaving it out.")
    ] = False,
    limit: Annotated[int, typer.Option(help="At most this many hands (0: all).", min=0)] = 0,
    hand: Annotated[
        str, typer.Option(help="free, or mano: hands with MANO's parameters become hands of your own MANO.")
    ] = "free",
    model: Annotated[
        Path | None,
        typer.Option(help="Checkpoint that fits hands without a mesh; default: the shipped one.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a data set's hands into a project: photos by reference, keypoints as labels, a mesh fitted to them."""
    from contextlib import AbstractContextManager, nullcontext
    from itertools import islice

    from annotator.errors import InputError
    from annotator.formats import reader
    from annotator.formats.conventions.orders import AS_NAMED, checked
    from annotator.formats.conventions.remarks import remarking, told
    from annotator.formats.conventions.units import checked as in_likely_units
    from annotator.formats.core.details import skipping, whole

    if hand not in ("free", "mano"):
        raise InputError(f"unknown hand model {hand!r}: expected free or mano")
    if subjects and subject is not None:
        raise InputError("import takes --subject or --subjects, not both")
    module = reader(format)
    takes = _taken(module, format, order, units)
    if not dataset.exists():
        raise InputError(f"there is no {dataset}")
    from annotator.formats.transfer.to_project import import_records, photo_place, subject_said
    from annotator.hand import load_hand
    from annotator.project import Project

    mano = load_hand("mano") if hand == "mano" else None

    whose = subject_said if subjects else None if subject is None else lambda _record: str(subject)

    def network():
        from annotator import model as models

        return models.load_model(model, device=device)

    skipped: AbstractContextManager[list[str]] = nullcontext([]) if strict else skipping()
    with remarking() as remarks, Project.open_or_create(project, who) as opened, skipped as broken:
        said = {"order": order, "units": units}
        options: dict[str, Any] = {name: value for name, value in said.items() if value and name in takes}
        options |= {"photos": photo_place(opened, dataset)} if "photos" in takes else {}
        records = whole(module.read(dataset, **options))
        records = records if units else in_likely_units(records, str(dataset))
        records = records if order == AS_NAMED else checked(records, str(dataset))
        records = progress(islice(records, limit or None), "import", limit or None)
        done = import_records(opened, records, f"{format}:{dataset.resolve()}", network, accept, mano, update, whose)
    left_out = [{"hand": hand, "error": why} for hand, why in [*done.left_out, *(("", why) for why in broken)]]
    _say_left_out(done, left_out, told(remarks), dataset)
    result = {
        "project": project, "format": format, "hands": done.hands, "own_mesh": done.own_mesh,
        "fitted": done.fitted, "guessed_sides": done.guessed_sides, "states": dict(done.states),
        "restored": done.restored,
        "done_before": done.done_before, "differs": done.differs, "updated": done.updated, "left_out": left_out,
        "remarks": dict(remarks), "subjects": done.subjects,
    }  # fmt: skip
    emit(as_json, result, _text(done, project, len(left_out)))


def _taken(module, format: str, order: str, units: str) -> Container[str]:
    """What the format's reader can be told. InputError for an order or units that are unknown, or that it does not
    take."""
    import inspect

    from annotator.errors import InputError
    from annotator.formats.conventions.orders import AS_NAMED, places_of
    from annotator.formats.conventions.units import PX, check_units

    takes = inspect.signature(module.read).parameters
    if order:
        places_of(order)
        if order != AS_NAMED and "order" not in takes:
            raise InputError(f"format {format} has one order of keypoints: --order is not for it")
    if check_units(units) not in ("", PX) and "units" not in takes:
        raise InputError(f"format {format} says itself what its numbers are: --units {units} is not for it")
    return takes


def _say_left_out(done: Imported, left_out: list[dict[str, str]], remarks: Iterable[str], dataset: Path) -> None:
    """Which records are left out, and what was remarked, on stderr. InputError where no hand is left."""
    from annotator.errors import InputError

    nothing = not done.hands and not done.done_before
    for entry in [] if nothing and len(left_out) == 1 else left_out:  # the error says why, once
        print(f"annotator: left out: {' '.join((entry['hand'] + ' ' + entry['error']).split())}", file=sys.stderr)
    for line in remarks:
        print(f"annotator: remark: {line}", file=sys.stderr)
    if nothing:
        why = f": {left_out[0]['error']}" if left_out else ""
        raise InputError(f"no hand of {dataset} could be imported{why}")


def _text(done, project: str, left_out: int) -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted(done.states.items()))
    lines = [f"{done.hands} hands imported into {project} ({done.own_mesh} with their own mesh, {done.fitted} fitted "
             f"to their keypoints{'; ' if states else ''}{states})"]  # fmt: skip
    lines[0] += f"; {done.done_before} were there already" if done.done_before else ""
    lines[0] += f"; {left_out} left out" if left_out else ""
    if done.restored:
        lines.append(f"{done.restored} have the state that they left with in an export of ours")
    if done.subjects:
        lines.append(", ".join(f"{count} photos are {name}'s" for name, count in done.subjects.items()))
    if done.guessed_sides:
        lines.append(
            f"{done.guessed_sides} hands have a side that the network guessed, since nothing said it: they are not "
            "accepted; look at them, then `accept --side right` or `--side left`"
        )
    changed = [hand for hand in done.differs if hand not in done.updated]
    if changed:
        lines.append(
            f"{len(changed)} have another label there than here: {', '.join(changed[:20])} (--update takes over)"
        )
    if done.updated:
        lines.append(f"{len(done.updated)} took over their new label: {', '.join(done.updated[:20])}")
    return "\n".join(lines)
