"""`annotator flip PROJECT HAND...`: a left hand that was taken for a right one, or the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.choosing import HandIds, choice_of
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

if TYPE_CHECKING:
    from annotator.hand.definitions import JointDefinition
    from annotator.model import Model
    from annotator.project import OneMesh, Project


def command(
    project: ProjectFolder,
    hands: HandIds,
    side: Annotated[
        str | None,
        typer.Option(help="left or right: only hands that are not that yet; default: each hand's other side.",
                     show_default=False),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew: labels and states of joints go.")
    ] = False,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Make hands ones of the other side. The network answers anew in the same place; what a person said of the photo
    stays: keypoints that were set or confirmed, and those that cannot be seen."""
    from annotator.cli.labelling.verdicts import asked
    from annotator.cli.support.proposing import checkpoint_of
    from annotator.hand.joints import check_side
    from annotator.model import load_model
    from annotator.project import Project
    from annotator.project.guessed_sides import SIDE_CONFIRMED
    from annotator.project.photo_files.pixels import pixels_of
    from annotator.project.strain import strained_labels

    if side is not None:
        check_side(side)
    done: list[dict] = []
    lines: list[str] = []
    with Project.open(project, who) as opened:
        found = [one for one in asked(opened, hands, choice_of(), ()).notes if opened.hand(one).side != side]
        checkpoint, _ = checkpoint_of(opened, model)
        network = load_model(checkpoint, device=device) if found else None
        definition = opened.definition()
        for hand_id in found:
            assert network is not None
            one = opened.one_mesh(hand_id)
            if one is not None and len(one.hands) > 1:
                if not set(one.hands.values()) & {row["id"] for row in done}:  # all of its photos at once
                    rows = _flip_together(opened, network, one, hand_id, fresh, definition)
                    done += rows
                    lines += [f"{row['id']}: a {row['side']} hand now, as in its other photos" for row in rows]
                continue
            before, mesh = opened.hand(hand_id), opened.mesh(hand_id)
            states = ("proposed",) * 21 if fresh else before.joint_states
            start = mesh.replace(corrections={}) if fresh else mesh
            flipped = network.other_side(pixels_of(before.photo), start, states, definition)
            note = {"side": flipped.side, "command": "flip", "model_digest": network.digest, SIDE_CONFIRMED: True}
            version = opened.edit(hand_id, flipped.replace(features=None), states, before.version, note)
            strained = strained_labels(flipped, states, definition)
            kept = len(flipped.corrections)
            done.append(
                {
                    "id": hand_id,
                    "side": flipped.side,
                    "version": version,
                    "kept": kept,
                    "strained": [one.as_dict() for one in strained],
                }
            )
            lines.append(f"{hand_id}: a {flipped.side} hand now; {kept} labelled keypoints kept")
            lines += [f"strained: {hand_id}: {one.words}" for one in strained]
    emit(as_json, {"hands": done}, "\n".join(lines) or "no hand to flip")


def _flip_together(
    opened: Project, network: Model, one: OneMesh, hand_id: str, fresh: bool, definition: JointDefinition
) -> list[dict]:
    """A hand that is one mesh in several photos, in all of them, as one step; a row for each."""
    from annotator.project.guessed_sides import SIDE_CONFIRMED
    from annotator.project.one_mesh import Shown
    from annotator.project.photo_files.pixels import pixels_of

    known = Shown.of(opened, one)
    states = {name: ["proposed"] * 21 for name in known.meshes} if fresh else known.states()
    shown = {name: mesh.replace(corrections={}) if fresh else mesh for name, mesh in known.meshes.items()}
    photos = {name: pixels_of(hand.photo) for name, hand in known.before.items()}
    flipped = network.other_side_instant(photos, known.rig, shown, states, definition)
    note = {"side": flipped.side, "command": "flip", "model_digest": network.digest, SIDE_CONFIRMED: True}
    told = {one.hands[name]: of for name, of in states.items()}
    versions = known.store(opened, flipped, hand_id, told, note)
    return [
        {"id": other, "side": flipped.side, "version": version, "kept": len(opened.mesh(other).corrections),
         "strained": []}
        for other, version in versions.items()
    ]  # fmt: skip
