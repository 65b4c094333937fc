"""`annotator correct PROJECT HAND JOINT [X Y]`: set a keypoint, its state or its order in depth; the mesh follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.correcting import Correction, check_place, correction_of, evidence_of, states_with
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

if TYPE_CHECKING:
    from annotator.correcting.strain import StrainedLabel
    from annotator.hand.definitions import JointDefinition
    from annotator.hand.mesh import HandMesh
    from annotator.project import Project
    from annotator.project.records.views import StoredHand

    Said = tuple[dict[str, Any], str, Sequence[StrainedLabel]]  # for programs, for people, labels that contradict

# a coordinate may be negative (a joint left of the photo): `-5` is a number, not an option
app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(context_settings={"ignore_unknown_options": True})
def command(
    project: ProjectFolder,
    hand: Annotated[str, typer.Argument(metavar="HAND", help="Its id, as `status` lists it.", show_default=False)],
    joint: Annotated[
        str,
        typer.Argument(metavar="JOINT", help="index_tip, wrist, ... or a number 0..20.", show_default=False),
    ],
    x: Annotated[float | None, typer.Argument(metavar="[X", help="Photo px, to the right.", show_default=False)] = None,
    y: Annotated[float | None, typer.Argument(metavar="Y]", help="Photo px, down.", show_default=False)] = None,
    state: Annotated[
        str | None,
        typer.Option(
            help="confirmed, occluded, 'out of frame' or proposed; without X Y the mesh stays.", show_default=False
        ),
    ] = None,
    in_front_of: Annotated[
        str | None,
        typer.Option(metavar="JOINT", help="JOINT is nearer to the camera than this one.", show_default=False),
    ] = None,
    behind: Annotated[
        str | None,
        typer.Option(metavar="JOINT", help="JOINT is farther from the camera than this one.", show_default=False),
    ] = None,
    nearer: Annotated[
        float | None,
        typer.Option(metavar="MM", help="JOINT is nearer to the camera by so much, seen from the palm.", min=0),
    ] = None,
    farther: Annotated[
        float | None,
        typer.Option(metavar="MM", help="JOINT is farther from the camera by so much, seen from the palm.", min=0),
    ] = None,
    forget_depth: Annotated[
        bool, typer.Option("--forget-depth", help="Take back what was said of JOINT's depth.")
    ] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Pin the mesh to every label, at the price of its shape.")
    ] = False,
    hold: Annotated[
        bool,
        typer.Option(
            "--hold", help="All other keypoints that can be seen stay where they are, as far as a hand allows."
        ),
    ] = False,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a keypoint of a hand where it belongs, or say what is known of it. The place is kept exactly; the mesh
    becomes the likeliest hand given this and all earlier corrections."""
    from annotator.project import Project

    correction = correction_of(joint, x, y, state, in_front_of, behind, nearer, farther, forget_depth, exact, hold)
    with Project.open(project, who) as opened:
        if correction.place is None and not correction.of_depth:
            result, text, strained = _say_state(opened, hand, correction)
        else:
            result, text, strained = _move(opened, hand, correction, model, device)
    emit(as_json, result | {"strained": [one.as_dict() for one in strained]}, _lines(text, strained))


def _say_state(opened: Project, hand: str, asked: Correction) -> Said:
    """Keep a joint's state; the mesh stays."""
    from annotator.project.strain import strained_labels

    before, mesh, definition = opened.hand(hand), opened.mesh(hand), opened.definition()
    states = states_with(before, asked)
    note = {"states": {asked.name: asked.state}, "command": "correct"}
    version = opened.edit(hand, None, states, before.version, note)
    result = {"id": hand, "joint": asked.name, "state": opened.hand(hand).state, "version": version,
              "joint_state": asked.state, "corrections": len(before.corrections), "moved_mm": 0.0,
              "definition": definition.name, "apart_px": _apart(mesh, asked.joint, definition)}  # fmt: skip
    return result, f"{hand}: {asked.name} is {asked.state}", strained_labels(mesh, states, definition)


