"""FreiHAND's `training_mano.json`: MANO's parameters as (1,61) = pose 48, shape 10, root 2, scale 1.

The pose is axis-angle, fingers from MANO's mean pose. The root is keypoint 9 (the middle finger's knuckle, regressed
from the posed mesh as all of FreiHAND's joints are) under a scaled orthographic camera, as FreiHAND's own code reads it
back: focal = mean of the two in K, scale = focal / depth of the root, root px = principal point + scale * (x, y) of the
root in metres.
"""

from __future__ import annotations

import numpy as np

from annotator.errors import InputError
from annotator.formats.core.base import LabelledHand, ManoLabel
from annotator.formats.hamer.fields import mano_of
from annotator.formats.mano.mano_file import pose_space
from annotator.formats.mano.mano_joints import joints_as

ROOT = 9


def mano_row(sample: LabelledHand) -> np.ndarray | None:
    """(1,61) of a right hand in its crop; None where it has no MANO parameters, or none that this form can say."""
    pose = pose_from_mean(sample)
    if pose is None:
        return None
    label = sample.mano or mano_of(sample)
    assert label is not None and sample.K is not None and sample.joints is not None  # there is a pose
    focal, centre = (sample.K[0, 0] + sample.K[1, 1]) / 2, sample.K[:2, 2]
    joints = joints_as(sample, "freihand")
    assert joints is not None  # the sample has joints
    root = joints[ROOT]  # of the posed mesh, as its reader puts it
    scale = focal / root[2]
    return np.concatenate([pose, label.shape, centre + scale * root[:2], [scale]])[None]


def pose_from_mean(sample: LabelledHand) -> np.ndarray | None:
    """(48,) axis-angle, fingers from MANO's mean pose, of the hand's own side; None where it has no MANO parameters, or
    MANO is not here to say its mean."""
    if sample.mano is not None and sample.mano.form == "from mean":
        return sample.mano.pose
    label = mano_of(sample)
    if label is None:
        return None
    try:
        mean, _ = pose_space(sample.side)
    except InputError:  # no MANO here to take the mean of
        return None
    return np.concatenate([label.pose[:3], label.pose[3:] - mean])


def label_of(values: list | None) -> ManoLabel | None:
    """The parameters of a row (1,61), in form "from mean"; InputError for another number of values."""
    if values is None:
        return None
    flat = np.ravel(np.array(values, np.float64))
    if flat.shape != (61,):
        raise InputError(f"mano has {flat.size} numbers, expected 61")
    return ManoLabel(flat[:48], flat[48:58], form="from mean")
