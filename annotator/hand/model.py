"""The hand model: pose and shape to mesh, in MANO's form (shaped template, linear blend skinning), in numpy.

M. Loper et al., 'SMPL', 2015, and J. Romero et al., 'Embodied Hands', 2017, describe the form. A model is the
right hand; the left hand is its mirror image (x -> -x). Rest axes of the free hand: fingers along -x, thumb
side +z, back of the hand +y (as MANO's right hand lies), wrist joint at the origin.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from annotator.errors import InputError
from annotator.hand.joints import MANO_PARENTS, check_side
from annotator.hand.model_checks import check_arrays
from annotator.hand.rotations import rotation_matrices
from annotator.registry import Registry

if TYPE_CHECKING:
    from annotator.hand.mesh import HandParameters

USER_HANDS = ("mano", "mano_left")
OFFSET_LEVEL = 1  # the mesh level at which a mesh's own offsets are given
_DATA = Path(__file__).parent / "data"
_ARRAYS = (
    "template", "faces", "shape_directions", "weights", "joint_regressor", "keypoint_regressor",
    "anatomical_axes", "limits",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class MeshLevel:
    """A coarse level: its vertices' numbers in the full mesh (M,), their faces (f,3), upsampling (V,M)."""

    indices: np.ndarray
    faces: np.ndarray
    upsample: np.ndarray


