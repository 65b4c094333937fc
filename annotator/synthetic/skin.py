"""What the renderer must know of the hand's surface: nails, creases, palm, redness, the open wrist.

Everything is computed once from the rest pose of a `HandModel` and handed to the shader as vertex attributes
that interpolate exactly (linear functions of the rest position), so that nails and creases stay sharp on a
coarse mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

#: Layout of one row of vertex attributes after position (3) and normal (3).
ATTRIBUTES = (
    "rest_x",
    "rest_y",
    "rest_z",
    "nail_u",
    "nail_v",
    "nail_w",
    "crease_t",
    "crease",
    "red",
    "palmar",
    "part",
)
PART = len(ATTRIBUTES) - 1

#: Part numbers (the image's alpha while rendering): bones are 1 + MANO joint, then these.
PART_FOREARM, PART_SLEEVE, PART_OBJECT, PART_OTHER = 20, 21, 30, 40

# MANO joints: index 1-3, middle 4-6, little 7-9, ring 10-12, thumb 13-15; keypoints: thumb 1-4, index 5-8,
# ...
_FINGER_KEYPOINTS = {
    1: (5, 6, 7, 8),
    4: (9, 10, 11, 12),
    10: (13, 14, 15, 16),
    7: (17, 18, 19, 20),
    13: (1, 2, 3, 4),
}


@dataclass(frozen=True, eq=False)
class HandSurface:
    """The hand as the renderer draws it.

    faces (F,3) int32 without the wrist's cap; loop (L,) vertex indices round the open wrist, in order;
    attributes (V, len(ATTRIBUTES)) float32; face_sum (V,F) sparse: face normals -> vertex normals.
    """

    faces: np.ndarray
    loop: np.ndarray
    attributes: np.ndarray
    face_sum: scipy.sparse.csr_matrix

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Unit vertex normals (V,3) of posed vertices (V,3), pointing outward."""
        corners = vertices[self.faces]
        face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = self.face_sum @ face_normals
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def palm_frame(joints: np.ndarray) -> np.ndarray:
    """(3,3) rows: radial (to the thumb), along (wrist to middle MCP), palmar; from 21 joints (21,3) of a
    RIGHT hand."""
    along = joints[9] - joints[0]
    along = along / np.linalg.norm(along)
    radial = joints[5] - joints[17]
    radial = radial - along * (radial @ along)
    radial = radial / np.linalg.norm(radial)
    return np.stack([radial, along, np.cross(radial, along)])


def hand_surface(model) -> HandSurface:
    """Build the surface attributes of a `HandModel` (about 20 ms)."""
    template = np.asarray(model.template, dtype=float)
    faces, loop = _open_wrist(model)
    joints = np.asarray(model.keypoint_regressor) @ template
    radial, along, palmar = palm_frame(joints)
    count = len(template)
    face_sum = scipy.sparse.csr_matrix(
        (np.ones(3 * len(faces)), (faces.ravel(), np.repeat(np.arange(len(faces)), 3))),
        shape=(count, len(faces)),
    )
    partial = HandSurface(faces, loop, np.zeros((count, 0)), face_sum)
    normals = partial.normals(template)

    bone = np.asarray(model.weights).argmax(axis=1)
    attributes = np.zeros((count, len(ATTRIBUTES)), dtype=np.float32)
    attributes[:, 0:3] = template - joints[0]
    attributes[:, 3:6] = 9.0
    attributes[:, 6] = 1.0
    attributes[:, 9] = np.clip(0.5 + 0.9 * (normals @ palmar), 0, 1)
    attributes[:, PART] = bone + 1
    for first, chain in _FINGER_KEYPOINTS.items():
        thumb = first == 13
        members = np.flatnonzero((bone >= first) & (bone < first + 3))
        points = template[members]
        finger = joints[list(chain)]
        flexion = np.asarray(model.anatomical_axes)[first + 1, 0]  # of the last bone
        back = -np.cross(flexion, finger[3] - finger[2])
        axis = finger[3] - finger[2]
        length = np.linalg.norm(axis)
        axis = axis / length
        back = back - axis * (back @ axis)
        back = back / np.linalg.norm(back)
        side = np.cross(axis, back)
        tip_part = members[bone[members] == first + 2]
        half_width = np.percentile(np.abs((template[tip_part] - finger[2]) @ side), 80)
        local = points - finger[2]
        attributes[members, 3] = local @ side / half_width
        attributes[members, 4] = local @ axis / length
        attributes[members, 5] = local @ back / half_width
        attributes[members, 8] = np.clip((local @ axis / length - 0.2) * 1.1, 0, 1)  # fingertips are redder
        # signed distance along the finger from the nearest crease joint (creases at MCP, PIP and DIP)
        best, fold = np.full(len(points), 9.0), np.zeros(len(points))
        for joint in range(0 if not thumb else 1, 3):
            direction = finger[joint + 1] - finger[max(joint - 1, 0)]
            direction = direction / np.linalg.norm(direction)
            distance = (points - finger[joint]) @ direction
            nearer = np.abs(distance) < np.abs(best)
            best = np.where(nearer, distance, best)
            if joint == 0:  # at the root the fold is on the palm's side only
                fold[nearer] = normals[members][nearer] @ back < -0.2
            else:
                fold[nearer] = 1.0
            knuckle = np.exp(-((np.linalg.norm(points - finger[joint], axis=1) / 0.012) ** 2))
            attributes[members, 8] = np.maximum(attributes[members, 8], 0.8 * knuckle * (normals[members] @ back > 0))
        attributes[members, 6] = np.clip(best, -1, 1)
        # the weight falls to nothing within 9 mm, or interpolation between two joints would cross t = 0 and
        # draw a fold
        attributes[members, 7] = np.clip(1 - np.abs(best) / 0.009, 0, 1) * fold
    return HandSurface(faces, loop, attributes, face_sum)


def _open_wrist(model) -> tuple[np.ndarray, np.ndarray]:
    """Faces without the wrist's cap (if it has one) and the boundary loop left open, as ordered vertex
    indices."""
    faces = np.asarray(model.faces, dtype=np.int32)
    template = np.asarray(model.template, dtype=float)
    joints = np.asarray(model.keypoint_regressor) @ template
    backward = joints[0] - joints[9]
    backward = backward / np.linalg.norm(backward)
    if not len(_boundary(faces)):
        corners = template[faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-15)
        reach = (corners.mean(axis=1) - joints[0]) @ backward
        cap = (normals @ backward > 0.8) & (reach > reach.max() - 0.008)
        faces = faces[~cap]
    edges = _boundary(faces)
    loops = _chain(edges)
    loop = max(loops, key=lambda ring: float(np.mean((template[ring] - joints[0]) @ backward) + 0.001 * len(ring)))
    return np.ascontiguousarray(faces), np.asarray(loop)


def _boundary(faces: np.ndarray) -> np.ndarray:
    """Directed edges (E,2) that belong to one face only."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    key = np.sort(edges, axis=1)
    _, inverse, counts = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    return edges[counts[inverse.ravel()] == 1]


def _chain(edges: np.ndarray) -> list[list[int]]:
    follow = {int(a): int(b) for a, b in edges}
    loops = []
    while follow:
        start, at = next(iter(follow.items()))
        loop: list[int] = []
        while at in follow or not loop:
            loop.append(start if not loop else at)
            after = follow.pop(loop[-1], None)
            if after is None or after == loop[0]:
                break
            at = after
        loops.append(loop)
    return loops
