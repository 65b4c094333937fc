"""Another network's predictions, from a file, as proposals: WiLoR's, HaMeR's or your own become correctable.

docs/bring-your-own-network.md describes the file. Pose and shape are those of a hand model of 16 joints in MANO's
order; a left hand's are of its mirror image, a right hand, as HaMeR and WiLoR predict them from a mirrored crop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotator.errors import InputError
from annotator.files.paths import read_json
from annotator.files.serialization.npz_arrays import Arrays
from annotator.hand.joints import check_side
from annotator.hand.mesh import HandMesh, HandParameters, ParametricEstimate
from annotator.hand.model import HandModel, load_hand
from annotator.hand.rotations import rotation_vectors
from annotator.hand.topology import JOINTS, KEYPOINTS, SHAPE
from annotator.vision.boxes import bounds, overlap
from annotator.vision.camera import check_camera, default_camera, project
from annotator.vision.crop_size import CROP_SIZE

# Where a file says nothing of its uncertainty: about what networks of this kind reach on photos in the wild.
KEYPOINT_SIGMA = 6.0  # px of the crop
VERTEX_SIGMA = 0.008  # m
MARGIN = 1.5  # of the crop round the keypoints where there is no box
SAME = 0.3  # intersection over union from which a prediction answers a box that is asked for
_MIRROR = np.array([-1.0, 1.0, 1.0])


class Predictions:
    """A `Proposer` that reads what another network predicted. InputError for a file that is none, naming the hand."""

    def __init__(self, file: str | Path):
        path = Path(file)
        if path.suffix == ".npz":
            name, rows = _of_npz(path)
        elif path.suffix == ".json":
            name, rows = _of_json(path)
        else:
            raise InputError(f"{path}: predictions are an .npz or a .json file")
        self.file, self.hand = path, load_hand(name)
        self.digest = "files-" + hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        self._rows: dict[str, list[dict[str, Any]]] = {}
        for number, row in enumerate(rows):
            if not isinstance(row, dict) or "photo" not in row:
                raise InputError(f"{path}: hand {number} names no photo")
            self._rows.setdefault(Path(str(row["photo"])).name, []).append(row | {"number": number})

    @property
    def photos(self) -> list[str]:
        """The names of the photos that there are predictions for."""
        return list(self._rows)

    def propose(
        self,
        photo: np.ndarray,
        boxes: Sequence[Sequence[float]] | None = None,
        sides: Sequence[str | None] | None = None,
        K: np.ndarray | None = None,
        *,
        path: Path | None = None,
    ) -> list[HandMesh]:
        """The file's hands of the photo of this name (`path` without folders); see `Proposer`. With boxes: for each the
        prediction that lies there; InputError if there is none."""
        if path is None:
            raise InputError("predictions from a file are found by the photo's name: give its path")
        rows = self._rows.get(path.name, [])
        hands = [self._hand(row, photo.shape[:2], K) for row in rows]
        if boxes is None:
            return hands
        wanted = list(sides) if sides is not None else [None] * len(boxes)
        return [self._at(hands, box, side) for box, side in zip(boxes, wanted, strict=True)]

    def _at(self, hands: list[HandMesh], box: Sequence[float], side: str | None) -> HandMesh:
        fitting = [hand for hand in hands if side is None or hand.side == side]
        scores = overlap(box, np.array([bounds(hand.keypoints) for hand in fitting]).reshape(-1, 4))
        if not len(scores) or scores.max() < SAME:
            raise InputError(f"{self.file} has no prediction in the box {[round(float(v)) for v in box]}")
        return fitting[int(np.argmax(scores))]

    def _hand(self, row: dict[str, Any], size: tuple[int, int], K: np.ndarray | None) -> HandMesh:
        where = f"{self.file}: hand {row['number']} of {row['photo']}"
        try:
            return _hand_of(row, self.hand, size, K)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        except (TypeError, ValueError, KeyError, ArithmeticError) as error:
            raise InputError(f"{where} is damaged: {error}") from error


def _hand_of(row: dict[str, Any], model: HandModel, size: tuple[int, int], K: np.ndarray | None) -> HandMesh:
    side = check_side(str(row.get("side", "")))
    pose = _pose(_numbers(row, "pose"))
    shape = _numbers(row, "shape", (SHAPE,)) if row.get("shape") is not None else np.zeros(SHAPE)
    box = _numbers(row, "box", (4,)) if row.get("box") is not None else None
    height, width = size
    camera = row.get("K") if row.get("K") is not None else K
    if camera is None:
        focal = row.get("focal")
        K = default_camera(height, width, 0.0 if box is None else float(max(box[2] - box[0], box[3] - box[1])))
        if focal is not None:
            K[0, 0] = K[1, 1] = float(focal)
    else:
        K = check_camera(camera)
    wrist = _wrist(row, side, shape, model, box, K)
    parameters = HandParameters(pose, shape, wrist, np.zeros((model.offset_count, 3)))
    vertices = model.vertices(parameters, side)
    if (vertices[:, 2] <= 0).any():
        raise InputError("it lies behind the camera")
    joints = model.joints(vertices)
    keypoints = project(joints, K)
    place = bounds(keypoints) if box is None else box
    reach = float(max(place[2] - place[0], place[3] - place[1])) * MARGIN
    sigma = row.get("keypoint_sigma")
    return HandMesh(
        side=side,
        camera=K,
        crop_center=(place[:2] + place[2:]) / 2,
        crop_size=reach,
        crop_angle=0.0,
        vertices=vertices,
        faces=model.faces_of(side),
        joints=joints,
        keypoints=keypoints,
        keypoint_sigma=np.full(KEYPOINTS, KEYPOINT_SIGMA * reach / CROP_SIZE) if sigma is None else np.asarray(sigma),
        vertex_sigma=np.full(len(vertices), VERTEX_SIGMA),
        confidence=float(np.clip(row.get("confidence", 1.0), 0.0, 1.0)),
        parameters=parameters,
        hand_model=model.name,
        parametric=ParametricEstimate(vertices, joints, keypoints, parameters),
    )


def _numbers(row: dict[str, Any], name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    if row.get(name) is None:
        raise InputError(f"{name} is missing")
    try:
        value = np.asarray(row[name], np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} is not an array of numbers") from None
    if shape is not None and value.shape != shape:
        raise InputError(f"{name} has shape {value.shape}, expected {shape}")
    if not np.isfinite(value).all():
        raise InputError(f"{name} has numbers that are not finite")
    return value


def _pose(value: np.ndarray) -> np.ndarray:
    """(16, 3) axis-angle, of that, of 48 numbers, or of rotation matrices (16, 3, 3)."""
    if value.shape == (JOINTS, 3, 3):
        return rotation_vectors(value)
    if value.shape not in ((JOINTS, 3), (3 * JOINTS,)):
        raise InputError(f"pose has shape {value.shape}, expected (48,), (16, 3) or (16, 3, 3)")
    return value.reshape(JOINTS, 3)


def _wrist(
    row: dict[str, Any], side: str, shape: np.ndarray, model: HandModel, box: np.ndarray | None, K: np.ndarray
) -> np.ndarray:
    """Where the wrist is, m: as our parameters have it, of the mirror image for a left hand."""
    mirror = _MIRROR if side == "left" else np.ones(3)
    if row.get("wrist") is not None:
        return _numbers(row, "wrist", (3,)) * mirror
    # MANO's translation moves the resting hand, whose wrist is not at the origin
    rest = model.joint_regressor[0] @ (model.template + model.shape_directions @ shape)
    if row.get("translation") is not None:
        return _numbers(row, "translation", (3,)) * mirror + rest
    if row.get("weak_camera") is None or box is None:
        raise InputError("it needs one of wrist, translation, or weak_camera with box")
    scale, x, y = _numbers(row, "weak_camera", (3,))
    focal = (K[0, 0] + K[1, 1]) / 2
    side_px = float(max(box[2] - box[0], box[3] - box[1])) * float(row.get("box_scale", 1.0))
    if scale * side_px <= 0:
        raise InputError("weak_camera's scale and the box must be positive")
    middle = (box[:2] + box[2:]) / 2 - K[:2, 2]
    place = np.array([x + 2 * middle[0] / (scale * side_px), y + 2 * middle[1] / (scale * side_px), 0.0])
    place[2] = 2 * focal / (scale * side_px)
    return place * mirror + rest


def _of_json(path: Path) -> tuple[str, list[Any]]:
    content = read_json(path, dict)
    rows = content.get("hands")
    if not isinstance(rows, list):
        raise InputError(f"{path} holds no list called 'hands'")
    return str(content.get("hand_model", "mano")), rows


def _of_npz(path: Path) -> tuple[str, list[dict[str, Any]]]:
    arrays = dict(Arrays(path))
    if "photo" not in arrays:
        raise InputError(f"{path} holds no array called 'photo'")
    count = len(arrays["photo"])
    name = str(arrays.pop("hand_model")) if "hand_model" in arrays else "mano"
    for key, array in arrays.items():
        if array.ndim == 0 or len(array) != count:
            raise InputError(f"{path}: {key} has shape {array.shape}, expected a row for each of {count} hands")
    return name, [{key: array[k] for key, array in arrays.items()} for k in range(count)]
