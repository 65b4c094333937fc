"""`annotator correct PROJECT HAND JOINT [X Y]`: set a keypoint, its state or its order in depth; the mesh follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit

if TYPE_CHECKING:
    from annotator.correcting.strain import StrainedLabel
    from annotator.hand.definitions import JointDefinition
    from annotator.hand.mesh import HandMesh

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
    import numpy as np

    from annotator.correcting.depth.evidence import Evidence, InFront, PalmDepths
    from annotator.errors import InputError
    from annotator.hand.depth_labels import depths_from_palm
    from annotator.hand.joint_states import UNSEEN
    from annotator.hand.joints import JOINT_NAMES, joint_index
    from annotator.project import Project
    from annotator.project.photo_files.pixels import pixels_of
    from annotator.project.records.states import CONFIRMED, CORRECTED, check_joint_states
    from annotator.project.strain import strained_labels

    number = joint_index(joint)
    if hold and (x is None or y is None):
        raise InputError("--hold is about where a keypoint is put: it needs X and Y")
    evidence: list[Evidence] = [InFront(number, in_front_of)] if in_front_of is not None else []
    evidence += [InFront(behind, number)] if behind is not None else []
    if nearer is not None and farther is not None:
        raise InputError("correct takes --nearer or --farther, not both")
    if forget_depth and (evidence or nearer is not None or farther is not None):
        raise InputError("--forget-depth takes back what was said of a joint's depth: say nothing new with it")
    step = (farther or 0.0) - (nearer or 0.0) if nearer is not None or farther is not None else None
    said = bool(evidence) or step is not None or forget_depth
    if (x is None) != (y is None) or (x is None and state is None and not said):
        depths = "--in-front-of, --behind, --nearer, --farther, --forget-depth"
        raise InputError(f"correct needs X and Y, or what is known of the joint: --state, {depths}")
    with Project.open(project, who) as opened:
        before, mesh, definition = opened.hand(hand), opened.mesh(hand), opened.definition()
        if forget_depth and before.depth_labels == before.depth_labels.without(number):
            raise InputError(f"nobody said anything of the depth of {JOINT_NAMES[number]} in hand {hand}")
        if step is not None:
            now = before.depth_labels.from_palm.get(number, float(depths_from_palm(mesh.joints)[number]))
            evidence.append(PalmDepths({number: now + step / 1000}))
        states = list(before.joint_states)
        states[number] = state or (states[number] if x is None else CORRECTED)
        check_joint_states(states)
        if x is None and not said:
            version = opened.edit(
                hand, None, states, before.version, {"states": {JOINT_NAMES[number]: state}, "command": "correct"}
            )
            contradicting = strained_labels(mesh, states, definition)
            result = {"id": hand, "joint": JOINT_NAMES[number], "state": opened.hand(hand).state, "version": version,
                      "joint_state": state, "corrections": len(before.corrections), "moved_mm": 0.0,
                      "definition": definition.name, "apart_px": _apart(mesh, number, definition),
                      "strained": [one.as_dict() for one in contradicting]}  # fmt: skip
            return emit(as_json, result, _lines(f"{hand}: {JOINT_NAMES[number]} is {state}", contradicting))
        height, width = before.photo.height, before.photo.width
        if x is not None and y is not None and not (-width <= x <= 2 * width and -height <= y <= 2 * height):
            raise InputError(f"({x:g}, {y:g}) is far outside the {width} x {height} px photo of hand {hand}")
        photo = pixels_of(before.photo)

        from annotator.cli.support.instants import move
        from annotator.model import load_model
        from annotator.rounds import current_checkpoint

        network = load_model(model or current_checkpoint(opened), device=device)
        place = {} if x is None or y is None else {number: (x, y)}
        asked = mesh.replace(depth_labels=mesh.depth_labels.without(number)) if forget_depth else mesh
        told = states
        if hold:  # what was put so is right where it is, as when it is dragged so in the window
            told = [one if one in UNSEEN else CONFIRMED for one in states]
            states[number] = state or CONFIRMED
        note = {"joint": JOINT_NAMES[number], "command": "correct", "model_digest": network.digest}
        note |= {"definition": definition.name} | ({"exact": "yes"} if exact else {})
        note |= {"in front of": in_front_of} if in_front_of is not None else {}
        note |= {"behind": behind} if behind is not None else {}
        note |= {"nearer by, mm": f"{-step:g}"} if step is not None else {}
        note |= {"depth": "forgotten"} if forget_depth else {}
        one = opened.one_mesh(hand)
        if one is not None and len(one.hands) > 1:
            if evidence or exact or step is not None or hold or forget_depth:
                raise InputError(
                    f"hand {hand} is one mesh in {len(one.hands)} photos: their depth is known, set keypoints"
                )
            moved_too = move(opened, network, one, hand, place, states, definition, note)
            version = moved_too[hand]
        else:
            subject = opened.subjects.shape_for(before.photo.id)
            fixed = network.refine(network.remember(photo, asked), place, told, evidence, exact, definition, subject)
            version, moved_too = opened.edit(hand, fixed, states, before.version, note), {}
        after, answer = opened.hand(hand), opened.mesh(hand)
    moved = answer.vertices - mesh.vertices
    contradicting = strained_labels(answer, after.joint_states, definition)
    result = {
        "id": hand,
        "joint": JOINT_NAMES[number],
        "state": after.state,
        "joint_state": after.joint_states[number],
        "version": version,
        "corrections": len(after.corrections),
        "moved_mm": round(1000 * float(np.linalg.norm(moved, axis=1).max()), 3),
        "definition": definition.name,
        "apart_px": _apart(answer, number, definition),
        "strained": [one.as_dict() for one in contradicting],
        "depth_labels": after.depth_labels.as_dict(),
        "moved": sorted(moved_too),
    }
    text = f"{hand}: {result['joint']} set; the mesh moved by up to {result['moved_mm']:.1f} mm"
    if len(moved_too) > 1:
        text += f" in its {len(moved_too)} photos"
    if x is not None:
        off = [round(float(np.linalg.norm(definition.keypoints(one)[number] - (x, y))), 3) for one in (mesh, answer)]
        result |= {"x": x, "y": y, "before_px": off[0], "after_px": off[1]}
        text += f", its joint is {off[1]:.1f} px from the label (before: {off[0]:.1f} px)"
    emit(as_json, result, _lines(text, contradicting))


def _apart(mesh: HandMesh, joint: int, definition: JointDefinition) -> float | None:
    """Photo px from a joint's label to where the mesh has the joint; None where it has no label."""
    if joint not in mesh.corrections:
        return None
    return round(math.dist(definition.keypoints(mesh)[joint], mesh.corrections[joint]), 3)


def _lines(text: str, contradicting: Sequence[StrainedLabel]) -> str:
    """The text, and a line for each label that contradicts the mesh."""
    return "\n".join([text, *(f"strained: {one.words}" for one in contradicting)])
