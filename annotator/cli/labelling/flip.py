"""`annotator flip PROJECT HAND...`: a left hand that was taken for a right one, or the other way round."""

from __future__ import annotations

from typing import Annotated

import typer

from annotator.cli.labelling.propose import DeviceOption, ModelOption
from annotator.cli.support.choosing import HandIds, choice_of
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit


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
    from annotator.project.guessed import SIDE_CONFIRMED
    from annotator.project.photo_files.pixels import pixels_of
    from annotator.project.strain import strained_labels

    if side is not None:
        check_side(side)
    done, lines = [], []
    with Project.open(project, who) as opened:
        found = [one for one in asked(opened, hands, choice_of(), ()).notes if opened.hand(one).side != side]
        checkpoint, _ = checkpoint_of(opened, model)
        network = load_model(checkpoint, device=device) if found else None
        definition = opened.definition()
        for hand_id in found:
            assert network is not None
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
