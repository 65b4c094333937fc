"""The forearm of a synthetic photo, and what is worn on it."""

from __future__ import annotations

import numpy as np

from annotator.synthetic.skin import HandSurface
from annotator.synthetic.view import turns


class Arm:
    """The forearm as a bent, widening tube that goes on where the wrist's open loop ends."""

    def __init__(self, rng: np.random.Generator, surface: HandSurface, vertices: np.ndarray, frame: np.ndarray) -> None:
        loop = vertices[surface.loop]
        self.centre = loop.mean(axis=0)
        self.offsets = loop - self.centre
        self.frame = frame
        radial, along, palmar = frame
        self.flex = np.clip(rng.normal(0, 0.4), -1.0, 1.0)
        self.deviate = np.clip(rng.normal(0.05, 0.15), -0.4, 0.4)
        self.widen = np.array([rng.uniform(1.25, 1.65), 1.0, rng.uniform(1.25, 1.75)])  # radial, along, palmar
        # an arm that comes toward the camera must not pass through it
        direction = self._turn(np.ones(1))[0] @ -along
        self.length = 0.32
        if direction[2] < 0:
            self.length = float(np.clip((self.centre[2] - 0.08) / -direction[2], 0.03, 0.32))

    def _turn(self, share: np.ndarray) -> np.ndarray:
        """Rotations (S,3,3) of the arm after the shares (S,) of the wrist's bend."""
        radial, _, palmar = self.frame
        return turns(palmar, self.deviate * share) @ turns(radial, self.flex * share)

    def tube(
        self,
        start: float,
        end: float,
        thickness: float,
        wrinkle: float = 0.0,
        rng: np.random.Generator | None = None,
    ):
        """Vertices, normals, faces and rest positions of the arm's skin, or `thickness` outside it, from
        start to end."""
        end = max(end, start + 0.003)
        stations = np.concatenate([np.linspace(0, 0.045, 8)[1:], np.linspace(0.06, self.length, 8)])
        stations = np.concatenate([[start], stations[(stations > start + 1e-3) & (stations < end - 1e-3)], [end]])
        count, along = len(self.offsets), self.frame[1]
        angle = 2 * np.pi * np.arange(count) / count
        # the centre line: an arc over the first 5 cm, then straight
        share = np.clip(stations / 0.05, 0, 1)
        bend = self._turn(share)
        centre = self.centre - (self._turn(share / 2) @ along) * np.minimum(stations, 0.05)[:, None]
        centre -= (bend @ along) * np.maximum(stations - 0.05, 0)[:, None]
        grow = 1 + (self.widen - 1) * (np.clip(stations / 0.22, 0, 1) ** 0.8)[:, None]
        offsets = ((self.offsets @ self.frame.T) * grow[:, None]) @ self.frame @ bend.transpose(0, 2, 1)
        out = np.full((len(stations), count), thickness)
        if wrinkle and rng is not None:
            out += wrinkle * (np.sin(stations[:, None] * 190 + 3 * np.sin(angle)) + rng.normal(0, 0.4, out.shape))
        offsets = offsets * (1 + out / np.linalg.norm(offsets, axis=2))[..., None]
        vertices = (centre[:, None] + offsets).reshape(-1, 3)
        around = np.stack([np.cos(angle) * 0.03, np.zeros(count), np.sin(angle) * 0.03], axis=1)
        rest = (around + np.array([0, 1.0, 0]) * stations[:, None, None]).reshape(-1, 3)
        rows = len(stations) - 1
        a = (np.arange(rows)[:, None] * count + np.arange(count)).ravel()
        b = (np.arange(rows)[:, None] * count + (np.arange(count) + 1) % count).ravel()
        faces = np.concatenate([np.stack([a, b, a + count], 1), np.stack([b, b + count, a + count], 1)])
        normals = smooth_normals(vertices, faces)
        if np.sum(normals * offsets.reshape(-1, 3)) < 0:
            faces, normals = faces[:, ::-1], -normals
        return vertices, normals, faces, rest

    def shift(self, rest: np.ndarray) -> np.ndarray:
        """How far along the forearm each tube vertex lies, for skin texture that goes on without a seam."""
        out = np.zeros_like(rest)
        out[:, 0] = rest[:, 1]
        return out


def smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    corners = vertices[faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for k in range(3):
        for c in range(3):
            normals[:, c] += np.bincount(faces[:, k], flat[:, c], minlength=len(vertices))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
