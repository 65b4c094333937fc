"""Rendered photos of a few people: one shape and one set of bone lengths for all photos of a subject.

A folder for each subject, of the layout that `annotator.synthetic.generate` writes. The shape is drawn wider than in
training (`SPREAD` standard deviations where training has one), and every bone has a length of its own, up to `bones`
longer or shorter, which no shape of the hand model has.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from annotator.synthetic.generate import Studio
from annotator.synthetic.poses.drawing import KINDS
from annotator.synthetic.sample import PosedHand, make_sample
from annotator.synthetic.shards import VERSION, proportioned, shard_length, write_meta, write_shard
from annotator.vision.crop_size import CROP_SIZE

SPREAD = 1.5  # standard deviations of each number of shape; training has 1
BONES = 0.05  # each bone up to this share longer or shorter than the shape says


def subject_shape(seed: int, subject: int) -> np.ndarray:
    """(10,) the shape of a subject."""
    return np.clip(np.random.default_rng([seed, subject, 77]).normal(0, SPREAD, 10), -3.0, 3.0)


def render_subject(studio: Studio, folder: Path, seed: int, subject: int, count: int, bones: float = BONES) -> Path:
    """The folder of a subject's photos, made if it is not there. Deterministic in seed and subject."""
    place = folder / f"subject-{seed}-{subject:02d}-{bones:g}"
    if shard_length(place, 0) >= count:
        return place
    place.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, subject])
    poses = studio.sampler.sample(count, rng, studio.domain.poses)
    shape = subject_shape(seed, subject)
    model = proportioned(studio.model, seed, subject, bones) if bones else studio.model
    rotations = np.tile(np.eye(3), (count, 16, 1, 1))
    rotations[:, 1:] = studio.sampler.hand.rotations(poses.angles)
    vertices = [model.skin(turns, shape) for turns in rotations]
    hands = [
        PosedHand(mesh, model.joints(mesh), studio.sampler.hand.frame, int(kind), solid)
        for mesh, kind, solid in zip(vertices, poses.kind, poses.solids, strict=True)
    ]
    samples = [
        make_sample(studio.renderer, studio.surface, hand, hands[(k + 1) % count], [seed, subject, k], studio.domain)
        for k, hand in enumerate(hands)
    ]
    turned = np.stack([sample.view.rotation for sample in samples])
    moved = np.stack([sample.view.translation for sample in samples])
    rotations[:, 0] = turned
    joints = np.stack([hand.joints for hand in hands])
    labels = {
        "keypoints": np.stack([sample.view.keypoints for sample in samples]).astype(np.float32),
        "visible": np.stack([sample.visible for sample in samples]).astype(np.uint8),
        "joints": (joints @ turned.transpose(0, 2, 1) + moved[:, None]).astype(np.float32),
        "rotations": rotations.astype(np.float32),
        "shape": np.tile(shape, (count, 1)).astype(np.float32),
        "translation": moved.astype(np.float32),
        "focal": np.array([sample.view.focal for sample in samples], np.float32),
        "kind": poses.kind.astype(np.int32),
        # whose bones: the same for all photos of a subject
        "seed": np.tile(np.array([seed, subject], np.int64), (count, 1)),
    }
    write_meta(place, {
        "version": VERSION, "seed": seed, "count": count, "crop": CROP_SIZE, "side": "right", "hand": studio.model.name,
        "hand_digest": studio.model.digest, "kinds": list(KINDS), "domain": studio.domain.name, "bones": bones,
    })  # fmt: skip
    write_shard(place, 0, [sample.jpeg for sample in samples], labels)
    return place
