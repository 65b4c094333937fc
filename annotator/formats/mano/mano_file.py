"""A user's own MANO file (Romero et al. 2017) as a hand model: read without running its pickle, kept as an .npz.

MANO's licence forbids passing its file on, so what is made of it stays in the user's data folder: no project, export
or checkpoint holds any of it. `load_hand("mano")` and `load_hand("mano_left")` find it there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.serialization import safe_pickle
from annotator.files.serialization.npz_arrays import read_npz, write_npz
from annotator.files.user_paths import expanded
from annotator.formats.core.base import ManoLabel
from annotator.hand.building.anatomy import joint_limits
from annotator.hand.building.levels import FINGER_IMPORTANCE, LEVEL_SIZES, decimate, upsampling
from annotator.hand.building.regressors import keypoint_regressor
from annotator.hand.joints import KEYPOINT_OF_MANO, MANO_PARENTS, MANO_TIP_VERTICES
from annotator.hand.mesh import HandParameters
from annotator.hand.model import HandModel, MeshLevel, load_hand, user_hand_file

VERTICES, FACES = 778, 1538
TIPS = MANO_TIP_VERTICES
_SHAPES = {
    "v_template": (VERTICES, 3), "f": (FACES, 3), "shapedirs": (VERTICES, 3, 10), "posedirs": (VERTICES, 3, 135),
    "J_regressor": (16, VERTICES), "weights": (VERTICES, 16), "kintree_table": (2, 16), "hands_mean": (45,),
    "hands_components": (45, 45),
}  # fmt: skip
_MIRROR = np.array([-1.0, 1.0, 1.0])


def import_mano(path: str | Path) -> dict[str, Any]:
    """Read MANO_RIGHT.pkl or MANO_LEFT.pkl and keep it; {"name", "side", "vertices", "digest", "path",
    "sign_corrected"}.

    The side is the file's own: which way its thumb lies. A left hand becomes its mirror image, as all left hands are
    here; the known sign error of the published left file (its shapes' x, smplx issue 48) is put right. InputError: no
    MANO file, a wrong shape, values that are not finite, a pickle of anything but arrays.
    """
    path = expanded(path)
    arrays = read_mano(path)
    side = _side(arrays)
    corrected = False
    if side == "left":
        arrays, corrected = mirrored(arrays)
    name = "mano" if side == "right" else "mano_left"
    model = hand_model_of(arrays, name)
    target = user_hand_file(name)
    # the pose space, which other data sets' parameters need, beside what a hand model is made of
    whole = model.stored() | {key: arrays[key] for key in ("hands_mean", "hands_components")}
    write_npz(target, whole, compressed=True)
    return {
        "name": name, "side": side, "vertices": VERTICES, "digest": model.digest, "path": str(target),
        "sign_corrected": corrected,
    }  # fmt: skip


def full_pose(label: ManoLabel, side: str) -> np.ndarray:
    """(16,3) axis-angle with MANO's mean pose in it, of the hand's own side, from any form of label.

    InputError where the form needs MANO's mean or pose space and no MANO was imported.
    """
    if label.form == "full":
        return label.pose.reshape(16, 3)
    mean, components = pose_space(side)
    bent = label.pose[3:] if label.form == "from mean" else label.pose[3:] @ components
    return np.concatenate([label.pose[:3], bent + mean]).reshape(16, 3)


def pose_space(side: str) -> tuple[np.ndarray, np.ndarray]:
    """(mean pose (45,), components (45,45)) of the user's MANO, axis-angle, for a hand of this side. InputError if
    there is none."""
    name = next((n for n in ("mano", "mano_left") if user_hand_file(n).is_file()), None)
    if name is None:
        raise InputError("MANO's pose is not given in full: that needs MANO's own file (annotator hand import)")
    kept = read_npz(user_hand_file(name), ("hands_mean", "hands_components"), "is damaged: import MANO again")
    mean, components = kept["hands_mean"], kept["hands_components"]
    if side == "left":  # what is kept is a right hand's
        turned = np.tile([1.0, -1.0, -1.0], 15)
        mean, components = mean * turned, components * turned
    return mean, components


def parameters_of(label: ManoLabel, side: str, model: HandModel, wrist: np.ndarray | None = None) -> HandParameters:
    """Our parameters, for `model` (a MANO), of a data set's: those of its mirror image for a left hand.

    MANO's translation moves the resting hand, whose wrist is not at the origin; ours says where the wrist is. wrist
    (3,) m, camera frame: taken where the label has no translation. InputError: see `full_pose`; neither is there.
    """
    mirror = _MIRROR if side == "left" else np.ones(3)
    pose = full_pose(label, side) * (1.0, *(mirror[0], mirror[0]))
    if label.translation is not None:
        rest = model.joint_regressor[0] @ (model.template + model.shape_directions @ label.shape)
        wrist = label.translation * mirror + rest
    elif wrist is not None:
        wrist = np.asarray(wrist) * mirror
    else:
        raise InputError("MANO's parameters are given without a place")
    return HandParameters(pose, label.shape, wrist, np.zeros((model.offset_count, 3)))


def read_mano(path: Path) -> dict[str, np.ndarray]:
    """MANO's arrays by their names in its file, float64 (f, kintree_table: int64), shapes checked. InputError naming
    file and field."""
    content = safe_pickle.load_file(path)
    if not isinstance(content, dict):
        raise InputError(f"{path} is not a MANO file: it holds no table of arrays")
    arrays = {}
    for name, shape in _SHAPES.items():
        if name not in content:
            raise InputError(f"{path} is not a MANO file: there is no {name}")
        try:
            array = np.array(content[name], np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{path}: {name} is not an array of numbers: {error}") from None
        if array.shape != shape:
            raise InputError(f"{path}: {name} has shape {array.shape}, expected {shape}")
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {name} holds values that are not finite")
        arrays[name] = array.astype(np.int64) if name in ("f", "kintree_table") else array
    if arrays["kintree_table"][0, 1:].tolist() != list(MANO_PARENTS[1:]):
        raise InputError(f"{path}: kintree_table is not MANO's tree of joints")
    if arrays["f"].min() < 0 or arrays["f"].max() >= VERTICES:
        raise InputError(f"{path}: f names vertices that do not exist")
    return arrays


def mirrored(arrays: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], bool]:
    """A left hand's arrays as those of a right hand, and whether its shapes' sign had to be put right first.

    Growing must move x as it moves y and z: away from the wrist. In the published left file it moves x toward it.
    """
    out = dict(arrays)
    out["v_template"] = arrays["v_template"] * _MIRROR
    shapes = arrays["shapedirs"] * _MIRROR[:, None]
    wrong = _sign_error(out["v_template"], shapes)
    if wrong:
        shapes = shapes * _MIRROR[:, None]
    out["shapedirs"] = shapes
    # pose correctives answer to rotation matrices R, which are S R S in the mirror: element (a, b) times s_a s_b
    signs = np.outer(_MIRROR, _MIRROR).ravel()
    out["posedirs"] = arrays["posedirs"] * _MIRROR[:, None] * np.tile(signs, 15)
    out["f"] = np.ascontiguousarray(arrays["f"][:, ::-1])
    turned = np.tile([1.0, -1.0, -1.0], 15)  # axis-angle vectors in the mirror
    out["hands_mean"], out["hands_components"] = arrays["hands_mean"] * turned, arrays["hands_components"] * turned
    return out, wrong


def _sign_error(template: np.ndarray, shapes: np.ndarray) -> bool:
    try:
        right = load_hand("mano").shape_directions
        if right.shape == shapes.shape and np.abs(np.abs(right) - np.abs(shapes)).max() < 1e-3:
            return bool(np.abs(right[:, 0] + shapes[:, 0]).sum() < np.abs(right[:, 0] - shapes[:, 0]).sum())
    except InputError:
        pass  # the right hand is not here to compare with
    place = template - template.mean(axis=0)
    grows = np.sum(place * shapes[:, :, 0], axis=0)  # the first component is size
    return bool(grows[0] * (grows[1] + grows[2]) < 0)


def _side(arrays: dict[str, np.ndarray]) -> str:
    """By the fingers' direction: MANO's right hand points to -x, its left hand to +x."""
    joints = arrays["J_regressor"] @ arrays["v_template"]
    return "right" if joints[[3, 6, 9, 12], 0].mean() < joints[0, 0] else "left"


def hand_model_of(arrays: dict[str, np.ndarray], name: str) -> HandModel:
    """A right hand's arrays as a `HandModel`: mesh levels made here, keypoints by J_regressor and FreiHAND's tips.

    Flexion axes are the free hand's, turned with each bone from its rest pose to MANO's.
    """
    template, faces = arrays["v_template"], arrays["f"]
    weights = arrays["weights"] / arrays["weights"].sum(axis=1, keepdims=True)
    regressor = arrays["J_regressor"] / arrays["J_regressor"].sum(axis=1, keepdims=True)
    keypoints = keypoint_regressor(regressor, np.array(TIPS["freihand"]))
    keep = sorted({*TIPS["freihand"], *_rim(faces)})  # the wrist is open: its rim stays whole at every level
    importance = 1.0 + FINGER_IMPORTANCE * (1.0 - weights[:, 0])
    try:
        coarse = decimate(template, faces, list(LEVEL_SIZES), keep, importance)
    except ValueError as error:
        raise InputError(f"hand model {name!r}: {error}") from error
    levels = tuple(MeshLevel(i, f, upsampling(template, faces, i)) for i, f in coarse)
    return HandModel(
        name=name, template=template, faces=faces.astype(np.int32), shape_directions=arrays["shapedirs"],
        weights=weights, joint_regressor=regressor, keypoint_regressor=keypoints, levels=levels,
        anatomical_axes=_axes(keypoints @ template), limits=joint_limits(), pose_directions=arrays["posedirs"],
    )  # fmt: skip


def _rim(faces: np.ndarray) -> list[int]:
    """Vertices at edges that only one face has."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    return sorted(set(unique[counts == 1].ravel().tolist()))


def _axes(rest: np.ndarray) -> np.ndarray:
    """(15,3,3) anatomical axes for keypoints (21,3) of a rest pose."""
    free = load_hand()
    other = free.joints(free.rest_vertices(np.zeros(10)))
    axes = np.empty((15, 3, 3))
    for joint in range(1, 16):
        k = KEYPOINT_OF_MANO[joint]
        axes[joint - 1] = free.anatomical_axes[joint - 1] @ _between(other[k + 1] - other[k], rest[k + 1] - rest[k]).T
    return axes


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3,3) the smallest rotation that takes direction a to direction b."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    cross, cosine = np.cross(a, b), float(a @ b)
    if cosine < -1 + 1e-9:  # opposite: half a turn about anything square to a
        other = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        other /= np.linalg.norm(other)
        return 2 * np.outer(other, other) - np.eye(3)
    skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    return np.eye(3) + skew + skew @ skew / (1 + cosine)
