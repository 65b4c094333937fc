"""A point from its places in several photos, with how well they say it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotator.vision.rigs.camera import RigCamera

STEPS = 5  # of Gauss-Newton, after the linear answer
PARALLAX = np.radians(0.5)  # rays that meet at a smaller angle say nothing of the distance


def triangulate(
    cameras: Sequence[RigCamera], places: np.ndarray, sigma: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (N,3) of the world, in the rig's unit, their covariance (N,3,3), and how far off each place is (V,N) px.

    places (V,N,2) ideal px and sigma (V,N) px along each axis, NaN where a camera says nothing of a point. A point is
    NaN unless two cameras see it, in front of both, along rays that meet. Linear (R. Hartley and A. Zisserman's DLT,
    every row in sigmas) and then Gauss-Newton on the reprojection error.
    """
    places, sigma = np.asarray(places, np.float64), np.asarray(sigma, np.float64)
    count = places.shape[1]
    points, covariance = np.full((count, 3), np.nan), np.full((count, 3, 3), np.nan)
    matrices = np.array([camera.K @ np.column_stack([camera.R, camera.t]) for camera in cameras])
    centres = np.array([camera.centre for camera in cameras])
    focal = np.array([np.sqrt(camera.K[0, 0] * camera.K[1, 1]) for camera in cameras])
    known = np.isfinite(places).all(axis=-1) & np.isfinite(sigma)  # (V,N)
    weight = np.where(known, 1.0 / np.where(known, sigma, 1.0), 0.0)
    flat = np.where(known[..., None], places, 0.0)
    enough = np.flatnonzero(known.sum(axis=0) >= 2)
    # lengths of the order of one: the linear answer weighs its rows by them
    size = max(float(np.ptp(centres, axis=0).max()), 1e-12)
    if len(enough):
        some, inverse = _points(matrices, flat[:, enough], weight[:, enough], focal, size)
        rays = some[None] - centres[:, None]
        rays /= np.maximum(np.linalg.norm(rays, axis=-1, keepdims=True), 1e-300)
        cosine = np.einsum("vna,wna->nvw", rays, rays)
        both = known[:, None, enough] & known[None, :, enough]
        meet = np.where(both.transpose(2, 0, 1), cosine, 1.0).min(axis=(1, 2)) < np.cos(PARALLAX)
        good = meet & np.isfinite(some).all(axis=1)
        points[enough[good]], covariance[enough[good]] = some[good], inverse[good]
    image = np.einsum("vab,nb->vna", matrices[:, :, :3], points) + matrices[:, None, :, 3]
    off = np.linalg.norm(image[..., :2] / image[..., 2:] - places, axis=-1)
    return points, covariance, off


def _points(matrices, places, weight, focal, size) -> tuple[np.ndarray, np.ndarray]:
    """Points (N,3) and covariances (N,3,3); NaN where a camera that counts has the point behind it."""
    scaled = matrices.copy()
    scaled[:, :, 3] /= size
    rows = places[..., None] * scaled[:, None, 2:3] - scaled[:, None, :2]  # (V,N,2,4)
    rows = rows * (weight / focal[:, None])[..., None, None]
    x = np.linalg.svd(rows.transpose(1, 0, 2, 3).reshape(len(rows[0]), -1, 4), full_matrices=False)[2][:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        points = x[:, :3] / x[:, 3:] * size
    points[~np.isfinite(points).all(axis=1)] = 0.0
    behind, inverse = np.zeros(len(points), bool), np.zeros((len(points), 3, 3))
    for _ in range(STEPS):
        image = np.einsum("vab,nb->vna", matrices[:, :, :3], points) + matrices[:, None, :, 3]
        behind = ((image[..., 2] <= 1e-9 * size) & (weight > 0)).any(axis=0)
        depth = np.maximum(image[..., 2], 1e-9 * size)
        seen = image[..., :2] / depth[..., None]
        jacobian = (matrices[:, None, :2, :3] - seen[..., None] * matrices[:, None, 2:3, :3]) / depth[..., None, None]
        jacobian = jacobian * weight[..., None, None]
        hessian = np.einsum("vnax,vnay->nxy", jacobian, jacobian)
        least = 1e-12 * np.trace(hessian, axis1=1, axis2=2)[:, None, None]
        inverse = np.linalg.inv(hessian + np.maximum(least, 1e-300) * np.eye(3))
        gradient = np.einsum("vnax,vna->nx", jacobian, (places - seen) * weight[..., None])
        step = (inverse @ gradient[..., None])[..., 0]
        points = points + step
        if np.linalg.norm(step, axis=1).max() < 1e-9 * size:
            break
    points[behind] = np.nan
    return points, inverse
