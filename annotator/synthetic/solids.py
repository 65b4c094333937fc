"""Simple solids: their distance functions (for grasps), their meshes (for the renderer), and where a hand
holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Solid:
    """kind "cylinder", "sphere" or "box"; centre (3,) m; axes (3,3) rows, orthonormal (the first is a
    cylinder's axis); half (3,) half extents along the axes, m (a cylinder: half length, radius, radius; a
    sphere: its radius thrice)."""

    kind: str
    centre: np.ndarray
    axes: np.ndarray
    half: np.ndarray

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance (...,) of points (...,3) from the surface, m, negative inside (near edges: no
        less)."""
        return distances([self], points[None])[0]

    def moved(self, rotation: np.ndarray, translation: np.ndarray) -> Solid:
        """The solid after x -> rotation x + translation."""
        return replace(self, centre=rotation @ self.centre + translation, axes=self.axes @ rotation.T)

    def mesh(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Vertices, unit normals (n,3), faces (f,3), and positions in the solid's own axes (n,3)."""
        points, normals, faces = _unit_mesh(self.kind)
        local = points * self.half
        normals = normals / self.half
        normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        return local @ self.axes + self.centre, normals @ self.axes, faces, local


def distances(solids: list[Solid], points: np.ndarray) -> np.ndarray:
    """Signed distances (n,...) of points (n,...,3) from n solids of one kind, row by row."""
    count, inner = len(solids), points.shape[1:-1]
    centre = np.stack([solid.centre for solid in solids])
    axes = np.stack([solid.axes for solid in solids])
    half = np.stack([solid.half for solid in solids])[:, None]
    local = (points.reshape(count, -1, 3) - centre[:, None]) @ axes.transpose(0, 2, 1)
    if solids[0].kind == "sphere":
        return (np.linalg.norm(local, axis=-1) - half[..., 0]).reshape(count, *inner)
    if solids[0].kind == "cylinder":
        across = np.hypot(local[..., 1], local[..., 2])
        q = np.stack([np.abs(local[..., 0]) - half[..., 0], across - half[..., 1]], axis=-1)
    else:
        q = np.abs(local) - half
    gaps = np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(axis=-1), 0)
    return gaps.reshape(count, *inner)


_MESHES: dict = {}


def _unit_mesh(kind: str):
    if kind not in _MESHES:
        _MESHES[kind] = {"cylinder": _cylinder, "sphere": _sphere, "box": _box}[kind]()
    return _MESHES[kind]


def _grid_faces(rows: int, columns: int) -> np.ndarray:
    """Triangles of a grid of (rows + 1) x (columns + 1) vertices."""
    r, c = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    a = (r * (columns + 1) + c).ravel()
    b, d = a + 1, a + columns + 1
    return np.concatenate([np.stack([a, b, d], 1), np.stack([b, d + 1, d], 1)])


def _cylinder():
    turn = np.linspace(0, 2 * np.pi, 33)
    ring = np.stack([np.zeros(33), np.cos(turn), np.sin(turn)], axis=1)
    wall = np.concatenate([ring - [1, 0, 0], ring + [1, 0, 0]])
    parts, normals, faces = [wall], [np.concatenate([ring, ring])], [_grid_faces(1, 32)]
    for end in (-1.0, 1.0):
        base = sum(len(p) for p in parts)
        parts.append(np.concatenate([[[end, 0, 0]], ring + [end, 0, 0]]))
        normals.append(np.tile([end, 0.0, 0.0], (34, 1)))
        k = np.arange(1, 33)
        faces.append(np.stack([np.zeros(32, int), k, k + 1], axis=1) + base)
    return np.concatenate(parts), np.concatenate(normals), np.concatenate(faces)


def _sphere():
    lat, lon = np.meshgrid(np.linspace(0, np.pi, 17), np.linspace(0, 2 * np.pi, 33), indexing="ij")
    points = np.stack([np.cos(lat), np.sin(lat) * np.cos(lon), np.sin(lat) * np.sin(lon)], axis=-1).reshape(-1, 3)
    return points, points.copy(), _grid_faces(16, 32)


def _box():
    parts, normals, faces = [], [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
            points = np.insert(corner, axis, sign, axis=1)
            faces.append(np.array([[0, 1, 2], [0, 2, 3]]) + 4 * len(parts))
            parts.append(points)
            normals.append(np.tile(np.eye(3)[axis] * sign, (4, 1)))
    return np.concatenate(parts), np.concatenate(normals), np.concatenate(faces)


def random_axes(rng: np.random.Generator) -> np.ndarray:
    """A random orthonormal frame (3,3), right handed."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[2] = -q[2]
    return q


def random_solid(rng: np.random.Generator, centre: np.ndarray, size: float) -> Solid:
    """A solid of about `size` m (half extent) in any orientation."""
    kind = ("cylinder", "sphere", "box")[rng.integers(3)]
    half = size * rng.uniform(0.25, 1.0, 3)
    if kind == "sphere":
        half = np.full(3, half[0])
    elif kind == "cylinder":
        half = np.array([size, half[1] * 0.6, half[1] * 0.6])
    return Solid(kind, np.asarray(centre, float), random_axes(rng), half)


def grasp_solids(shape: str, count: int, rest: np.ndarray, frame: np.ndarray, rng: np.random.Generator) -> list[Solid]:
    """Solids lying against the palm of the rest hand (rest (21,3) joints, frame rows radial, along,
    palmar)."""
    radial, along, palmar = frame
    knuckles = rest[[5, 9, 13, 17]].mean(axis=0)
    skin = 0.014  # from the metacarpals' line to the palm's skin
    solids = []
    for _ in range(count):
        if shape == "sphere":
            radius = rng.uniform(0.022, 0.055)
            place = knuckles + along * rng.uniform(-0.03, 0.02) + radial * rng.uniform(-0.01, 0.015)
            solids.append(Solid("sphere", place + palmar * (skin + radius), np.eye(3), np.full(3, radius)))
            continue
        tilt, roll = rng.normal(0, 0.35), rng.uniform(0, 2 * np.pi)
        axis = np.cos(tilt) * radial + np.sin(tilt) * along
        across = np.cross(palmar, axis)
        if shape == "cylinder":
            radius = np.exp(rng.uniform(np.log(0.008), np.log(0.045)))
            half = np.array([rng.uniform(0.06, 0.16), radius, radius])
            place = knuckles + along * rng.uniform(-0.025, 0.012) + axis * rng.normal(0, 0.025)
            first, second = (
                np.cos(roll) * across + np.sin(roll) * palmar,
                -np.sin(roll) * across + np.cos(roll) * palmar,
            )
            solids.append(Solid("cylinder", place + palmar * (skin + radius), np.stack([axis, first, second]), half))
        else:  # a box: a phone, a book, a brick
            half = np.array([rng.uniform(0.03, 0.09), rng.uniform(0.015, 0.07), rng.uniform(0.004, 0.028)])
            place = knuckles + along * (rng.uniform(-0.02, 0.03)) + axis * rng.normal(0, 0.02)
            solids.append(Solid("box", place + palmar * (skin + half[2]), np.stack([axis, across, palmar]), half))
    return solids
