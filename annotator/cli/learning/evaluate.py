"""`annotator evaluate DATA [--model CHECKPOINT]`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.support.output import JsonOption, emit, is_project

if TYPE_CHECKING:
    import numpy as np

    from annotator.learning.scoring import Run, Scored


def command(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A project, synthetic shards, a keypoint table with photos, or, with --protocol, a data set.",
            show_default=False,
        ),
    ],
    protocol: Annotated[
        str, typer.Option(help="Score by the official rules of: freihand or ho3d.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help="With --protocol: folder for pred.json, scores.json, scores.txt and curves.json.", show_default=False
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Checkpoint; default: the shipped model.", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option(help="At most this many hands (0: all).", min=0)] = 0,
    held: Annotated[
        bool, typer.Option(help="Of a keypoint table, or a project with a promoted round, only what was held out.")
    ] = True,
    simulated: Annotated[
        bool,
        typer.Option(help="Rendered photos: landmarks with the noise of real photos instead of the encoder's own."),
    ] = True,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Score a model: joints, mesh and keypoints, stage by stage (crops by the label, as a given box).

    Of a keypoint table also with its own definition of the joints, learned on the other half of it. Of a project: how
    far proposals, and accepted meshes, are from the keypoints that people set or confirmed in accepted hands.
    """
    from annotator.errors import InputError

    folder = Path(data)
    if not protocol and is_project(data):
        if out is not None:
            raise InputError("--out needs --protocol: what would be written is a protocol's pred.json")
        return of_project(data, model, count, held, device, as_json)
    if protocol:
        by_protocol(folder, protocol, out, model, count, device, as_json)
        return
    if out is not None:
        raise InputError("--out needs --protocol: what would be written is a protocol's pred.json")
    from annotator.learning.data.photos import FILE, KeypointPhotos
    from annotator.learning.data.rendered import RenderedCrops
    from annotator.learning.scoring import answers, rendered_answers, scores
    from annotator.network.checkpoint import load_checkpoint, resolve_device

    network, _ = load_checkpoint(model)
    network = network.to(resolve_device(device))
    if (folder / "meta.json").exists():
        crops = RenderedCrops(folder, jitter=False)
        rows = scores(*rendered_answers(network, crops, count or len(crops), simulated))
    elif (folder / FILE).exists():
        photos = KeypointPhotos(folder, held=True if held else None, jitter=False)
        if not len(photos):
            raise InputError(f"{data}: the table holds nothing out of training (--no-held scores all of it)")
        run = answers(network, photos, count or None)
        groups = photos.table.group[: len(run.labels.keypoints)]
        rows = scores(run, more=by_the_other_half(run, groups))
    else:
        raise InputError(f"{data} is neither a folder of synthetic photos (meta.json) nor a keypoint table ({FILE})")
    emit(as_json, {"data": data, "rows": rows}, table(rows))


def of_project(place: str, model: Path | None, count: int, held: bool, device: str, as_json: bool) -> None:
    """The project's own accepted hands."""
    from annotator import model as models
    from annotator.cli.support.stages import Stages
    from annotator.project import Project
    from annotator.rounds import current_checkpoint
    from annotator.rounds.trials import own_hands

    with Project.open(place) as opened, Stages(as_json) as stages:
        found, which = own_hands.own_samples(opened, held)
        found = found[: count or None]
        network = models.load_model(model or current_checkpoint(opened), device=device)
        rows = own_hands.rows(opened, network, found, lambda n: stages("evaluate", n, len(found), {}))
    result = {"data": place, "which": which, "model_digest": network.digest, "rows": rows}
    emit(as_json, result, f"{which}\n\n{table(rows)}")


