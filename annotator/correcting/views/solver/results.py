"""From the end of a descent to the hand in every photo, with how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from annotator.correcting.accuracy import LabelAccuracy, random_sigma
from annotator.correcting.solver.posterior import bones_of
from annotator.correcting.views.frames import MIRROR, between, moved
from annotator.correcting.views.instant_hand import InstantHand
from annotator.correcting.views.sighting import Sighting
from annotator.correcting.views.solver.solving import Found, sharpness
from annotator.hand.mesh import HandMesh
from annotator.hand.model import HandModel
from annotator.vision.camera import project
from annotator.vision.crop_size import CROP_SIZE
from annotator.vision.crops import Crop
from annotator.vision.rigs import Rig, RigCamera
from annotator.vision.rigs.triangulation import triangulate

NEAREST = 0.02  # m before a camera: nearer, or behind, a hand is in no photo
INSIDE = 6  # joints that lie in a photo in which nobody proposed the hand: fewer, and it is not in it
LEAST_SIGMA = 0.0015  # m: no vertex is known better than the hand model follows a real hand
LEAST_PX = 0.5  # px of the crop: and no keypoint
FLATTEST = 5.0  # tangent off the camera's axis beyond which no photo shows anything

Sizes = Mapping[str, tuple[int, int] | None]
Labelled = Mapping[str, Mapping[int, tuple[float, float]]]


def result(
    found: Found,
    sightings: Sequence[Sighting],
    left_out: Mapping[str, str],
    rig: Rig,
    model: HandModel,
    sizes: Sizes,
    corrections: Labelled,
    before: InstantHand | None = None,
) -> InstantHand:
    """The hand of a descent. sightings: all of it; sizes: camera -> (height, width) px of the photos there are, None
    where the hand is known to be in it; corrections: camera -> labels; before: an earlier answer, whose crops stay."""
    reference = found.common.reference
    inside = [one for one in sightings if one.camera.name not in left_out]
    side = inside[0].hand.side
    parameters = found.problem.coordinates.parameters(found.state.placed)
    vertices = model.vertices(parameters, side)
    joints = model.joints(vertices)
    spread, surface = _spreads(found, side, model)
    confidence = max(one.hand.confidence for one in inside)
    views: dict[str, HandMesh] = {}
    for name in rig:
        camera, own = rig[name], next((one for one in sightings if one.camera.name == name), None)
        R, t = between(reference, camera)
        points, corners = joints @ R.T + t, vertices @ R.T + t
        if name not in sizes or not _is_in(camera, points, None if own is not None else sizes[name]):
            continue
        K, _ = camera.pinhole_at(corners)
        keypoints = project(points, K)
        rates = (K[:2] - keypoints[:, :, None] * K[2]) / points[:, 2, None, None] @ R
        pixel = np.sqrt(np.einsum("kab,kbc,kac->k", rates, spread, rates) / 2)
        if own is not None:
            crop = own.hand.crop_center, own.hand.crop_size, own.hand.crop_angle
        elif before is not None and name in before.views:
            shown = before.views[name]
            crop = shown.crop_center, shown.crop_size, shown.crop_angle
        else:
            placed = Crop.from_landmarks(keypoints)
            crop = np.array([placed.cx, placed.cy]), placed.size, placed.angle
        counts = own is not None and name not in left_out and own.hand.side == side
        views[name] = HandMesh(
            side=side, camera=K, crop_center=crop[0], crop_size=crop[1], crop_angle=crop[2], vertices=corners,
            faces=model.faces_of(side), joints=points, keypoints=keypoints,
            keypoint_sigma=np.maximum(pixel, LEAST_PX * crop[1] / CROP_SIZE), vertex_sigma=surface,
            confidence=confidence, parameters=moved(parameters, side, R, t), hand_model=inside[0].hand.hand_model,
            parametric=own.hand.parametric if counts and own is not None else None,
            corrections=corrections.get(name, {}), features=own.hand.features if counts and own is not None else None,
        )  # fmt: skip
    points, sigma = rays(sightings, left_out, rig, views, corrections)
    # of proposals alone: labels do not change it
    without = without_each(sightings, left_out) if before is None else before.without
    return InstantHand(
        side, reference.to_world(vertices), model.faces_of(side), reference.to_world(joints),
        np.sqrt(np.trace(spread, axis1=1, axis2=2) / 3), confidence, views, rig, tuple(sightings), dict(left_out),
        _reprojection(sightings, reference, joints), points, sigma, without,
    )  # fmt: skip


def _spreads(found: Found, side: str, model: HandModel) -> tuple[np.ndarray, np.ndarray]:
    """Covariances (21,3,3) m^2 of the joints in the reference camera's frame, and sigmas (V,) m of the surface about
    the hand's middle."""
    covariance, jacobian = sharpness(found)
    mirror = MIRROR if side == "left" else np.ones(3)
    joint = np.einsum("kai,ij,kbj->kab", jacobian, covariance, jacobian) * mirror[:, None] * mirror
    centred = jacobian - jacobian.mean(axis=0)
    about = np.sqrt(np.einsum("kai,ij,kaj->k", centred, covariance, centred) / 3)
    return joint, np.hypot(bones_of(model) @ about, LEAST_SIGMA)


