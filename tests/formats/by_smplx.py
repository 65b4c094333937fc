"""Hands of a MANO-like file by smplx's own code."""

from __future__ import annotations

import numpy as np
import torch

from annotator.hand.joints import MANO_TO_KEYPOINTS


def smplx_vertices(values, pose, shape, is_right=True):
    from smplx import MANO
    from smplx.utils import Struct

    layer = MANO(
        "x",
        data_struct=Struct(
            **(values | {"f": values["f"].astype(np.int64), "kintree_table": values["kintree_table"].astype(np.int64)})
        ),
        is_rhand=is_right,
        use_pca=False,
        flat_hand_mean=True,
        dtype=torch.float64,
    )

    def one(a):
        return torch.tensor(a, dtype=torch.float64)[None]

    out = layer(betas=one(shape), global_orient=one(pose[0]), hand_pose=one(pose[1:].ravel()), transl=one(np.zeros(3)))
    wrist = (values["J_regressor"] @ (values["v_template"] + values["shapedirs"] @ shape))[0]
    return out.vertices[0].detach().numpy() - wrist


def smplx_hand(side, values, pose, shape, translation):
    """(vertices, joints in our order) by smplx itself: its 16 joints, then its own tips."""
    from smplx import MANO
    from smplx.utils import Struct
    from smplx.vertex_ids import vertex_ids

    arrays = values | {name: values[name].astype(np.int64) for name in ("f", "kintree_table")}
    layer = MANO("x", data_struct=Struct(**arrays), is_rhand=side == "right", use_pca=False, flat_hand_mean=True,
                 dtype=torch.float64)  # fmt: skip
    pose, shape, place = (torch.tensor(a, dtype=torch.float64).reshape(1, -1) for a in (pose, shape, translation))
    out = layer(betas=shape, global_orient=pose[:, :3], hand_pose=pose[:, 3:], transl=place)
    vertices, joints = out.vertices[0].detach().numpy(), out.joints[0].detach().numpy()[:16]
    tips = vertices[[vertex_ids["mano"][name] for name in ("thumb", "index", "middle", "ring", "pinky")]]
    return vertices, np.concatenate([joints, tips])[list(MANO_TO_KEYPOINTS)]