def _move(opened: Project, hand: str, asked: Correction, model: Path | None, device: str) -> Said:
    """Let the mesh follow what is said, in all photos where it is one, and keep it."""
    from annotator.cli.support.instants import move
    from annotator.errors import InputError
    from annotator.hand.joint_states import UNSEEN
    from annotator.model import load_model
    from annotator.project.photo_files.pixels import pixels_of
    from annotator.project.records.states import CONFIRMED
    from annotator.rounds import current_checkpoint

    before, mesh, definition = opened.hand(hand), opened.mesh(hand), opened.definition()
    evidence = evidence_of(before, mesh, asked)
    states = states_with(before, asked)
    check_place(asked.place, before)
    photo = pixels_of(before.photo)
    network = load_model(model or current_checkpoint(opened), device=device)
    place = {} if asked.place is None else {asked.joint: asked.place}
    told = states
    if asked.hold:  # what was put so is right where it is, as when it is dragged so in the window
        told = [one if one in UNSEEN else CONFIRMED for one in states]
        states[asked.joint] = asked.state or CONFIRMED
    note = {"joint": asked.name, "command": "correct", "model_digest": network.digest}
    note |= {"definition": definition.name} | ({"exact": "yes"} if asked.exact else {}) | asked.note
    one = opened.one_mesh(hand)
    moved_too: Mapping[str, int] = {}
    if one is not None and len(one.hands) > 1:
        if asked.of_depth or asked.exact or asked.hold:
            raise InputError(f"hand {hand} is one mesh in {len(one.hands)} photos: their depth is known, set keypoints")
        moved_too = move(opened, network, one, hand, place, states, definition, note)
        version = moved_too[hand]
    else:
        of_joint = mesh.replace(depth_labels=mesh.depth_labels.without(asked.joint)) if asked.forget_depth else mesh
        known = network.remember(photo, of_joint)
        subject = opened.subjects.shape_for(before.photo.id)
        fixed = network.refine(known, place, told, evidence, asked.exact, definition, subject)
        version = opened.edit(hand, fixed, states, before.version, note)
    return _moved(opened.hand(hand), mesh, opened.mesh(hand), asked, version, sorted(moved_too), definition)


def _moved(
    after: StoredHand,
    mesh: HandMesh,
    answer: HandMesh,
    asked: Correction,
    version: int,
    moved_too: list[str],
    definition: JointDefinition,
) -> Said:
    """What is said of a mesh that moved from `mesh` to `answer`."""
    import numpy as np

    from annotator.project.strain import strained_labels

    moved = answer.vertices - mesh.vertices
    result: dict[str, Any] = {
        "id": after.id,
        "joint": asked.name,
        "state": after.state,
        "joint_state": after.joint_states[asked.joint],
        "version": version,
        "corrections": len(after.corrections),
        "moved_mm": round(1000 * float(np.linalg.norm(moved, axis=1).max()), 3),
        "definition": definition.name,
        "apart_px": _apart(answer, asked.joint, definition),
        "depth_labels": after.depth_labels.as_dict(),
        "moved": moved_too,
    }
    text = f"{after.id}: {asked.name} set; the mesh moved by up to {result['moved_mm']:.1f} mm"
    if len(moved_too) > 1:
        text += f" in its {len(moved_too)} photos"
    if asked.place is not None:
        x, y = asked.place
        off = [round(math.dist(definition.keypoints(one)[asked.joint], asked.place), 3) for one in (mesh, answer)]
        result |= {"x": x, "y": y, "before_px": off[0], "after_px": off[1]}
        text += f", its joint is {off[1]:.1f} px from the label (before: {off[0]:.1f} px)"
    return result, text, strained_labels(answer, after.joint_states, definition)


def _apart(mesh: HandMesh, joint: int, definition: JointDefinition) -> float | None:
    """Photo px from a joint's label to where the mesh has the joint; None where it has no label."""
    if joint not in mesh.corrections:
        return None
    return round(math.dist(definition.keypoints(mesh)[joint], mesh.corrections[joint]), 3)


def _lines(text: str, contradicting: Sequence[StrainedLabel]) -> str:
    """The text, and a line for each label that contradicts the mesh."""
    return "\n".join([text, *(f"strained: {one.words}" for one in contradicting)])