def _is_in(camera: RigCamera, joints: np.ndarray, size: tuple[int, int] | None) -> bool:
    """Whether the hand is before the camera and, if a photo's (height, width) is given, in it."""
    if (joints[:, 2] <= NEAREST).any() or np.abs(joints[:, :2] / joints[:, 2:]).max() > FLATTEST:
        return False
    if size is None:
        return True
    places = camera.bent(camera.pixels(joints[:, :2] / joints[:, 2:]))
    inside = (places >= -0.5).all(axis=1) & (places[:, 0] < size[1] - 0.5) & (places[:, 1] < size[0] - 0.5)
    return int(inside.sum()) >= INSIDE


def _reprojection(sightings: Sequence[Sighting], reference: RigCamera, joints: np.ndarray) -> dict[str, float]:
    found = {}
    for one in sightings:
        R, t = between(reference, one.camera)
        off = np.linalg.norm(project(joints @ R.T + t, one.camera.K) - one.places, axis=1)
        found[one.camera.name] = float(np.nanmedian(off))
    return found


def rays(
    sightings: Sequence[Sighting],
    left_out: Mapping[str, str],
    rig: Rig,
    views: Mapping[str, HandMesh],
    corrections: Labelled,
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (21,3) m of the world by rays alone, from labels and, where there is none, the photo's own proposal; and
    their sigmas (21,) m. NaN where not two photos have the joint."""
    names = list(views)
    places, sigma = np.full((len(names), 21, 2), np.nan), np.full((len(names), 21), np.nan)
    for row, name in enumerate(names):
        own = next((one for one in sightings if one.camera.name == name and name not in left_out), None)
        if own is not None:
            places[row], sigma[row] = own.places, np.where(np.isfinite(own.sigma), own.sigma, np.nan)
        for joint, place in corrections.get(name, {}).items():
            places[row, joint] = rig[name].ideal(np.array(place))
            sigma[row, joint] = _label_px(views[name])
    points, covariance, _ = triangulate([rig[name] for name in names], places, sigma)
    return points, np.sqrt(np.trace(covariance, axis1=1, axis2=2) / 3)


def _label_px(view: HandMesh) -> float:
    """px: one sigma of a label along each axis, its random part (what is meant by the joint is the same in all photos
    and moves the point with it)."""
    return random_sigma(view, LabelAccuracy()) * view.crop_size / CROP_SIZE


def without_each(sightings: Sequence[Sighting], left_out: Mapping[str, str]) -> dict[str, float]:
    """camera -> how far its keypoints are from where the other cameras (of two: both) triangulate them, typically, over
    the hand's box. A camera that has moved stands out in every photo, also where its proposal was left out for that."""
    found = {}
    for one in sightings:
        others = [other for other in sightings if other is not one and other.camera.name not in left_out]
        if len(others) < 2:
            others = list(sightings)
        if len(others) < 2:
            continue
        sigma = np.stack([other.sigma for other in others])
        points, _, _ = triangulate(
            [other.camera for other in others], np.stack([other.places for other in others]),
            np.where(np.isfinite(sigma), sigma, np.nan),
        )  # fmt: skip
        seen = one.camera.to_camera(points)
        with np.errstate(invalid="ignore", divide="ignore"):
            places = one.camera.pixels(seen[:, :2] / seen[:, 2:])
        off = np.linalg.norm(places - one.places, axis=1)[seen[:, 2] > NEAREST]
        if np.isfinite(off).any():
            found[one.camera.name] = float(np.nanmedian(off)) / one.box
    return found