@dataclass(frozen=True, eq=False)
class HandModel:
    """A right hand, float64, metres, radians. V vertices, F faces.

    template (V,3); faces (F,3) int32, counter-clockwise from outside; shape_directions (V,3,10), per unit of
    shape; weights (V,16), rows summing to one; joint_regressor (16,V), model order, for the rest pose;
    keypoint_regressor (21,V), keypoint order, for any pose; levels, coarse to fine, the full mesh itself
    implied as one more; anatomical_axes (15,3,3): per non-wrist joint the flexion, abduction and twist axis
    (rows, orthonormal) in rest axes; limits (15,3,2): least and most angle about them; pose_directions
    (V,3,135) or None: MANO's pose correctives.
    """

    name: str
    template: np.ndarray
    faces: np.ndarray
    shape_directions: np.ndarray
    weights: np.ndarray
    joint_regressor: np.ndarray
    keypoint_regressor: np.ndarray
    levels: tuple[MeshLevel, ...]
    anatomical_axes: np.ndarray
    limits: np.ndarray
    pose_directions: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_arrays(self.name, self._arrays(), len(self.levels))
        for array in self._arrays().values():
            array.setflags(write=False)

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        if self.pose_directions is not None:
            arrays["pose_directions"] = self.pose_directions
        for number, level in enumerate(self.levels):
            for field in fields(level):
                arrays[f"level{number}_{field.name}"] = getattr(level, field.name)
        return arrays

    @functools.cached_property
    def digest(self) -> str:
        """sha256 (hexadecimal) over every array's name, type, shape and bytes; a checkpoint is tied to it."""
        total = hashlib.sha256()
        for name, array in sorted(self._arrays().items()):
            total.update(f"{name} {array.dtype.str} {array.shape}".encode())
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def with_template(self, template: np.ndarray) -> HandModel:
        """The same hand of another form at rest, template (V,3) m: what takes long to check and to compute is kept."""
        other: HandModel = object.__new__(HandModel)
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        joints = self.joint_regressor @ template, self._rest_joints[1]
        other.__dict__.update(kept, template=template, _rest_joints=joints)
        return other

    @property
    def offset_count(self) -> int:
        """M: how many offset vectors a mesh of this model has."""
        return len(self.levels[OFFSET_LEVEL].indices)

    @functools.cached_property
    def before_wrist(self) -> np.ndarray:
        """(V,) m: how far each vertex of the template lies from the wrist joint toward the middle finger's knuckle:
        below 0 it is of the stump, beyond which an arm goes on."""
        joints = self.joints(self.template)
        along = joints[9] - joints[0]
        return (self.template - joints[0]) @ (along / np.linalg.norm(along))

    @functools.cached_property
    def _rest_joints(self) -> tuple[np.ndarray, np.ndarray]:
        # Joints are linear in the shape, so the regression is done once: (16,3) and (16,3,10).
        regressor = self.joint_regressor
        return regressor @ self.template, np.tensordot(regressor, self.shape_directions, axes=1)

    def rest_joints(self, shape: np.ndarray) -> np.ndarray:
        """Kinematic joints (16,3) m of the rest pose for shape (10,), wrist at the origin."""
        base, directions = self._rest_joints
        joints = base + directions @ np.asarray(shape, dtype=np.float64)
        return joints - joints[0]

    def rest_vertices(
        self, shape: np.ndarray, offsets: np.ndarray | None = None, level: int = OFFSET_LEVEL
    ) -> np.ndarray:
        """Vertices (V,3) m of the rest pose, wrist at the origin; offsets (M,3) m at mesh level `level`."""
        shape = np.asarray(shape, dtype=np.float64)
        base, directions = self._rest_joints
        vertices = self.template + self.shape_directions @ shape - (base[0] + directions[0] @ shape)
        if offsets is not None:
            vertices = vertices + self.levels[level].upsample @ np.asarray(offsets, dtype=np.float64)
        return vertices

    def bone_transforms(self, rotations: np.ndarray, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per bone, rest to posed: rotations (16,3,3), translations (16,3); and the posed joints (16,3)."""
        rest = self.rest_joints(shape)
        turned, joints = np.empty((16, 3, 3)), np.empty((16, 3))
        turned[0], joints[0] = rotations[0], rest[0]
        for j, parent in enumerate(MANO_PARENTS[1:], start=1):
            turned[j] = turned[parent] @ rotations[j]
            joints[j] = joints[parent] + turned[parent] @ (rest[j] - rest[parent])
        return turned, joints - np.einsum("jab,jb->ja", turned, rest), joints

    def skin(
        self,
        rotations: np.ndarray,
        shape: np.ndarray,
        offsets: np.ndarray | None = None,
        level: int = OFFSET_LEVEL,
    ) -> np.ndarray:
        """Vertices (V,3) m of the right hand, its wrist joint at the origin.

        rotations (16,3,3), each in its parent's frame, the first the whole hand's; shape (10,); offsets (M,3)
        m or None, added to the shaped template at mesh level `level`, so they turn with the bones and do not
        move the joints.
        """
        rotations = np.asarray(rotations, dtype=np.float64)
        turned, moved, _ = self.bone_transforms(rotations, shape)
        rest = self.rest_vertices(shape, offsets, level)
        if self.pose_directions is not None:
            rest = rest + self.pose_directions @ (rotations[1:] - np.eye(3)).ravel()
        blended = np.tensordot(self.weights, turned, axes=1)
        return np.einsum("vab,vb->va", blended, rest) + self.weights @ moved

    def vertices(self, parameters: HandParameters, side: str = "right") -> np.ndarray:
        """Vertices (V,3) m in the camera frame of a hand of the given side.

        A left hand's parameters are those of its mirror image (rotation R stands for S R S, translation t for
        S t, S = diag(-1,1,1)); the mesh is mirrored last.
        """
        check_side(side)
        posed = self.skin(rotation_matrices(parameters.pose), parameters.shape, parameters.offsets)
        posed = posed + parameters.translation
        return posed * (-1.0, 1.0, 1.0) if side == "left" else posed

    def joints(self, vertices: np.ndarray) -> np.ndarray:
        """The 21 joints (21,3), keypoint order, of a mesh (V,3) of this model, either side, any frame."""
        return self.keypoint_regressor @ vertices

    def faces_of(self, side: str) -> np.ndarray:
        """Faces (F,3), counter-clockwise from outside: the mirrored left hand needs the other winding."""
        return self.faces if check_side(side) == "right" else np.ascontiguousarray(self.faces[:, ::-1])

    def save(self, path: str | Path) -> None:
        """Write an .npz that `load_hand` reads."""
        np.savez_compressed(path, **self.stored())

    def stored(self) -> dict[str, Any]:
        """name -> array, as `save` writes them."""
        head = {"name": np.array(self.name), "level_count": np.array(len(self.levels))}
        return head | self._arrays()


def _read(path: Path) -> HandModel:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("it holds files that are no arrays")
    except FileNotFoundError:
        raise InputError(f"{path}: no such hand model file") from None
    except Exception as error:  # numpy raises many kinds for a file that is no archive or a damaged one
        raise InputError(f"{path}: not a readable hand model (.npz): {error}") from error
    missing = {"name", "level_count", *_ARRAYS} - arrays.keys()
    if missing:
        raise InputError(f"{path}: the hand model lacks {', '.join(sorted(missing))}")

    def number(name: str) -> np.ndarray:
        if name not in arrays:
            raise InputError(f"{path}: the hand model lacks {name}")
        array = arrays[name]
        if array.dtype.kind not in "fiu":
            raise InputError(f"{path}: {name} is not an array of numbers")
        whole = np.int32 if name.endswith("faces") else np.int64 if name.endswith("indices") else None
        if whole is not None and array.dtype.kind != "f":
            return array.astype(whole)
        return array.astype(np.float64)

    if arrays["level_count"].shape != () or arrays["level_count"].dtype.kind not in "iu":
        raise InputError(f"{path}: level_count is not a whole number")
    count = int(arrays["level_count"])
    levels = tuple(MeshLevel(*(number(f"level{n}_{field.name}") for field in fields(MeshLevel))) for n in range(count))
    extra = number("pose_directions") if "pose_directions" in arrays else None
    return HandModel(
        name=str(arrays["name"]),
        levels=levels,
        pose_directions=extra,
        **{name: number(name) for name in _ARRAYS},
    )


@functools.lru_cache(maxsize=4)
def _cached(path: Path, changed: int) -> HandModel:
    return _read(path)


def user_hand_file(name: str) -> Path:
    """Where a hand model of the user's own is kept, by `annotator hand import`: XDG_DATA_HOME or its default."""
    home = os.environ.get("XDG_DATA_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "share"
    return base / "hand-mesh-annotator" / "hands" / f"{name}.npz"


@dataclass(frozen=True)
class HandSource:
    """A hand model by name; file: where its .npz is (InputError: it is not there yet); summary: one line."""

    name: str
    summary: str
    file: Callable[[], Path]


def _imported(name: str) -> Path:
    path = user_hand_file(name)
    if not os.path.isfile(path):  # False too where the folder may not be read
        raise InputError(
            f"there is no hand model {name!r} yet: get MANO's file from its authors and say "
            f"`annotator hand import {'MANO_RIGHT.pkl' if name == 'mano' else 'MANO_LEFT.pkl'}`"
        )
    return path


HANDS = Registry[HandSource](
    "hand model",
    "annotator.hands",
    (
        HandSource("free", "the embedded free hand: 778 vertices, its own topology", lambda: _DATA / "free_hand.npz"),
        HandSource("mano", "your own MANO, right hand, once imported", lambda: _imported("mano")),
        HandSource("mano_left", "your own MANO, left hand, once imported", lambda: _imported("mano_left")),
    ),
)


def load_hand(name: str | Path = "free") -> HandModel:
    """A hand model: pose and shape to mesh.

    Parameters
    ----------
    name
        One of `HANDS` ("free" is the embedded one, "mano" the user's own, once imported), or an .npz file of the same
        layout.

    Returns
    -------
    HandModel
        Read once for as long as the file stays as it is.

    Raises
    ------
    InputError
        The file is missing, unreadable or not a sound hand model.
    """
    path = Path(name)
    if name == "free" or not os.path.isfile(path) and name in HANDS:
        path = HANDS[str(name)].file()
    if not os.path.isfile(path):  # `Path.is_file` raises for a name longer than any file's
        raise InputError(f"{path}: no such hand model file (and no model of that name; the embedded one is 'free')")
    return _cached(path.resolve(), path.stat().st_mtime_ns)
