"""Scores a network on a crop set, stage by stage: what the parametric stage knew, what each refinement added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from annotator.evaluation import metrics
from annotator.hand.mesh import HandMesh, HandParameters
from annotator.hand.rotations import rotation_vectors
from annotator.learning.data.noise import simulate_landmarks
from annotator.learning.data.rendered import RenderedCrops
from annotator.learning.data.samples import Labels
from annotator.learning.data.sources import CropSet, in_batches
from annotator.network.features import Features
from annotator.network.glfnet import GLFNet
from annotator.network.hand_meshes import PER_AXIS_2D
from annotator.network.parametric import place
from annotator.vision.crops import CROP_SIZE, MIDDLE

LEAST_WEIGHT = 0.05  # of a keypoint that counts


@dataclass(frozen=True)
class Scored:
    """Per-sample answers of one estimate. Metres in the crop camera's frame, crop px."""

    joints: np.ndarray  # (S, 21, 3)
    keypoints: np.ndarray  # (S, 21, 2)
    vertices: np.ndarray | None  # (S, V, 3)
    rotations: np.ndarray | None = None  # (S, 16, 3, 3) of the bones, each in its parent's frame


@dataclass(frozen=True)
class Run:
    """Answers of a network on a set: one `Scored` an estimate (parametric first), sigmas, and the labels."""

    estimates: list[Scored]
    keypoint_sigma: np.ndarray
    joint_sigma: np.ndarray
    encoder_keypoints: np.ndarray
    encoder_joints: np.ndarray
    labels: Labels


@torch.inference_mode()
def answers(
    network: GLFNet,
    crop_set: CropSet,
    count: int | None = None,
    batch: int = 16,
    with_mesh: bool = False,
    simulate=None,
) -> Run:
    """Runs `network` over the first `count` samples. Deterministic: sample i is drawn with a generator seeded by 0.

    simulate: None, or a function labels -> (landmarks, world) that takes the place of the encoder's own landmarks (on
    rendered photos the encoder's are not what real photos give; say so beside the number).
    """
    device = next(network.parameters()).device
    network.eval()
    count = len(crop_set) if count is None else min(count, len(crop_set))
    parts: list[list[tuple]] = []
    sigmas, encoder, labels_all = [], [], []
    for crops, labels in in_batches(crop_set, count, batch):
        labels_all.append(labels)
        on = Labels(*(f.to(device) for f in labels))
        features: Features = network.encoder(crops.to(device))
        if simulate is not None:
            points, world = simulate(labels)
            features = features._replace(landmarks=points.to(device), world=world.to(device))
        answer = network.answer(features, on.projection, on.focal)
        encoder.append((features.landmarks.cpu().numpy(), features.world.cpu().numpy()))
        row = []
        for estimate in answer.estimates:
            placed = place(network.layer, estimate, on.projection, on.focal)
            vertices: Tensor | None = None
            if with_mesh:
                vertices = network.layer(estimate.rotations(), estimate.shape, estimate.offsets)
            row.append(
                (
                    placed.joints.cpu().numpy(),
                    placed.keypoints.cpu().numpy(),
                    None if vertices is None else vertices.cpu().numpy(),
                    estimate.rotations().cpu().numpy(),
                )
            )
        parts.append(row)
        sigmas.append((answer.keypoint_sigma.cpu().numpy(), answer.joint_sigma.cpu().numpy()))
    estimates = []
    for k in range(len(parts[0])):
        columns: Any = zip(*(row[k] for row in parts), strict=True)
        joints, keypoints, vertices, rotations = columns
        estimates.append(
            Scored(
                np.concatenate(joints),
                np.concatenate(keypoints),
                np.concatenate(vertices) if with_mesh else None,
                np.concatenate(rotations),
            )
        )
    merged = Labels(*(torch.cat(f) for f in zip(*labels_all, strict=True)))
    return Run(
        estimates,
        np.concatenate([s for s, _ in sigmas]),
        np.concatenate([s for _, s in sigmas]),
        np.concatenate([e for e, _ in encoder]),
        np.concatenate([e for _, e in encoder]),
        merged,
    )


