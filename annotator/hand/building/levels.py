"""Coarse levels of a mesh: nested subsets of its vertices, their faces, smooth upsampling to the full mesh.

Subsets come from half-edge collapses (a vertex is drawn onto a neighbour that stays), so a coarse level is a
closed manifold whose vertices are vertices of the full mesh. Upsampling is biharmonic interpolation on the
full mesh's surface (minimum of the integrated squared Laplacian with the level's vertices given): smooth,
exact at the level's vertices, along the surface only. Small negative lobes are cut, and rows are normalised
to sum to one.
"""

from __future__ import annotations

import heapq

import numpy as np

LEVEL_SIZES = (49, 98, 195, 389)
FINGER_IMPORTANCE = 1.0  # fingers bend, the palm does not: coarse levels keep the fingers a little denser


def _adjacency(faces: np.ndarray, count: int) -> list[set[int]]:
    near: list[set[int]] = [set() for _ in range(count)]
    for a, b, c in faces.tolist():
        near[a] |= {b, c}
        near[b] |= {a, c}
        near[c] |= {a, b}
    return near


def _normal(points: np.ndarray, face: tuple[int, int, int]) -> np.ndarray:
    a, b, c = points[list(face)].tolist()
    u, v, w = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    x, y, z = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    return np.array([v * z - w * y, w * x - u * z, u * y - v * x])


def _with(face: tuple[int, int, int], gone: int, stays: int) -> tuple[int, int, int]:
    a, b, c = (stays if v == gone else v for v in face)
    return a, b, c


class _Collapser:
    """A closed triangle mesh losing one vertex at a time."""

    def __init__(self, points: np.ndarray, faces: np.ndarray, keep: set[int], importance: np.ndarray) -> None:
        self.points, self.keep, self.importance = points, keep, importance
        self.places = points.tolist()  # numbers of Python's own: few at a time, these are many times as fast
        self.homogeneous = list(np.column_stack([points, np.ones(len(points))]))
        self.near = _adjacency(faces, len(points))
        self.faces: dict[int, tuple[int, int, int]] = {n: tuple(f) for n, f in enumerate(faces.tolist())}
        self.of_vertex: list[set[int]] = [set() for _ in range(len(points))]
        self.quadric = np.zeros((len(points), 4, 4))
        for n, face in self.faces.items():
            normal = _normal(points, face)
            area = np.linalg.norm(normal)
            plane = np.append(normal / area, -normal @ points[face[0]] / area)
            for v in face:
                self.of_vertex[v].add(n)
                self.quadric[v] += area * np.outer(plane, plane)
        self.alive = set(range(len(points)))

    def cost(self, gone: int, stays: int) -> float:
        """Long edges cost (for even spacing), and so does leaving the surface (Garland and Heckbert)."""
        place = self.homogeneous[stays]
        off = place @ self.quadric[gone] @ place
        x, y, z = self.places[stays]
        reach = max(
            (a - x) * (a - x) + (b - y) * (b - y) + (c - z) * (c - z)
            for a, b, c in (self.places[n] for n in self.near[gone])
        )
        return self.importance[gone] * (reach + np.sqrt(max(off, 0.0)))

    def allowed(self, gone: int, stays: int) -> bool:
        if gone in self.keep or len(self.near[gone] & self.near[stays]) != 2:
            return False  # the link condition: exactly the two faces at the edge may vanish
        for n in self.of_vertex[gone]:
            face = self.faces[n]
            if stays in face:
                continue
            old = _normal(self.points, face)
            new = _normal(self.points, _with(face, gone, stays))
            if old @ new <= 0.1 * np.linalg.norm(old) * np.linalg.norm(new):
                return False
        return True

    def collapse(self, gone: int, stays: int) -> set[int]:
        for n in list(self.of_vertex[gone]):
            face = self.faces[n]
            for v in face:
                self.of_vertex[v].discard(n)
            if stays in face:
                del self.faces[n]
                continue
            new = _with(face, gone, stays)
            self.faces[n] = new
            for v in new:
                self.of_vertex[v].add(n)
        changed = self.near[gone]
        for v in changed:
            self.near[v].discard(gone)
            if v != stays:
                self.near[v].add(stays)
                self.near[stays].add(v)
        self.quadric[stays] += self.quadric[gone]
        self.near[gone] = set()
        self.alive.discard(gone)
        return changed


