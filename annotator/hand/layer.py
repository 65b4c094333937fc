"""The hand model as a differentiable torch layer: rotations, shape and offsets to vertices and joints.

The arrays go through `smplx.MANO`, whose own linear blend skinning (`smplx.lbs`) places the bones, so a
user's MANO and the free hand run the same code. Beside the full mesh there are two short cuts: the vertices
of a coarse level alone, and the 21 joints alone, both equal to what the full mesh would give.
"""

from __future__ import annotations

import contextlib
import io

import numpy as np
import torch
from smplx import MANO
from smplx.lbs import batch_rigid_transform
from smplx.utils import Struct
from torch import Tensor, nn

from annotator.errors import InputError
from annotator.hand.joints import MANO_PARENTS
from annotator.hand.model import OFFSET_LEVEL, HandModel, load_hand

# An entry of the joint short cut that is this small in every part changes no joint by a nanometre.
_NOTHING = 1e-12


def _mano(model: HandModel) -> MANO:
    count = len(model.template)
    correctives = model.pose_directions if model.pose_directions is not None else np.zeros((count, 3, 135))
    arrays = Struct(
        v_template=model.template,
        f=model.faces.astype(np.int64),
        shapedirs=model.shape_directions,
        posedirs=correctives,
        J_regressor=model.joint_regressor,
        weights=model.weights,
        kintree_table=np.array([MANO_PARENTS, range(16)], dtype=np.int64),
        hands_components=np.eye(45),
        hands_mean=np.zeros(45),
    )
    with contextlib.redirect_stdout(io.StringIO()):  # it announces that there are ten shape coefficients
        mano = MANO(
            model.name, data_struct=arrays, is_rhand=True, use_pca=False, flat_hand_mean=True, num_betas=10,
            create_betas=False, create_global_orient=False, create_hand_pose=False, create_body_pose=False,
            create_transl=False,
        )  # fmt: skip
    for module in mano.modules():  # the arrays belong to the hand model's file, not to a network's checkpoint
        for name, buffer in list(module.named_buffers(recurse=False)):
            module.register_buffer(name, buffer, persistent=False)
    return mano


