"""A mesh for a record of a data set: by its own parameters, by those of the user's MANO, or fitted to its labels.

Where a record has parameters of a hand model that is here, its mesh is that. Else the network proposes and the solver
moves the hand until every labelled keypoint (and depth, where the camera and joints are known) is where the label has
it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from annotator.correcting import Depths, solve
from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand, box_of
from annotator.formats.core.details import rebuilt
from annotator.formats.mano.mano_file import parameters_of
from annotator.formats.mano.mano_joints import mano_joints
from annotator.hand.depth_labels import DepthLabels
from annotator.hand.mesh import HandMesh, ParametricEstimate
from annotator.hand.model import HandModel
from annotator.project.records.meshes import find_hand_model
from annotator.project.records.states import CONFIRMED, CORRECTED, OCCLUDED, OUT_OF_FRAME
from annotator.vision.camera import default_camera, project

VERTEX_SIGMA = 0.003  # m: what is taken for a data set's mesh, which says nothing of its own
KEYPOINT_SIGMA = 2.0  # px, likewise
MARGIN = 0.15  # of the box, round labelled keypoints
MANO_OFF = 0.02  # m: mean distance of joints at which parameters cannot be what they are taken for
FEWEST = 4  # labelled keypoints that a hand needs for a fit


def labelled(record: LabelledHand) -> dict[int, tuple[float, float]]:
    """Keypoint number -> place of those that a person set or confirmed."""
    return {
        k: tuple(record.keypoints[k].tolist())
        for k, state in enumerate(record.states)
        if state in (CORRECTED, CONFIRMED) and record.weights[k] > 0
    }


def with_mano(record: LabelledHand, mano: HandModel) -> LabelledHand:
    """The record as a hand of the user's MANO, where it has MANO's parameters and a camera; else as it is.

    InputError if the mesh that they give is not where the record's joints are: other conventions than the set's.
    """
    if record.mano is None or record.K is None or record.parameters is not None:
        return record
    wrist = None if record.joints is None else record.joints[0]
    parameters = parameters_of(record.mano, record.side, mano, wrist)
    if record.joints is not None:
        trust = np.ones(21) if record.joint_weights is None else record.joint_weights
        apart = np.linalg.norm(mano_joints(mano, parameters, record.side) - record.joints, axis=1)
        off = float(np.average(apart, weights=np.maximum(trust, 1e-9)))
        if off > MANO_OFF:
            raise InputError(f"MANO's parameters give joints {1000 * off:.0f} mm from the labelled ones")
    return replace(record, parameters=parameters, hand_model=mano.digest)


def own_mesh(record: LabelledHand) -> HandMesh | None:
    """The hand by the record's own parameters, or None where it has none or their model is not here."""
    vertices, faces = rebuilt(record.parameters, record.side, record.hand_model)
    if vertices is None or record.K is None or (vertices[:, 2] <= 0).any():
        return None
    assert record.parameters is not None  # they gave the vertices
    hand_model = find_hand_model(record.hand_model)
    joints = hand_model.joints(vertices)
    keypoints = project(joints, record.K)
    middle, side = _square(record.box)
    sigma = record.keypoint_sigma if record.keypoint_sigma is not None else np.full(21, KEYPOINT_SIGMA)
    return HandMesh(
        side=record.side, camera=record.K, crop_center=middle, crop_size=side, crop_angle=0.0, vertices=vertices,
        faces=faces, joints=joints, keypoints=keypoints, keypoint_sigma=sigma,
        vertex_sigma=np.full(len(vertices), VERTEX_SIGMA),
        confidence=float(np.clip(record.provenance.get("confidence", 1.0), 0, 1)), parameters=record.parameters,
        hand_model=hand_model.name, parametric=ParametricEstimate(vertices, joints, keypoints, record.parameters),
        corrections=_corrections(record), depth_labels=DepthLabels.from_dict(record.provenance.get("depth_labels")),
    )  # fmt: skip


def _corrections(record: LabelledHand) -> dict[int, tuple[float, float]]:
    """Where a person put keypoints: as our own exports say, if the photo is still the one it was said of."""
    given, changed = record.provenance.get("corrections"), {"mirrored", "photo_to_image"} & record.provenance.keys()
    if not isinstance(given, dict):
        return labelled(record)
    if not changed:
        return {int(k): tuple(place) for k, place in given.items()}
    # the photo was cut out or mirrored: the record's keypoints are the same labels in it
    return {int(k): tuple(record.keypoints[int(k)].tolist()) for k in given}


def fit(record: LabelledHand, photo: np.ndarray, model, definition: str = "anatomical") -> HandMesh:
    """The model's proposal for the record's box, moved onto its labels. InputError: too few labels, no plausible place.

    Confirmed and corrected keypoints become the mesh's corrections; proposed ones only draw it. definition: how the
    set's labels are meant, see `hand.definitions`.
    """
    known = np.flatnonzero(record.weights > 0)
    if len(known) < FEWEST:
        raise InputError(f"{len(known)} labelled keypoints are too few to fit a hand, at least {FEWEST} are needed")
    points = box_of(np.concatenate([record.keypoints[known], np.reshape(record.box, (2, 2))]))
    reach = MARGIN * max(points[2] - points[0], points[3] - points[1])
    box = points + np.array([-reach, -reach, reach, reach])
    height, width = photo.shape[:2]
    K = record.K if record.K is not None else default_camera(height, width, box[2] - box[0])
    found = model.propose(photo, boxes=[tuple(box)], sides=[record.side], K=K)
    if not found:
        raise InputError("the model proposes no hand in this box")
    targets = {int(k): tuple(record.keypoints[k].tolist()) for k in known}
    depths = _depths(record)
    # labels in space leave nothing to guess; labels of the photo alone are evidence, in their maker's sense
    states = _for_solver(record)
    solution = solve(found[0], model.hand, targets, states, depths, definition=definition, exact=bool(depths))
    places = labelled(record)
    return solution.hand.replace(corrections=places, features=None)


def _for_solver(record: LabelledHand) -> dict[int, str]:
    """What the solver must leave out: keypoints without a label. An occluded one with a label has a place."""
    unknown = np.flatnonzero(record.weights == 0).tolist()
    return {k: OUT_OF_FRAME if record.states[k] == OUT_OF_FRAME else OCCLUDED for k in unknown}


def _depths(record: LabelledHand) -> tuple:
    """The labels' depths, where camera and joints are known (metres)."""
    if record.joints is None or record.K is None:
        return ()
    trust = np.ones(21) if record.joint_weights is None else record.joint_weights
    depths = {k: float(record.joints[k, 2]) for k in range(21) if trust[k] >= 0.5 and record.joints[k, 2] > 0}
    return (Depths(depths),) if depths else ()


def _square(box: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and side of the crop round an upright box."""
    x0, y0, x1, y1 = box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2]), float(1.5 * max(x1 - x0, y1 - y0, 1.0))
