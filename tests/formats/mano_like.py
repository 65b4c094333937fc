"""A file in the form of MANO's, made here: a tube of 778 vertices and 1,538 faces, open at the wrist. It is no hand."""

from __future__ import annotations

import pickle
import sys
import types
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from scipy.spatial import Delaunay

from annotator.hand.joints import MANO_PARENTS


def arrays(side="right", sign_error=False, seed=0):
    """MANO's arrays by name; the left hand is the right one's mirror image, with or without the published error."""
    random = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rings = [np.column_stack([np.full(16, -0.004 * n), 0.03 * np.cos(turn), 0.045 * np.sin(turn)]) for n in range(48)]
    inner = np.column_stack([np.cos(turn[::2]) * 0.5, np.sin(turn[::2]) * 0.5])
    flat = np.concatenate([np.column_stack([np.cos(turn), np.sin(turn)]), inner, [[0.1, 0.0], [-0.1, 0.03]]])
    inside = flat[16:]
    cap = np.column_stack([np.full(10, -0.004 * 47 - 0.01), 0.03 * inside[:, 0], 0.045 * inside[:, 1]])
    template = np.concatenate([*rings, cap])
    faces = []
    for n in range(47):
        for k in range(16):
            a, b, c, d = 16 * n + k, 16 * n + (k + 1) % 16, 16 * (n + 1) + k, 16 * (n + 1) + (k + 1) % 16
            faces += [[a, b, c], [b, d, c]]
    for triangle in Delaunay(flat).simplices:
        a, b, c = flat[triangle]
        ahead = np.cross(np.append(b - a, 0), np.append(c - a, 0))[2] > 0
        faces.append([(752 + t) for t in (triangle if ahead else triangle[::-1])])
    faces = np.array(faces)
    places = [0] + [16 * (14 + 11 * (j % 3)) + 3 * (j // 3) for j in range(15)]
    regressor = np.zeros((16, 778))
    regressor[np.arange(16), places] = 1.0
    weights = random.random((778, 16)) ** 4
    result = {
        "v_template": template, "f": faces.astype(np.uint32),
        "shapedirs": random.normal(0, 0.001, (778, 3, 10)), "posedirs": random.normal(0, 0.001, (778, 3, 135)),
        "J_regressor": regressor, "weights": weights / weights.sum(1, keepdims=True),
        "kintree_table": np.array([MANO_PARENTS, range(16)]).astype(np.uint32), "hands_mean": random.normal(0, 0.1, 45),
        "hands_components": np.linalg.qr(random.normal(size=(45, 45)))[0],
    }  # fmt: skip
    result["kintree_table"][0, 0] = 4294967295
    result["shapedirs"][:, :, 0] = 0.05 * (template - template.mean(0)) + random.normal(0, 1e-4, (778, 3))
    if side == "left":
        mirror = np.array([-1.0, 1, 1])
        signs = np.tile(np.outer(mirror, mirror).ravel(), 15)
        result["v_template"] = template * mirror
        result["f"] = result["f"][:, ::-1].copy()
        result["shapedirs"] = result["shapedirs"] * (1.0 if sign_error else mirror[:, None])
        result["posedirs"] = result["posedirs"] * mirror[:, None] * signs
        result["hands_mean"] = result["hands_mean"] * np.tile([1.0, -1, -1], 15)
        result["hands_components"] = result["hands_components"] * np.tile([1.0, -1, -1], 15)
    return result


@contextmanager
def chumpy():
    """The package's names, as the published pickle has them."""
    names = ("chumpy", "chumpy.ch", "chumpy.reordering")
    before = {name: sys.modules.get(name) for name in names}
    for name in names:
        sys.modules[name] = types.ModuleType(name)
    Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    Select = type("Select", (Ch,), {"__module__": "chumpy.reordering"})
    sys.modules["chumpy.ch"].Ch, sys.modules["chumpy.reordering"].Select = Ch, Select
    try:
        yield Ch, Select
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def write(path, values, **more):
    """A Python-2 style pickle with chumpy objects and a sparse matrix, as MANO's own."""
    values = dict(values) | more
    with chumpy() as (Ch, Select):
        inner = Ch()
        inner.x = np.concatenate([np.asarray(values["shapedirs"], float), np.zeros((778, 3, 2))], axis=2)
        shapes = Select()
        shapes.a, shapes.preferred_shape = inner, np.shape(values["shapedirs"])
        shapes.idxs = np.arange(inner.x.size).reshape(778, 3, 12)[..., :10].ravel()
        content = values | {"shapedirs": shapes, "J_regressor": sparse.csc_matrix(values["J_regressor"]),
                            "bs_style": "lbs", "J": Ch()}  # fmt: skip
        content["J"].x = np.zeros((16, 3))
        path.write_bytes(pickle.dumps(content, 2))
    return path