def rendered_answers(
    network: GLFNet, crops: RenderedCrops, count: int, simulated: bool = True, seed: int = 0
) -> tuple[Run, np.ndarray]:
    """Answers with meshes on the first `count` rendered photos, and the true meshes (S, V, 3) m.

    simulated: landmarks with the noise of real photos, drawn with `seed`; False: the encoder's own (see `answers`).
    """
    count = min(count, len(crops))
    generator = torch.Generator().manual_seed(seed)
    noise = (lambda labels: simulate_landmarks(labels, generator)) if simulated else None
    run = answers(network, crops, count, with_mesh=True, simulate=noise)
    return run, crops.true_vertices(network.layer.cpu(), count)


def named(run: Run) -> list[tuple[str, Scored]]:
    """The estimates with their names, the first is the parametric stage's."""
    return [("parametric" if k == 0 else f"retrieval {k}", e) for k, e in enumerate(run.estimates)]


def hands_of(run: Run) -> list[HandMesh]:
    """The last estimates as records of right hands in their crops (camera: the crop's), without a surface."""
    last, found = run.estimates[-1], []
    assert last.rotations is not None  # `answers` has them
    poses = rotation_vectors(last.rotations.astype(np.float64))
    for at, pose in enumerate(poses):
        parameters = HandParameters(pose, np.zeros(10), last.joints[at, 0], np.zeros((0, 3)))
        found.append(
            HandMesh(
                side="right",
                camera=run.labels.projection[at].double().numpy(),
                crop_center=np.array([MIDDLE, MIDDLE]),
                crop_size=float(CROP_SIZE),
                crop_angle=0.0,
                vertices=np.zeros((0, 3)),
                faces=np.zeros((0, 3)),
                joints=last.joints[at],
                keypoints=last.keypoints[at],
                keypoint_sigma=run.keypoint_sigma[at] * PER_AXIS_2D,
                vertex_sigma=np.zeros(0),
                confidence=1.0,
                parameters=parameters,
                hand_model="",
                parametric=None,
            )
        )
    return found


def known_labels(labels: Labels, min_weight: float = LEAST_WEIGHT) -> tuple[np.ndarray, np.ndarray]:
    """(S, 21) which keypoints count, and (S,) which samples have joints in 3-D."""
    return labels.keypoint_weight.numpy() >= min_weight, np.all(labels.joint_weight.numpy() > 0, axis=1)


def scores(
    run: Run,
    true_vertices: np.ndarray | None = None,
    min_weight: float = LEAST_WEIGHT,
    more: Sequence[tuple[str, Scored]] = (),
) -> list[dict[str, Any]]:
    """One row an estimate, rows for `more`, and a last row for the encoder's own landmarks ('encoder').

    2-D errors are divided by the larger side of the labelled keypoints' box. Joints are scored where the label has
    them; keypoints with a weight below `min_weight` do not count.
    """
    labels = run.labels
    truth = labels.keypoints.numpy()
    known, has_joints = known_labels(labels, min_weight)
    box = np.array([np.ptp(points, axis=0).max() for points in truth])
    rows = []
    encoder = Scored(run.encoder_joints, run.encoder_keypoints, None)
    for name, estimate in (*named(run), *more, ("encoder", encoder)):
        row: dict[str, Any] = {"estimate": name} | metrics.keypoint_summary(estimate.keypoints, truth, known, box)
        if has_joints.any() and np.isfinite(estimate.joints).all():
            vertices = (
                estimate.vertices[has_joints] if estimate.vertices is not None and true_vertices is not None else None
            )
            row |= metrics.summary(
                estimate.joints[has_joints],
                hand_sized(labels)[has_joints],
                vertices,
                None if vertices is None or true_vertices is None else true_vertices[has_joints],
            )
        rows.append(row)
    return rows


def hand_sized(labels: Labels) -> np.ndarray:
    """`Labels.hand_sized` as float64, for metrics: errors then read as millimetres of a mean hand."""
    return labels.hand_sized().numpy().astype(np.float64)


def per_joint(run: Run, which: int = -1) -> np.ndarray:
    """(21,) mean joint error in mm after alignment, of one estimate: where the hand is wrong."""
    estimate = run.estimates[which]
    return 1000 * metrics.point_errors(estimate.joints, hand_sized(run.labels)).mean(0)
