"""From a HandMesh to the record that is stored, and back; the mesh itself is rebuilt by the hand model."""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError
from annotator.hand.mesh import HandMesh, HandParameters, ParametricEstimate
from annotator.hand.model import OFFSET_LEVEL, USER_HANDS, HandModel, load_hand
from annotator.hand.topology import JOINTS, PACKED, PACKED_POSE, PACKED_SHAPE, PACKED_TRANSLATION
from annotator.project.records.record import HandRecord
from annotator.vision.camera import project

# m: how far a mesh may be from what its own parameters give; single precision alone stays below 1e-7
TOLERANCE = 1e-4


def find_hand_model(name: str, digest: str | None = None) -> HandModel:
    """The hand model of this name, path or digest. InputError if it is not here or not that of `digest`."""
    model = (None if name in ("free", *USER_HANDS) else _by_digest(name)) or load_hand(name)
    if digest is not None and model.digest != digest:
        raise InputError(f"hand model {name!r} has digest {model.digest[:12]}, the project's hands need {digest[:12]}")
    return model


def _by_digest(digest: str) -> HandModel | None:
    """The embedded or imported hand model of this digest, or None."""
    for name in ("free", *USER_HANDS):
        try:
            model = load_hand(name)
        except InputError:  # not imported
            continue
        if model.digest == digest:
            return model
    return None


def record_of(hand: HandMesh, model: HandModel, joint_states: tuple[str, ...], state: str) -> HandRecord:
    """What is stored of `hand`. InputError if its parameters do not give its vertices."""
    parameters = hand.parameters
    if len(parameters.offsets) != model.offset_count:
        raise InputError(f"{len(parameters.offsets)} offsets, hand model {model.name!r} has {model.offset_count}")
    record = HandRecord(
        side=hand.side,
        K=hand.camera,
        crop=np.array([*hand.crop_center, hand.crop_size, hand.crop_angle]),
        **{name: getattr(parameters, name).astype(np.float32) for name in ("pose", "shape", "translation", "offsets")},
        keypoint_sigma=hand.keypoint_sigma.astype(np.float32),
        vertex_sigma=hand.vertex_sigma[model.levels[OFFSET_LEVEL].indices].astype(np.float16),
        confidence=float(np.float32(hand.confidence)),
        corrections=dict(hand.corrections),
        depth_labels=hand.depth_labels,
        joint_states=joint_states,
        state=state,
    )
    rebuilt = model.vertices(parameters_of(record), hand.side)
    if rebuilt.shape != hand.vertices.shape:
        raise InputError(f"a mesh of {len(hand.vertices)} vertices, hand model {model.name!r} has {len(rebuilt)}")
    distance = np.linalg.norm(rebuilt - hand.vertices, axis=1).max()
    if distance > TOLERANCE:
        raise InputError(f"a hand's vertices are up to {1000 * distance:.2f} mm from what its parameters give")
    return record


def parameters_of(record: HandRecord) -> HandParameters:
    """The hand model parameters of a record."""
    return HandParameters(record.pose, record.shape, record.translation, record.offsets)


def mesh_of(record: HandRecord, model: HandModel, parametric: bytes | None = None) -> HandMesh:
    """The HandMesh of a record, without features; its `parametric` is None unless that was stored."""
    parameters = parameters_of(record)
    vertices = model.vertices(parameters, record.side)
    joints = model.joints(vertices)
    return HandMesh(
        side=record.side,
        camera=record.K,
        crop_center=record.crop[:2],
        crop_size=record.crop[2],
        crop_angle=record.crop[3],
        vertices=vertices,
        faces=model.faces_of(record.side),
        joints=joints,
        keypoints=project(joints, record.K),
        keypoint_sigma=record.keypoint_sigma,
        vertex_sigma=model.levels[OFFSET_LEVEL].upsample @ record.vertex_sigma.astype(np.float64),
        confidence=record.confidence,
        parameters=parameters,
        hand_model=model.name,
        parametric=_parametric_estimate(parametric, record, model),
        corrections=record.corrections,
        depth_labels=record.depth_labels,
    )


def pack_parametric(hand: HandMesh) -> bytes | None:
    """The parametric stage's parameters as float32 (pose, shape, translation, offsets), or None if it did not
    say.
    """
    parameters = getattr(hand.parametric, "parameters", None)
    if parameters is None:
        return None
    parts = (parameters.pose, parameters.shape, parameters.translation, parameters.offsets)
    offsets = parts[3] if np.any(parts[3]) else parts[3][:0]  # the parametric stage has none as a rule
    return np.concatenate([part.ravel() for part in (*parts[:3], offsets)]).astype("<f4").tobytes()


def _parametric_estimate(data: bytes | None, record: HandRecord, model: HandModel) -> ParametricEstimate | None:
    if data is None:
        return None
    values = np.frombuffer(data, "<f4")
    offsets = values[PACKED:].reshape(-1, 3) if len(values) > PACKED else np.zeros((model.offset_count, 3))
    pose = values[PACKED_POSE].reshape(JOINTS, 3)
    parameters = HandParameters(pose, values[PACKED_SHAPE], values[PACKED_TRANSLATION], offsets)
    vertices = model.vertices(parameters, record.side)
    joints = model.joints(vertices)
    return ParametricEstimate(vertices, joints, project(joints, record.K), parameters)