def by_the_other_half(run: Run, groups: np.ndarray) -> list[tuple[str, Scored]]:
    """The last estimate, its joints where the set's labels mean them: learned on one half of the set, read on the
    other, both ways. Nothing for a set that cannot be halved.

    groups (S,): what must not be split; the halves are the first and the last of them, so that neighbours of a video
    do not stand in both.
    """
    import numpy as np

    from annotator.correcting.defining import learn_definition
    from annotator.learning.scoring import Scored, hand_sized, hands_of, known_labels, named

    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))[number]  # of the groups, as they come
    middle = (order.max() + 1) / 2 if len(order) else 0
    late = order >= middle
    if late.all() or not late.any():
        return []
    hands = hands_of(run)
    known, has_joints = known_labels(run.labels)
    points = np.where(known[..., None], run.labels.keypoints.numpy(), np.nan)
    places = np.where(has_joints[:, None, None], hand_sized(run.labels), np.nan)
    joints, keypoints = np.empty((len(hands), 21, 3)), np.empty((len(hands), 21, 2))
    for half in (late, ~late):
        rows = np.flatnonzero(half)
        found = learn_definition([hands[k] for k in rows], list(points[rows]), list(places[rows]))
        for k in np.flatnonzero(~half):
            joints[k], keypoints[k] = found.joints(hands[k]), found.keypoints(hands[k])
    return [(f"{named(run)[-1][0]}, definition learned on the other half", Scored(joints, keypoints, None))]


def by_protocol(
    data: Path, protocol: str, out: Path | None, model: Path | None, count: int, device: str, as_json: bool
) -> None:
    """Propose on a data set's evaluation photos (boxes and cameras by the label) and score officially."""
    import json
    from contextlib import nullcontext
    from itertools import islice

    import numpy as np

    from annotator.cli.support.output import progress
    from annotator.errors import InputError
    from annotator.evaluation.protocols import check_protocol, compare, protocol_joints, score, write_predictions
    from annotator.files.atomic import put_text
    from annotator.files.folders import scratch_folder
    from annotator.formats import freihand, ho3d
    from annotator.vision.photos import read_photo

    read = {"freihand": freihand.read, "ho3d": ho3d.read}[check_protocol(protocol)]
    split = "evaluation" if any(data.glob("evaluation*")) else ""
    from annotator import model as models

    network = models.load_model(model, device=device)
    found: dict[str, list] = {"joints": [], "true_joints": [], "vertices": [], "true_vertices": []}

    def answers():
        for record in progress(islice(read(data, split), count or None), "evaluate", count or None):
            (hand,) = network.propose(read_photo(record.photo), [record.box], [record.side], record.K)
            joints = protocol_joints(hand.vertices, network.hand, protocol, hand.parameters, hand.side)
            found["joints"].append(joints)
            found["true_joints"].append(record.joints)
            # vertex by vertex only where both meshes are of one hand model: equal counts are not enough
            own = record.hand_model in (network.hand.digest, network.hand.name)
            if own and record.vertices is not None and record.vertices.shape == hand.vertices.shape:
                found["vertices"].append(hand.vertices)
                found["true_vertices"].append(record.vertices)
            yield joints, hand.vertices

    with nullcontext(out) if out is not None else scratch_folder() as folder:
        hands = write_predictions(folder / "pred.json", protocol, answers())
        if not hands:
            raise InputError(f"{data} holds no labelled hand to score")
        arrays = {name: np.array(values) for name, values in found.items() if len(values) == hands}
        row = score(protocol, **arrays)
        if out is not None:
            compared = compare(protocol, **arrays)
            put_text(out / "scores.json", json.dumps(row, indent=1) + "\n")
            put_text(out / "scores.txt", compared.text())
            put_text(out / "curves.json", json.dumps(compared.curves(), indent=1) + "\n")
    result = {"data": str(data), "protocol": protocol, "hand_model": network.hand.name, "rows": [row]}
    if out is not None:
        result["predictions"] = str(out / "pred.json")
    emit(as_json, result, table([row]))


def table(rows: list[dict]) -> str:
    """A Markdown table, one row an estimate."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    for row in rows:
        cells = (row.get(name, "") for name in names)
        lines.append("| " + " | ".join(f"{c:.4g}" if isinstance(c, float) else str(c) for c in cells) + " |")
    return "\n".join(lines)