class HandLayer(nn.Module):
    """Right hands from pose and shape; holds no parameters and adds nothing to a state dict.

    All inputs are batched: rotations (B,16,3,3), each in its parent's frame, model order; shape (B,10);
    offsets (B,M,3) m at mesh level `OFFSET_LEVEL`, in the rest pose, or None. All outputs have the wrist
    joint at the origin, in metres.
    """

    model: HandModel
    rest: Tensor
    rest_directions: Tensor
    offset_upsample: Tensor
    regressor: Tensor
    pair_base: Tensor
    pair_shape: Tensor
    pair_offsets: Tensor
    pair_pose: Tensor
    pair_bone: Tensor
    pair_sum: Tensor
    pair_mass: Tensor

    def __init__(self, model: HandModel | None = None) -> None:
        super().__init__()
        self.model = model if model is not None else load_hand()
        self.mano = _mano(self.model)
        base, directions = self.model._rest_joints
        upsample = self.model.levels[OFFSET_LEVEL].upsample
        self._keep("rest", base)
        self._keep("rest_directions", directions)
        self._keep("regressor", self.model.keypoint_regressor)
        self._keep("offset_upsample", upsample)
        self._level_indices = [level.indices for level in self.model.levels] + [np.arange(len(self.model.template))]
        for number, indices in enumerate(self._level_indices[:-1]):
            self._keep(f"indices{number}", torch.tensor(indices))
            self._keep(f"offsets{number}", upsample[indices])
            for name in ("template", "shape_directions", "weights"):
                self._keep(f"{name}{number}", getattr(self.model, name)[indices])
            if self.model.pose_directions is not None:
                self._keep(f"pose_directions{number}", self.model.pose_directions[indices])
        self._prepare_joints()

    def _keep(self, name: str, array: np.ndarray | Tensor) -> None:
        tensor = array if isinstance(array, Tensor) else torch.as_tensor(np.array(array, dtype=np.float32))
        self.register_buffer(name, tensor, persistent=False)

    def _prepare_joints(self) -> None:
        """Fold the keypoint regressor into the skinning: sum_v r_kv w_vj x_v for every keypoint k and bone j.

        A posed keypoint is sum_j R_j c_kj + m_kj t_j with c_kj that sum (linear in shape, offsets and pose
        correctives) and m_kj = sum_v r_kv w_vj. Few (k, j) are not zero, and only these are kept.
        """
        model = self.model
        share = np.einsum("kv,vj->kjv", model.keypoint_regressor, model.weights)
        mass = share.sum(axis=2)
        keypoint, bone = np.nonzero(np.abs(share).max(axis=2) > _NOTHING)
        share = share[keypoint, bone]
        to_keypoint = np.zeros((21, len(keypoint)))
        to_keypoint[keypoint, np.arange(len(keypoint))] = 1.0
        self._keep("pair_bone", torch.tensor(bone))
        self._keep("pair_sum", to_keypoint)
        self._keep("pair_mass", mass)
        self._keep("pair_base", share @ model.template)
        self._keep("pair_shape", np.tensordot(share, model.shape_directions, axes=1))
        self._keep("pair_offsets", share @ model.levels[OFFSET_LEVEL].upsample)
        if model.pose_directions is not None:
            self._keep("pair_pose", np.tensordot(share, model.pose_directions, axes=1))

    def _bones(self, rotations: Tensor, shape: Tensor) -> tuple[Tensor, Tensor]:
        """Per bone, rest to posed: rotations (B,16,3,3), translations (B,16,3); the wrist at the origin."""
        if rotations.shape[1:] != (16, 3, 3) or shape.shape[1:] != (10,) or len(rotations) != len(shape):
            raise InputError(
                "the hand layer needs rotations (B,16,3,3) and shape (B,10), "
                f"got {tuple(rotations.shape)} and {tuple(shape.shape)}"
            )
        joints = self.rest + torch.einsum("jac,bc->bja", self.rest_directions, shape)
        _, transforms = batch_rigid_transform(rotations, joints, self.mano.parents, dtype=rotations.dtype)
        return transforms[:, :, :3, :3], transforms[:, :, :3, 3] - joints[:, :1]

    @staticmethod
    def _correctives(rotations: Tensor) -> Tensor:
        eye = torch.eye(3, dtype=rotations.dtype, device=rotations.device)
        return (rotations[:, 1:] - eye).flatten(1)

    @staticmethod
    def _blend(weights: Tensor, turned: Tensor, moved: Tensor, rest: Tensor) -> Tensor:
        """Linear blend skinning of rest vertices (B,N,3) by weights (N,16)."""
        flat = torch.cat([turned.flatten(2), moved], dim=2)  # (B,16,12)
        mixed = torch.matmul(weights, flat)  # (B,N,12)
        turn, move = mixed[..., :9].unflatten(2, (3, 3)), mixed[..., 9:]
        return (turn * rest.unsqueeze(2)).sum(dim=3) + move

    def forward(self, rotations: Tensor, shape: Tensor, offsets: Tensor | None = None) -> Tensor:
        """The full mesh's vertices (B,V,3)."""
        return self.vertices_at(len(self.model.levels), rotations, shape, offsets)

    def vertices_at(self, level: int, rotations: Tensor, shape: Tensor, offsets: Tensor | None = None) -> Tensor:
        """The vertices (B,M,3) of mesh level 0 (coarsest) .. len(levels) (all): a subset of `forward`'s.

        Raises InputError for a level that does not exist.
        """
        turned, moved = self._bones(rotations, shape)
        full = level == len(self.model.levels)
        if full:
            mano = self.mano
            template, directions, weights = mano.v_template, mano.shapedirs, mano.lbs_weights
        elif 0 <= level < len(self.model.levels):
            template, directions = (
                getattr(self, f"template{level}"),
                getattr(self, f"shape_directions{level}"),
            )
            weights = getattr(self, f"weights{level}")
        else:
            raise InputError(f"mesh level {level} does not exist: expected 0..{len(self.model.levels)}")
        rest = template + torch.matmul(shape, directions.flatten(0, 1).T).unflatten(1, (-1, 3))
        if offsets is not None:
            rest = rest + torch.matmul(self.offset_upsample if full else getattr(self, f"offsets{level}"), offsets)
        if self.model.pose_directions is not None:
            features = self._correctives(rotations)
            if full:
                rest = rest + torch.matmul(features, self.mano.posedirs).unflatten(1, (-1, 3))
            else:
                rest = rest + torch.einsum("vap,bp->bva", getattr(self, f"pose_directions{level}"), features)
        return self._blend(weights, turned, moved, rest)

    def joints(self, vertices: Tensor) -> Tensor:
        """The 21 joints (B,21,3), keypoint order, of full meshes (B,V,3)."""
        return torch.matmul(self.regressor, vertices)

    def keypoints_from_pose(self, rotations: Tensor, shape: Tensor, offsets: Tensor | None = None) -> Tensor:
        """The 21 joints (B,21,3), equal to `joints(forward(...))`, without skinning the mesh."""
        turned, moved = self._bones(rotations, shape)
        parts = self.pair_base + torch.matmul(shape, self.pair_shape.flatten(0, 1).T).unflatten(1, (-1, 3))
        if offsets is not None:
            parts = parts + torch.matmul(self.pair_offsets, offsets)
        if self.model.pose_directions is not None:
            parts = parts + torch.einsum("nap,bp->bna", self.pair_pose, self._correctives(rotations))
        placed = (turned[:, self.pair_bone] * parts.unsqueeze(2)).sum(dim=3)
        return torch.matmul(self.pair_sum, placed) + torch.matmul(self.pair_mass, moved)