def decimate(
    points: np.ndarray, faces: np.ndarray, counts: list[int], keep: list[int], importance: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Nested levels, coarse to fine: for each count (vertex numbers (M,) ascending, faces (f,3) among them).

    `keep` lists vertices that stay in every level; where `importance` (V,) is larger by a factor f, vertices
    end up about sqrt(f) times as close. Raises ValueError when the mesh cannot be brought down that far.
    """
    mesh = _Collapser(points, faces, set(keep), importance)
    heap: list[tuple[float, int, int]] = []

    def push(v: int) -> None:
        for n in mesh.near[v]:
            heapq.heappush(heap, (mesh.cost(v, n), v, n))
            heapq.heappush(heap, (mesh.cost(n, v), n, v))

    for v in range(len(points)):
        for n in mesh.near[v]:
            heapq.heappush(heap, (mesh.cost(v, n), v, n))
    found = []
    for count in sorted(counts, reverse=True):
        while len(mesh.alive) > count:
            if not heap:
                raise ValueError(f"the mesh cannot be simplified to {count} vertices")
            cost, gone, stays = heapq.heappop(heap)
            if gone not in mesh.alive or stays not in mesh.near[gone]:
                continue
            if abs(cost - mesh.cost(gone, stays)) > 1e-12 or not mesh.allowed(gone, stays):
                continue
            for v in mesh.collapse(gone, stays):
                push(v)
        indices = np.array(sorted(mesh.alive), dtype=np.int64)
        place = np.full(len(points), -1)
        place[indices] = np.arange(len(indices))
        found.append((indices, place[np.array(sorted(mesh.faces.values()), dtype=np.int64)].astype(np.int32)))
    return found[::-1]


def cotangent_laplacian(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dense cotangent Laplacian (V,V), rows summing to zero, and the vertices' areas (V,)."""
    laplacian, area = np.zeros((len(points), len(points))), np.zeros(len(points))
    for turn in range(3):
        i, j, k = faces[:, turn], faces[:, (turn + 1) % 3], faces[:, (turn + 2) % 3]
        a, b = points[i] - points[k], points[j] - points[k]
        cross = np.linalg.norm(np.cross(a, b), axis=1)
        # Obtuse slivers give negative weights, which break the maximum principle: keep them positive.
        half = np.maximum(0.5 * np.einsum("ni,ni->n", a, b) / np.maximum(cross, 1e-14), 0.02)
        np.add.at(laplacian, (i, j), half)
        np.add.at(laplacian, (j, i), half)
        np.add.at(area, k, cross / 6.0)
    laplacian[np.diag_indices_from(laplacian)] = -laplacian.sum(axis=1)
    return laplacian, area


def upsampling(points: np.ndarray, faces: np.ndarray, indices: np.ndarray, least: float = 2e-3) -> np.ndarray:
    """Matrix (V,M), non-negative, rows summing to one, the identity at the level's own vertices.

    `indices` (M,) are those vertices' numbers, ascending.
    """
    laplacian, area = cotangent_laplacian(points, faces)
    energy = laplacian @ (laplacian / area[:, None])
    given = np.zeros(len(points), dtype=bool)
    given[indices] = True
    matrix = np.zeros((len(points), len(indices)))
    matrix[indices, np.arange(len(indices))] = 1.0
    solution = np.linalg.solve(energy[np.ix_(~given, ~given)], -energy[np.ix_(~given, given)])
    matrix[~given] = np.where(solution < least, 0.0, solution)
    return matrix / matrix.sum(axis=1, keepdims=True)
