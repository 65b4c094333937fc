"""How a person, a project or a data set means the joints: learned from hands that they labelled.

A labeller's offset from our joints is the same in every photo; the network's error is another one in each. So the mean
of label minus proposal, taken in the frames of the bones, is the offset, to the error of that mean. Shrinkage (a
Gaussian prior round the anatomical joints, as wide as labellers are known to differ) keeps what few hands say from
doing harm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.correcting.accuracy import LabelAccuracy, random_sigma
from annotator.errors import InputError
from annotator.evaluation.metrics import aligned
from annotator.hand.definitions import ANATOMICAL, LARGEST, JointDefinition, bone_frames, turned
from annotator.hand.mesh import HandMesh
from annotator.vision.crop_size import CROP_SIZE

POSE_ERROR = 0.010  # m, one sigma along an axis: how far a proposal's joint is from where it is, after alignment
ROBUST = 4.0  # degrees of freedom of Student's t: a hand that is wrong altogether hardly counts
PASSES = 4  # of alignment and reweighting
WHOLE_HAND = 1.5  # factor on keypoint sigmas: a hand's errors go together, and do not average out over its joints
LEAST_SPREAD = 0.001  # m: nobody repeats a joint's place better
CLOSENESS = 0.5  # share of the hands' errors taken to be common to hands of one set (same views, same poses)


def learn_definition(
    hands: Sequence[HandMesh],
    keypoints: Sequence[np.ndarray | None],
    joints: Sequence[np.ndarray | None] | None = None,
    name: str = "learned",
    prior: JointDefinition = ANATOMICAL,
) -> JointDefinition:
    """The joint definition of whoever labelled these hands.

    Parameters
    ----------
    hands
        Proposals for the labelled hands, *not* corrected by the labels: their errors must not follow them.
    keypoints
        For each hand its labels in the photo, (21, 2) px, NaN where there is none; or None.
    joints
        For each hand its labels in 3-D, (21, 3) m, any rigid frame and scale, NaN where there is none; or None.
    name
        What to call it.
    prior
        The definition that it is drawn to, as strongly as `prior.spread` says.

    Returns
    -------
    JointDefinition
        With `hands`, how many hands said something. With none, the prior under another name.

    Raises
    ------
    InputError
        Lists of different lengths, or labels of a wrong shape.

    References
    ----------
    A linear Gaussian model with an informative prior; Student's t weights by iteration (K. Lange et al., 'Robust
    statistical modeling using the t distribution', 1989).
    """
    hands = list(hands)
    points = _checked(keypoints, len(hands), 2, "keypoints")
    places = _checked(joints, len(hands), 3, "joints") if joints is not None else np.full((len(hands), 21, 3), np.nan)
    told = np.isfinite(points).all(-1).any(-1) | (np.isfinite(places).all(-1).sum(-1) >= 4)
    offsets = np.array(prior.offsets)
    tight = np.maximum(prior.spread, LEAST_SPREAD) ** -2.0
    if not told.any():
        return JointDefinition(name, offsets, prior.spread)
    frames = np.array([bone_frames(hand) for hand in hands])
    spread = np.array(prior.spread)
    for _ in range(PASSES):
        information = np.einsum("k,ab->kab", tight, np.eye(3))
        pull = tight[:, None] * prior.offsets
        for at in np.flatnonzero(told):
            for rows, residual, known in _observations(hands[at], frames[at], offsets, points[at], places[at]):
                # whitened rows (21, d, 3), residual (21, d) of label minus the joint with today's offsets
                off = np.einsum("kd,kd->k", residual, residual)
                weight = np.where(known, (ROBUST + residual.shape[1]) / (ROBUST + off), 0.0)
                information += weight[:, None, None] * np.einsum("kda,kdb->kab", rows, rows)
                wanted = residual + np.einsum("kda,ka->kd", rows, offsets)
                pull += weight[:, None] * np.einsum("kda,kd->ka", rows, wanted)
        covariance = np.linalg.inv(information)
        offsets = np.einsum("kab,kb->ka", covariance, pull)
        spread = np.sqrt(np.trace(covariance, axis1=1, axis2=2) / 3)
    # photos of one set are alike: their errors do not average out altogether
    spread = np.sqrt(spread**2 + (CLOSENESS * POSE_ERROR) ** 2 / np.maximum(told.sum(), 1))
    spread = np.minimum(np.maximum(spread, LEAST_SPREAD), np.maximum(prior.spread, LEAST_SPREAD))
    return JointDefinition(name, np.clip(offsets, -LARGEST, LARGEST), spread, int(told.sum()))


def _observations(hand: HandMesh, frames: np.ndarray, offsets: np.ndarray, points: np.ndarray, places: np.ndarray):
    """What one hand's labels say of the offsets: (rows (21,d,3), residual (21,d), known (21,)) per kind of label,
    whitened. In the frame of the parameters, where a left hand is mirrored."""
    mirror = np.array([-1.0, 1.0, 1.0]) if hand.side == "left" else np.ones(3)
    joints = hand.joints + turned(offsets, hand)
    known = np.isfinite(places).all(-1)
    if known.sum() >= 4:
        residual = np.zeros((21, 3))
        residual[known] = (aligned(places[known], joints[known]) - joints[known]) * mirror
        yield frames / POSE_ERROR, residual / POSE_ERROR, known
    # after alignment nothing is left of an offset that all joints share: that only the photo shows
    known = np.isfinite(points).all(-1)
    if not known.any():
        return
    image = joints @ hand.camera.T
    pixels, depth = image[:, :2] / image[:, 2:], image[:, 2:]
    rates = (hand.camera[None, :2] - pixels[:, :, None] * hand.camera[2]) / depth[:, :, None]  # (21, 2, 3) px per m
    random = random_sigma(hand, LabelAccuracy()) * hand.crop_size / CROP_SIZE
    sigma = np.hypot(WHOLE_HAND * hand.keypoint_sigma, random)[:, None]
    residual = np.where(known[:, None], points - pixels, 0.0)
    yield (rates * mirror) @ frames / sigma[..., None], residual / sigma, known


def _checked(values: Sequence[np.ndarray | None], count: int, size: int, what: str) -> np.ndarray:
    values = list(values)
    if len(values) != count:
        raise InputError(f"{count} hands, but {what} of {len(values)}")
    found = np.full((count, 21, size), np.nan)
    for at, value in enumerate(values):
        if value is None:
            continue
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{what} of hand {at} are no numbers: {error}") from None
        if array.shape != (21, size):
            raise InputError(f"{what} of hand {at} must have shape (21, {size}), got {array.shape}")
        found[at] = array
    return found
