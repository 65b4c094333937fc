"""Axis-angle vectors to rotation matrices and back, in numpy (O. Rodrigues' formula)."""

from __future__ import annotations

import numpy as np


def rotation_matrices(vectors: np.ndarray) -> np.ndarray:
    """Rotation matrices (...,3,3) of axis-angle vectors (...,3) rad."""
    vectors = np.asarray(vectors, dtype=np.float64)
    square = np.sum(vectors * vectors, axis=-1)
    angle = np.sqrt(square)
    # np.sinc is sin(pi x)/(pi x), sound at 0: sin(a)/a and (1-cos(a))/a^2 without a division by a small
    # angle.
    first = np.sinc(angle / np.pi)[..., None, None]
    second = 0.5 * np.sinc(0.5 * angle / np.pi)[..., None, None] ** 2
    cross = np.zeros(vectors.shape + (3,))
    x, y, z = np.moveaxis(vectors, -1, 0)
    cross[..., 0, 1], cross[..., 0, 2] = -z, y
    cross[..., 1, 0], cross[..., 1, 2] = z, -x
    cross[..., 2, 0], cross[..., 2, 1] = -y, x
    return np.eye(3) + first * cross + second * (cross @ cross)


def rotation_vectors(matrices: np.ndarray) -> np.ndarray:
    """Axis-angle vectors (...,3) rad, of length 0..pi, of rotation matrices (...,3,3)."""
    matrices = np.asarray(matrices, dtype=np.float64)
    m = matrices.reshape(-1, 3, 3)
    # The unit quaternion from the matrix's own largest component (S. Shepperd, 1978): sound near 0 and near
    # pi.
    trace = np.trace(m, axis1=1, axis2=2)
    four = np.empty((len(m), 4, 4))
    four[:, 0, 0] = 1 + trace
    four[:, 0, 1] = m[:, 2, 1] - m[:, 1, 2]
    four[:, 0, 2] = m[:, 0, 2] - m[:, 2, 0]
    four[:, 0, 3] = m[:, 1, 0] - m[:, 0, 1]
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        four[:, i + 1, i + 1] = 1 + m[:, i, i] - m[:, j, j] - m[:, k, k]
        four[:, j + 1, k + 1] = m[:, j, k] + m[:, k, j]
    four[:, 1:, 0] = four[:, 0, 1:]
    four[:, 2, 1], four[:, 3, 2], four[:, 1, 3] = four[:, 1, 2], four[:, 2, 3], four[:, 3, 1]
    best = np.argmax(np.diagonal(four, axis1=1, axis2=2), axis=1)
    quaternion = four[np.arange(len(m)), best]
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    quaternion *= np.where(quaternion[:, :1] < 0, -1.0, 1.0)
    sine = np.linalg.norm(quaternion[:, 1:], axis=1, keepdims=True)
    angle = 2 * np.arctan2(sine, quaternion[:, :1])
    scale = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-300), 2.0)
    return (quaternion[:, 1:] * scale).reshape(matrices.shape[:-1])
