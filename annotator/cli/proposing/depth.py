"""`annotator depth PROJECT --images PATTERN`: depth images beside the photos renew the meshes of untouched hands."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import typer

from annotator.cli.proposing.propose import DeviceOption, ModelOption
from annotator.cli.support.output import JsonOption, ProjectFolder, WhoOption, emit


def command(
    project: ProjectFolder,
    images: Annotated[
        str,
        typer.Option(
            metavar="PATTERN",
            help="Where a photo's depth image is: '{folder}/{stem}_depth.png' ({parent}: the folder above).",
            show_default=False,
        ),
    ],
    noise: Annotated[float, typer.Option(metavar="MM", help="How far one measurement may be off.", min=0.01)] = 3.0,
    model: ModelOption = None,
    device: DeviceOption = "auto",
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read depth images through the hands that nobody has touched, and put meshes in their place that lie on the
    measured surface. Hands that somebody has worked on stay, and are said with their distance from it."""
    from annotator.correcting.depth.surfaces import read_surface
    from annotator.model import load_model
    from annotator.project import Project, Provenance
    from annotator.project.photo_files.depth_images import DepthPattern
    from annotator.project.photo_files.pixels import pixels_of
    from annotator.project.records.states import PROPOSED
    from annotator.rounds import current_checkpoint
    from annotator.vision.images.depth_images import DepthImage, read_depth

    pattern = DepthPattern(images)
    rows: list[dict[str, Any]] = []
    with Project.open(project, who) as opened:
        name = model or current_checkpoint(opened)
        network = load_model(name, device=device)
        hands = [opened.hand(entry.id) for entry in opened.hands()]
        photos = {hand.photo.id: hand.photo for hand in hands}
        there = {photo.id: path for photo, path in pattern.found(photos)}

        @lru_cache(maxsize=1)  # the hands of a photo come one after the other
        def depth_of(photo: int) -> DepthImage:
            return read_depth(there[photo], (photos[photo].height, photos[photo].width), noise / 1000)

        for photo in there:  # all are looked at before anything is stored, and none is kept
            depth_of(photo)
        for hand in hands:
            if hand.photo.id not in there:
                continue
            image, mesh = depth_of(hand.photo.id), opened.mesh(hand.id)
            touched = hand.state != PROPOSED or bool(hand.corrections) or set(hand.joint_states) != {PROPOSED}
            before = read_surface(mesh, image)
            after = before
            if not touched and before.depths is not None:
                fresh = network.refine(network.remember(pixels_of(hand.photo), mesh), {}, evidence=[image])
                after = read_surface(fresh, image)
                source = Provenance(str(name or "default"), network.digest, extra={"depth_image": True})
                opened.repropose(hand.id, fresh, source, version=hand.version)
            rows.append({"id": hand.id, "renewed": not touched and before.depths is not None, "state": hand.state,
                         "surface_mm": [_mm(before.distance), _mm(after.distance)],
                         "covered": round(after.covered, 3)})  # fmt: skip
    renewed = sum(row["renewed"] for row in rows)
    lines = [f"{renewed} of {len(rows)} hands with a depth image have a mesh on it; "
             f"{len(hands) - len(rows)} hands have none"]  # fmt: skip
    for row in rows:
        was, now = ("?" if value is None else f"{value:.1f}" for value in row["surface_mm"])
        does = f"{was} -> {now} mm from the surface" if row["renewed"] else f"left as it is, {was} mm from the surface"
        lines.append(f"{row['id']}: {does}, {100 * row['covered']:.0f} % of it measured")
    emit(as_json, {"hands": rows, "renewed": renewed}, "\n".join(lines))


def _mm(distance: float) -> float | None:
    return round(1000 * distance, 2) if distance == distance else None
